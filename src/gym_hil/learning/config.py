"""Everything that a training run depends on, as data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gym_hil.core.errors import InvalidArgumentError, require_one_of
from gym_hil.core.files import write_atomically
from gym_hil.intervention.named import PEOPLE, TEACHERS
from gym_hil.intervention.simulated_human import PRESETS

CONFIG = "config.json"
METHODS = ("hil", "hg-dagger", "bc")
"""Soft actor-critic with a human in the loop; imitation of demonstrations and interventions; imitation of
demonstrations alone, which takes as many gradient steps as learning online would have, and no robot time."""
STEPS_PER_MINUTE = 600
"""Control steps of a robot minute at 10 Hz."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One run. With a simulated human, or none: same configuration, same result, bit for bit, on the same
    machine and versions.
    """

    env_id: str
    """A base id with state observations: ``gym_hil/PandaPickCubeStateBase-v1``."""
    obs: str = "state"
    """What the policy sees: ``"state"``, where things are; or ``"pixels"``, the two cameras and its hand."""
    image_size: int = 64
    """Pixels along a side of an image."""
    device: str = "auto"
    """Of the learner's networks: ``"auto"`` takes a GPU for pixels, if there is one."""
    method: str = "hil"
    """How to learn, one of `METHODS`."""
    operator: str = "simulated"
    """Who demonstrates and takes over; ``"none"`` for demonstrations without a human afterwards."""
    preset: str = "coach"
    """Limits of the simulated human. A coach takes over when the policy has made no progress for 2 s, for 2 s
    at most: who takes over at once leaves it nothing to practise."""
    robot_minutes: float = 10.0
    """Simulated minutes at 10 Hz, demonstrations included."""
    demos: int = 20
    """Demonstrated episodes before learning starts."""
    seed: int = 0
    updates_per_step: int = 4
    """Gradient steps per control step."""
    batch_size: int = 256
    """Half from demonstrations and interventions, half from all experience."""
    imitation: float = 0.2
    """Weight of doing as the human did beside the critics' values; 0 for plain RLPD."""
    gamma: float = 0.95
    """Discount per control step."""
    learning_rate: float = 3e-4
    annealing: float = 0.5
    """Share of the run, at its end, over which the learning rate of ``hil`` falls linearly, towards a
    twentieth; 0 for never."""
    entropy: float = 0.01
    """Entropy coefficient at the start; it is tuned from there."""
    tau: float = 0.01
    """Share of the critic that the target critic takes over per update."""
    width: int = 128
    """Units in each of the two hidden layers."""
    block_steps: int = 10
    """Control steps that are acted with the same weights, and handed to the learner together."""
    eval_every_steps: int = 600
    """Control steps between evaluations without a human."""
    eval_episodes: int = 20
    final_episodes: int = 100
    """Episodes of the last evaluation."""

    def __post_init__(self) -> None:
        """Refuse runs that cannot be."""
        require_one_of("obs", self.obs, ("state", "pixels"))
        if not 16 <= self.image_size <= 512:
            raise InvalidArgumentError(f"image_size={self.image_size!r} must be from 16 to 512")
        require_one_of("method", self.method, METHODS)
        require_one_of("operator", self.operator, TEACHERS)
        require_one_of("preset", self.preset, PRESETS)
        if not self.robot_minutes > 0:
            raise InvalidArgumentError(f"robot_minutes={self.robot_minutes!r} must be positive")
        for name in (
            "updates_per_step",
            "batch_size",
            "width",
            "block_steps",
            "eval_every_steps",
            "eval_episodes",
            "final_episodes",
        ):
            if getattr(self, name) < 1:
                raise InvalidArgumentError(f"{name}={getattr(self, name)!r} must be at least 1")
        if not 0 <= self.annealing <= 1:
            raise InvalidArgumentError(f"annealing={self.annealing!r} must be from 0 to 1")
        if not self.imitation >= 0:
            raise InvalidArgumentError(f"imitation={self.imitation!r} must be at least 0")
        if self.demos < 0:
            raise InvalidArgumentError(f"demos={self.demos!r} must be at least 0")

    @property
    def total_steps(self) -> int:
        """Control steps of the whole run."""
        return round(self.robot_minutes * STEPS_PER_MINUTE)

    @property
    def pixels(self) -> int:
        """Pixels along a side of what the policy sees; 0 without images."""
        return self.image_size if self.obs == "pixels" else 0

    @property
    def real_time(self) -> bool:
        """Whether a person drives: then steps take as long as they take on a robot, and nothing waits."""
        return self.operator in PEOPLE

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return asdict(self)

    def save(self, path: Path) -> None:
        """Write as JSON."""
        write_atomically(path, json.dumps(self.as_dict(), indent=2).encode() + b"\n")

    @classmethod
    def load(cls, path: Path) -> TrainConfig:
        """Read what `save` wrote.

        Raises:
            InvalidArgumentError: there is no such file, or it is no configuration.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise InvalidArgumentError(f"{path} is no training configuration: {error}") from error
