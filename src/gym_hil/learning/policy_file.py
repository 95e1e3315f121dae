"""Trained policies on disk: the weights as arrays, and the facts that say what the policy is for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from gym_hil.core.archives import pack, unpack
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.files import write_atomically
from gym_hil.learning.config import TrainConfig, read_config
from gym_hil.learning.methods import METHODS
from gym_hil.learning.methods.base import Policy, Weights
from gym_hil.learning.policy_interface import PolicyInterface

POLICY = "policy.npz"
"""Name of the file that holds a run's policy."""
CHECKPOINT = "checkpoint.npz"
"""Name of the file that learning continues from. It holds the policy too."""
LEARNER = "learner/"
"""Begins the name of every array of a checkpoint that only learning needs."""


@dataclass(frozen=True)
class TrainedPolicy:
    """A policy on disk.

    Attributes:
        interface: what it observes and does.
        config: of the run that trained it. Its method says how to read the weights.
        weights: named arrays.
    """

    interface: PolicyInterface
    config: TrainConfig
    weights: Weights

    def make_policy(self) -> Policy:
        """Return the policy, ready to act."""
        return METHODS.get(self.config.method).load_policy(self.weights)

    def save(self, path: Path) -> None:
        """Write one ``.npz`` file."""
        facts = {"interface": asdict(self.interface), "config": self.config.to_json()}
        write_atomically(path, pack(facts, self.weights, compress=True))

    @classmethod
    def load(cls, path: Path) -> TrainedPolicy:
        """Read what `save` wrote, or the policy in a checkpoint. No code in the file is run.

        Raises:
            InvalidArgumentError: there is no such file, or it is no policy of this or an earlier version.
        """
        try:
            facts, arrays = unpack(path.read_bytes())
            weights = {name: array for name, array in arrays.items() if not name.startswith(LEARNER)}
            config = read_config(facts["config"], path, for_policy=True)
            return cls(PolicyInterface.of(facts["interface"]), config, weights)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidArgumentError(f"{path} cannot be read as a policy: {error}") from error
