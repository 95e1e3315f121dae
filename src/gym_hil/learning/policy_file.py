"""Trained policies on disk: their weights, interface and configuration in one ``.npz`` file."""

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
"""Name of the policy file in a run's folder."""
CHECKPOINT = "checkpoint.npz"
"""Name of the file from which training continues. It also contains the policy."""
LEARNER = "learner/"
"""Prefix of the arrays of a checkpoint that are needed for training only."""


@dataclass(frozen=True)
class TrainedPolicy:
    """A trained policy with everything that is needed to use it.

    Attributes:
        interface: observation and action of the policy.
        config: configuration of the run that trained it. The method defines the format of the weights.
        weights: weights by name.
    """

    interface: PolicyInterface
    config: TrainConfig
    weights: Weights

    def make_policy(self) -> Policy:
        """Return the policy with its weights loaded."""
        return METHODS.get(self.config.method).load_policy(self.weights)

    def save(self, path: Path) -> None:
        """Write the policy to the ``.npz`` file `path`."""
        facts = {"interface": asdict(self.interface), "config": self.config.to_json()}
        write_atomically(path, pack(facts, self.weights, compress=True))

    @classmethod
    def load(cls, path: Path) -> TrainedPolicy:
        """Read a policy file or the policy in a checkpoint. Reading never executes code from the file.

        Raises:
            InvalidArgumentError: the file does not exist, or is not a policy of this or an earlier version.
        """
        try:
            facts, arrays = unpack(path.read_bytes())
            weights = {name: array for name, array in arrays.items() if not name.startswith(LEARNER)}
            config = read_config(facts["config"], path, for_policy=True)
            return cls(PolicyInterface.of(facts["interface"]), config, weights)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidArgumentError(f"{path} cannot be read as a policy: {error}") from error
