"""The base class of tasks: scene, initial state, observation, reward, success and failure.

A task is created for a robot, whose workspace determines the positions of its objects. It has no side
effects: it reads a simulation and the initial positions that it has sampled, and changes nothing.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.errors import InvalidArgumentError, suggestion
from gym_hil.core.schema import TerminationReason
from gym_hil.robots.base import EndEffector, Robot
from gym_hil.robots.geometry import Box, common, reaches
from gym_hil.scenes.scene import Scene
from gym_hil.tasks.needs import Needs, fits

if TYPE_CHECKING:
    from gym_hil.simulation.simulation import Simulation

Array = NDArray[np.float64]
Start = Mapping[str, Array]
"""Initial state of every part of a prop: position (3, m, world frame), position and quaternion (7), or a
joint position (1, m or rad). It may also have factors of masses and frictions (1), see `gym_hil.scenes.scene.MASS`."""


@dataclass(frozen=True)
class Intent:
    """The next goal of an expert for an end effector.

    Attributes:
        tcp_pos_w: goal position of the TCP (3, m, world frame).
        opening: 1.0 to open the fingers, 0.0 to close them.
        tcp_quat_w: goal orientation of the TCP (4, w x y z, world frame); None for any. Actions without
            rotations ignore it.
    """

    tcp_pos_w: Array
    opening: float
    tcp_quat_w: Array | None = None


class Pair(NamedTuple):
    """A position in `environment_state` that must reach another one.

    Attributes:
        moved: index of the position to move.
        goal: index of the goal position.
        offset: offset that is added to the goal (3, m, world frame).
        tolerance: largest horizontal and vertical distance from the goal (m).
    """

    moved: int
    goal: int
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tolerance: float = 0.0


class Task(abc.ABC):
    """Base class of tasks.

    Args:
        robot: the robot.

    Attributes:
        name: name of the task in the registry.
        description: instruction for a person or a language-conditioned policy.
        max_episode_steps: time limit in steps.
        observation_size: length of `environment_state`.
        needs: requirements for robots.
        reset_options: names of its options in `reset(options=...)`, except `state`.
        action: action term of its ids, one of `gym_hil.envs.actions.ACTIONS`.
        further_terms: additional observation terms of its ids, names in
            `gym_hil.envs.observations.OBSERVATION_TERMS`, such as ``"tcp_wrench"``.
        pairs: positions of `environment_state` with their goals, in the order of the subtasks.
        subtasks: whether each pair is a subtask; False if several pairs are points of the same object.
        scene: its scene; set in `__init__`.
        workspace: box to which the target of the TCP is limited (world frame); set in `__init__`.

    Raises:
        InvalidArgumentError: the robot does not meet the requirements.
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
    subtasks: ClassVar[bool] = True

    scene: Scene
    workspace: Box

    def __init__(self, robot: Robot) -> None:
        fit = fits(self, robot)
        if not fit:
            raise InvalidArgumentError(f"robot={robot.name!r} cannot do {self.name}: {fit.reason}")
        self.robot = robot

    @abc.abstractmethod
    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Sample an initial state.

        Args:
            rng: the only source of randomness, so that the same seed gives the same state.
            randomise: whether positions are random or fixed.
            options: the task's reset options.

        Returns:
            The initial state of every part of the scene's props.
        """

    @abc.abstractmethod
    def observe(self, sim: Simulation) -> Array:
        """Return `environment_state` (m, world frame) as a new array.

        Args:
            sim: the simulation.
        """

    @abc.abstractmethod
    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return the terms of the dense reward as ``{name: (weight, value)}``. Weights sum to 1, and values
        are in [0, 1].

        Args:
            sim: the simulation.
            start: the initial state of the episode.
        """

    @abc.abstractmethod
    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether the task is done. This is the only definition of success.

        Args:
            sim: the simulation.
            start: the initial state of the episode.
        """

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Return the next goal of an expert for a robot with one end effector. It depends on the current
        state only, so that the expert recovers from any state.

        Args:
            sim: the simulation.
            start: the initial state of the episode.
        """
        raise NotImplementedError(f"{self.name} has no expert")

    def intents(self, sim: Simulation, start: Start) -> tuple[Intent, ...]:
        """Return the next goals of an expert for every end effector, in the robot's order.

        Args:
            sim: the simulation.
            start: the initial state of the episode.
        """
        return (self.intent(sim, start),)

    def workspace_for(self, effector: EndEffector) -> Box:
        """Return the box to which the TCP of an end effector is limited (world frame).

        Args:
            effector: one of the robot's end effectors.
        """
        return self.workspace if effector.reach is None else common(self.workspace, effector.reach)

    def dense_reward(self, sim: Simulation, start: Start) -> float:
        """Return the weighted sum of `reward_terms`, in [0, 1].

        Args:
            sim: the simulation.
            start: the initial state of the episode.
        """
        return float(sum(weight * value for weight, value in self.reward_terms(sim, start).values()))

    def failure(self, sim: Simulation) -> TerminationReason | None:
        """Return the reason why the episode cannot succeed any more, or None.

        Args:
            sim: the simulation.
        """
        for prop in self.scene.props:
            if not reaches(self.workspace, sim.body_coordinates(prop.name), REACH_MARGIN):
                return TerminationReason.OUT_OF_REACH
        return None

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Require that the task knows all options.

        Args:
            options: the reset options, without `state`.

        Raises:
            InvalidArgumentError: an option is unknown.
        """
        for key in options:
            if key not in self.reset_options:
                hint = suggestion(key, ("state", *self.reset_options))
                raise InvalidArgumentError(f"reset option {key!r} is not known{hint}")


REACH_MARGIN = 0.04
"""Distance beyond the workspace at which the fingers still reach a cube (m): half the Franka Hand's aperture."""


def finite_array(name: str, value: Any, shape: tuple[int, ...]) -> Array:
    """Validate an array of finite numbers.

    Args:
        name: name of the argument.
        value: its value.
        shape: the required shape.

    Returns:
        The array as float64.

    Raises:
        InvalidArgumentError: the value has another shape, or does not consist of finite numbers.
    """
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidArgumentError(f"{name}={value!r} must be numbers of shape {shape}") from None
    if array.shape != shape or not np.isfinite(array).all():
        raise InvalidArgumentError(f"{name}={value!r} must be finite numbers of shape {shape}")
    return array
