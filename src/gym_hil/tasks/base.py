"""What a task is: a scene, a way to start, what is observed, what is rewarded, when it ends.

A task is made for a robot, which it asks where to put its objects. It is pure: it reads a simulation and the
start that it drew itself, and changes nothing.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.errors import InvalidArgumentError, did_you_mean
from gym_hil.core.schema import TerminationReason
from gym_hil.robots.base import EndEffector, Robot
from gym_hil.robots.geometry import Box, common, reaches
from gym_hil.scenes.scene import Scene
from gym_hil.tasks.needs import Needs, fits

if TYPE_CHECKING:
    from gym_hil.simulation.simulation import Simulation

Array = NDArray[np.float64]
Start = Mapping[str, Array]
"""Where every part of a prop starts: position (3, m, world frame), position and quaternion (7), or a joint's
position (1, m or rad)."""


@dataclass(frozen=True)
class Intent:
    """What an expert wants an end effector to do next.

    Attributes:
        tcp_pos_w: where it wants the TCP (3, m, world frame).
        opening: 1.0 for open fingers, 0.0 for closed ones.
        tcp_quat_w: how it wants the TCP turned (4, w x y z, world frame); None for any way. Actions without
            rotations leave it out.
    """

    tcp_pos_w: Array
    opening: float
    tcp_quat_w: Array | None = None


class Pair(NamedTuple):
    """A position of `environment_state` that has to come to another one.

    Attributes:
        moved: number of the position to move.
        goal: number of the position that it has to come to.
        offset: added to the goal (3, m, world frame).
        tolerance: largest horizontal and vertical distance that counts as reached (m).
    """

    moved: int
    goal: int
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tolerance: float = 0.0


class Task(abc.ABC):
    """One thing to do with a robot.

    Args:
        robot: what will do it.

    Attributes:
        name: what users call it, and the key under which it is registered.
        description: what is to be done, as one says it to a person or to a language-conditioned policy.
        max_episode_steps: the time limit of its ids (steps).
        observation_size: length of `environment_state`.
        needs: what it asks of a robot.
        reset_options: names that `reset(options=...)` understands, `state` aside.
        action: what an action means in its ids, as `gym_hil.envs.actions.ACTIONS` names it.
        further_terms: what its ids observe besides, as `gym_hil.envs.observations.OBSERVATION_TERMS` names it, such as
            ``"tcp_wrench"`` where contact decides.
        pairs: which positions of `environment_state` have to come to which other ones, in the order in
            which to do it.
        scene: what it puts on the table; set in `__init__`.
        workspace: box that the TCP's target is kept in (world frame); set in `__init__`.

    Raises:
        InvalidArgumentError: the robot cannot do it; the message says why.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    max_episode_steps: ClassVar[int]
    observation_size: ClassVar[int]
    needs: ClassVar[Needs]
    reset_options: ClassVar[tuple[str, ...]] = ()
    action: ClassVar[str] = "xyz"
    further_terms: ClassVar[tuple[str, ...]] = ()
    pairs: tuple[Pair, ...] = ()

    scene: Scene
    workspace: Box

    def __init__(self, robot: Robot) -> None:
        fit = fits(self, robot)
        if not fit:
            raise InvalidArgumentError(f"robot={robot.name!r} cannot do {self.name}: {fit.reason}")
        self.robot = robot

    @abc.abstractmethod
    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Draw a start; the same generator state gives the same start."""

    @abc.abstractmethod
    def observe(self, sim: Simulation) -> Array:
        """Return `environment_state` (m, world frame), a fresh array."""

    @abc.abstractmethod
    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return ``{name: (weight, value)}`` of the dense reward: weights sum to 1, values lie in [0, 1]."""

    @abc.abstractmethod
    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether the task is done. The only success rule there is."""

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Return what an expert does from here with a robot of one end effector. It keeps no memory, so it recovers
        from any state.
        """
        raise NotImplementedError(f"{self.name} has no expert")

    def intents(self, sim: Simulation, start: Start) -> tuple[Intent, ...]:
        """Return what an expert does from here with every end effector, in the robot's order."""
        return (self.intent(sim, start),)

    def workspace_of(self, effector: EndEffector) -> Box:
        """Return the box that the TCP of an end effector is kept in (world frame)."""
        return self.workspace if effector.reach is None else common(self.workspace, effector.reach)

    def dense_reward(self, sim: Simulation, start: Start) -> float:
        """Return the weighted sum of `reward_terms`, in [0, 1]."""
        return float(sum(weight * value for weight, value in self.reward_terms(sim, start).values()))

    def failure(self, sim: Simulation) -> TerminationReason | None:
        """Return why the episode cannot succeed any more, or None."""
        for prop in self.scene.props:
            if not reaches(self.workspace, sim.body_pos_w(prop.name).tolist(), REACH_MARGIN):
                return TerminationReason.OUT_OF_REACH
        return None

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raise `InvalidArgumentError` for an option that this task does not know."""
        for key in options:
            if key not in self.reset_options:
                hint = did_you_mean(key, ("state", *self.reset_options))
                raise InvalidArgumentError(f"reset option {key!r} is not known{hint}")


REACH_MARGIN = 0.04
"""How far beyond the workspace the fingers still get hold of a cube (m): half the Franka Hand's aperture."""


def finite_array(name: str, value: Any, shape: tuple[int, ...]) -> Array:
    """Return `value` as floats of `shape`, or raise `InvalidArgumentError`."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidArgumentError(f"{name}={value!r} must be numbers of shape {shape}") from None
    if array.shape != shape or not np.isfinite(array).all():
        raise InvalidArgumentError(f"{name}={value!r} must be finite numbers of shape {shape}")
    return array
