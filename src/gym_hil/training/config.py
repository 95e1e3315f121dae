"""Everything that a training run depends on, as data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from gym_hil.errors import InvalidArgumentError

STEPS_PER_MINUTE = 600
"""Control steps of a robot minute at 10 Hz."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One run. Same configuration, same result, on the same machine and versions."""

    env_id: str
    """A base id with state observations: ``gym_hil/PandaPickCubeStateBase-v1``."""
    operator: str = "simulated"
    """Who demonstrates and takes over; ``"none"`` for demonstrations without a human afterwards."""
    preset: str = "coach"
    """Limits of the simulated human. A coach lets the policy try for 2 s before judging it: who takes over at
    once leaves it nothing to practise."""
    robot_minutes: float = 10.0
    """Simulated minutes at 10 Hz, demonstrations included."""
    demos: int = 20
    """Demonstrated episodes before learning starts."""
    seed: int = 0
    updates_per_step: int = 4
    """Gradient steps per control step."""
    batch_size: int = 256
    """Half from demonstrations and interventions, half from all experience."""
    gamma: float = 0.95
    """Discount per control step."""
    learning_rate: float = 3e-4
    entropy: float = 0.01
    """Entropy coefficient at the start; it is tuned from there."""
    tau: float = 0.01
    """Share of the critic that the target critic takes over per update."""
    width: int = 128
    """Units in each of the two hidden layers."""
    eval_every_steps: int = 600
    """Control steps between evaluations without a human."""
    eval_episodes: int = 20

    def __post_init__(self) -> None:
        """Refuse runs that cannot be."""
        if not self.robot_minutes > 0:
            raise InvalidArgumentError(f"robot_minutes={self.robot_minutes!r} must be positive")
        for name in ("updates_per_step", "batch_size", "width", "eval_every_steps", "eval_episodes"):
            if getattr(self, name) < 1:
                raise InvalidArgumentError(f"{name}={getattr(self, name)!r} must be at least 1")
        if self.demos < 0:
            raise InvalidArgumentError(f"demos={self.demos!r} must be at least 0")

    @property
    def total_steps(self) -> int:
        """Control steps of the whole run."""
        return round(self.robot_minutes * STEPS_PER_MINUTE)

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> TrainConfig:
        """Read what `save` wrote.

        Raises:
            InvalidArgumentError: there is no such file, or it is no configuration.
        """
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise InvalidArgumentError(f"{path} is no training configuration: {error}") from error
