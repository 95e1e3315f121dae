"""What a task is: a scene, a way to start, what is observed, what is rewarded, when it ends.

A task is pure: it reads a simulation and the start it drew itself, and changes nothing.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.errors import InvalidArgumentError, did_you_mean
from gym_hil.core.schema import TerminationReason
from gym_hil.simulation.scene import Scene
from gym_hil.simulation.simulation import Simulation

Array = NDArray[np.float64]
Start = Mapping[str, Array]
"""Where every prop and socket starts: position (3, m, world frame), or position and quaternion (7)."""


@dataclass(frozen=True)
class Workspace:
    """Box that the TCP's target is kept in (m, world frame)."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]

    def within_reach(self, pos: Array) -> bool:
        """Return whether the fingers still get hold of what is at `pos` (3, m), whatever its height."""
        x, y, _ = pos.tolist()
        (low_x, low_y, _), (high_x, high_y, _), margin = self.low, self.high, REACH_MARGIN
        return low_x - margin <= x <= high_x + margin and low_y - margin <= y <= high_y + margin


@dataclass(frozen=True)
class Intent:
    """Where an expert wants the TCP (3, m, world frame) and whether the fingers should be open."""

    tcp_pos_w: Array
    opening: float


class Task(abc.ABC):
    """One thing to do with the robot."""

    name: ClassVar[str]
    description: ClassVar[str]
    max_episode_steps: ClassVar[int]
    scene: ClassVar[Scene]
    workspace: ClassVar[Workspace]
    reset_options: ClassVar[tuple[str, ...]]
    """Names that `reset(options=...)` understands, `state` aside."""
    pairs: ClassVar[tuple[tuple[int, int], ...]] = ()
    """Which position of `environment_state` (by number) has to come to which other one."""

    @abc.abstractmethod
    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Draw a start; the same generator state gives the same start."""

    @abc.abstractmethod
    def observe(self, sim: Simulation) -> Array:
        """Return `environment_state` (m, world frame)."""

    @property
    @abc.abstractmethod
    def observation_size(self) -> int:
        """Length of `environment_state`."""

    @abc.abstractmethod
    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return ``{name: (weight, value)}`` of the dense reward: weights sum to 1, values lie in [0, 1]."""

    @abc.abstractmethod
    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether the task is done. The only success rule there is."""

    @abc.abstractmethod
    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Return what an expert does from here. It keeps no memory, so it recovers from any state."""

    def dense_reward(self, sim: Simulation, start: Start) -> float:
        """Return the weighted sum of `reward_terms`, in [0, 1]."""
        return float(sum(weight * value for weight, value in self.reward_terms(sim, start).values()))

    def failure(self, sim: Simulation) -> TerminationReason | None:
        """Return why the episode cannot succeed any more, or None."""
        for prop in self.scene.props:
            if not self.workspace.within_reach(sim.body_pos_w(prop.name)):
                return TerminationReason.OUT_OF_REACH
        return None

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raise `InvalidArgumentError` for an option that this task does not know."""
        for key in options:
            if key not in self.reset_options:
                hint = did_you_mean(key, ("state", *self.reset_options))
                raise InvalidArgumentError(f"reset option {key!r} is not known{hint}")


REACH_MARGIN = 0.04
"""How far beyond the workspace the fingers still get hold of a cube (m): half the hand's aperture."""


def finite_array(name: str, value: Any, shape: tuple[int, ...]) -> Array:
    """Return `value` as floats of `shape`, or raise `InvalidArgumentError`."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidArgumentError(f"{name}={value!r} must be numbers of shape {shape}") from None
    if array.shape != shape or not np.isfinite(array).all():
        raise InvalidArgumentError(f"{name}={value!r} must be finite numbers of shape {shape}")
    return array
