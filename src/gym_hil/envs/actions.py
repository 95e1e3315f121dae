"""Action terms, which define the meaning of the numbers of an action for one end effector.

An action term defines a space, converts an action to a motion of its end effector, and converts a person's command or
the goal of a task's expert to an action. `gym_hil.envs.robot_actions` combines the terms of all end effectors.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from math import isfinite
from operator import le, mul
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.core.arguments import require_mapping, require_number
from gym_hil.core.command import Command
from gym_hil.core.errors import InvalidActionError, InvalidArgumentError, require_one_of
from gym_hil.core.schema import GripperCommand
from gym_hil.core.step_record import Action
from gym_hil.robots.geometry import Box

if TYPE_CHECKING:
    from gym_hil.simulation.end_effector import SimulatedEndEffector
    from gym_hil.simulation.simulation import Simulation

MAX_TRANSLATION = 0.1
"""Largest displacement of the target per action and axis (m), 1 m/s at 10 Hz."""
MAX_ROTATION = 0.5
"""Largest rotation of the target per action about an axis (rad)."""
STILL = np.zeros(3)
STEP_RAD = 0.1
"""Rotation per unit of action (rad)."""
ROTATIONS = {"xyz": (), "xyz+yaw": ("rz",), "xyz+rotation": ("rx", "ry", "rz")}
"""Rotations about world axes in the actions of `EndEffectorStep`, by the name of the term."""
DEFAULT_EE_STEP_SIZE: Mapping[str, float] = {"x": 0.025, "y": 0.025, "z": 0.025}
"""Distance per unit of action along each axis (m)."""
Array = NDArray[np.float64]
Numbers = Action | list[float]
"""The numbers of an action, as an array or a list."""
Bounds = tuple[list[float], list[float]]
"""Lower and upper bounds of the entries of an action."""
Motion = tuple[list[float], list[float], float]
"""Translation (3, m) and rotation vector (3, rad) in world axes, and the gripper: values below -0.5 close it,
values above +0.5 open it, and others keep the last command."""


def clipped(action: Any, bounds: Bounds) -> Action:
    """Return an action, clipped to bounds, as a new array. For so few numbers, plain Python is faster than
    NumPy.

    Args:
        action: an array or a sequence of numbers.
        bounds: lower and upper bounds.

    Raises:
        InvalidActionError: the action has the wrong shape, or a value that is not a finite number.
    """
    low, high = bounds
    is_array = isinstance(action, np.ndarray)
    try:
        values = action.tolist() if is_array else list(action)
        if len(values) == len(low):
            if all(map(le, low, values)) and all(map(le, values, high)):
                return np.array(action if is_array else values, np.float32)
            if all(map(isfinite, values)):
                return np.array(list(map(min, map(max, values, low), high)), np.float32)
    except (TypeError, ValueError, OverflowError):
        pass
    raise InvalidActionError(_problem(action, len(low)))


def _problem(action: Any, size: int) -> str:
    try:
        array = np.asarray(action, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return f"action {action!r} does not consist of numbers"
    if array.shape != (size,):
        return f"action has shape {array.shape}, but this environment expects ({size},)"
    return f"action {array.tolist()} has values that are not finite"


def within_step(rotation: Array) -> Array:
    """Return the part of a rotation vector (3, rad) that one step executes, about the same axis."""
    return rotation * min(1.0, STEP_RAD / max(float(np.linalg.norm(rotation)), STEP_RAD))


class ActionTerm(abc.ABC):
    """Defines the meaning of the numbers of an action for one end effector.

    Attributes:
        name: name of the term.
        bounds: lower and upper bounds of the entries.
        motion_size: number of entries that are motion; the others command the gripper.
        scale: distance by which a command at full speed moves the end effector along x, y and z (3, m).
        control: whether the simulation controls the TCP or the joints.
    """

    name: str
    scale: NDArray[np.float64]
    control: Literal["cartesian", "joint"] = "cartesian"

    def bind(self, simulation: Simulation, index: int) -> None:
        """Let the term command the end effector with this index in `simulation`.

        Args:
            simulation: the simulation.
            index: index of the end effector, in the robot's order.
        """
        self._simulation, self._index = simulation, index

    @property
    def _end_effector(self) -> SimulatedEndEffector:
        return self._simulation.end_effectors[self._index]

    def apply(self, values: list[float], limits: Box) -> None:
        """Command the end effector.

        Args:
            values: numbers of an action within the bounds.
            limits: box to which the target of the TCP is limited (world frame).
        """
        translation, rotation, gripper = self.motion(values)
        end_effector = self._end_effector
        if abs(gripper) > 0.5:
            end_effector.command_gripper(1.0 if gripper > 0 else 0.0)
        end_effector.move(translation, rotation, limits)

    def switches(self, values: list[float]) -> bool:
        """Return whether an action reverses the last gripper command.

        Args:
            values: numbers of an action within the bounds.
        """
        closes = self.closes(values)
        return closes is not None and closes != self._end_effector.gripper_closing

    bounds: Bounds
    motion_size: int

    @property
    def space(self) -> spaces.Box:
        """The action space."""
        return spaces.Box(*np.array(self.bounds, np.float32))

    @property
    def motion_scale(self) -> NDArray[np.float32]:
        """Difference between the motion entries at full speed and those of the neutral action."""
        return np.array(self.bounds[1][: self.motion_size], np.float32)

    def clip(self, action: Any) -> Action:
        """Return an action as float32, clipped to the space.

        Args:
            action: an array or a sequence of numbers.

        Raises:
            InvalidActionError: the action has the wrong shape, or a value that is not a finite number.
        """
        return clipped(action, self.bounds)

    @abc.abstractmethod
    def neutral(self) -> Action:
        """Return the action that causes no motion and keeps the gripper as it is."""

    @abc.abstractmethod
    def motion(self, values: list[float]) -> Motion:
        """Return the motion for the numbers of an action.

        Args:
            values: numbers of an action within the bounds.
        """

    @abc.abstractmethod
    def command(self, command: Command) -> Action:
        """Return the action that executes a person's command.

        Args:
            command: twist with entries in [-1, 1], and gripper command.
        """

    @abc.abstractmethod
    def towards(self, translation: Array, gripper: GripperCommand, rotation: Array = STILL) -> Action:
        """Return the action that moves the end effector towards a goal, as far as possible in one step.

        Args:
            translation: displacement to the goal (3, m, world axes).
            gripper: the gripper command.
            rotation: rotation vector to the goal (3, rad, world axes), which terms without rotations ignore.
        """

    @abc.abstractmethod
    def closes(self, action: Numbers) -> bool | None:
        """Return whether an action closes the gripper, or None if it keeps the gripper as it is.

        Args:
            action: numbers of an action within the bounds.
        """


class RawTwist(ActionTerm):
    """Displacement dx, dy, dz (m) and rotation vector drx, dry, drz (rad) in world axes, and the gripper:
    values below -0.5 close it, values above +0.5 open it, and others keep the last command.
    """

    name = "twist"
    motion_size = 6
    _limits = [MAX_TRANSLATION] * 3 + [MAX_ROTATION] * 3 + [1.0]
    bounds = [-limit for limit in _limits], _limits
    step_m = DEFAULT_EE_STEP_SIZE["x"]
    """Distance by which a command at full speed moves the end effector (m)."""
    scale = np.full(3, step_m)
    step_rad = STEP_RAD
    """Angle by which a command at full speed rotates the end effector (rad)."""

    def neutral(self) -> Action:
        """Return zeros."""
        return np.zeros(7, np.float32)

    def motion(self, values: list[float]) -> Motion:
        """Return the numbers unchanged."""
        return values[:3], values[3:6], values[6]

    def command(self, command: Command) -> Action:
        """Scale the command to metres and radians."""
        x, y, z, rx, ry, rz = command.twist
        metres = [level * self.step_m for level in (x, y, z)]
        radians = [level * self.step_rad for level in (rx, ry, rz)]
        return self.clip([*metres, *radians, float(command.gripper) - GripperCommand.STAY])

    def towards(self, translation: Array, gripper: GripperCommand, rotation: Array = STILL) -> Action:
        """Return the action that moves by at most `step_m` along each axis, and rotates by at most `step_rad`."""
        metres = np.clip(translation, -self.step_m, self.step_m)
        radians = within_step(rotation)
        return self.clip([*metres, *radians, float(gripper) - GripperCommand.STAY])

    def closes(self, action: Numbers) -> bool | None:
        """Return whether the last entry closes the gripper; None if it keeps the gripper as it is."""
        gripper = float(action[6])
        return gripper < 0 if abs(gripper) > 0.5 else None


class EndEffectorStep(ActionTerm):
    """Displacement dx, dy, dz in units of a step size, rotations in units of `STEP_RAD`, and the gripper with
    LeRobot's numbers: 0 closes, 1 stays, 2 opens.

    Without a gripper entry, the gripper keeps its last command.

    Args:
        step_size: distance per unit of action along x, y and z (m).
        use_gripper: whether the action has a gripper entry.
        name: a key of `ROTATIONS`, which determines the rotations of the action.

    Raises:
        InvalidArgumentError: an argument is invalid.
    """

    def __init__(
        self,
        step_size: Mapping[str, float] | None = None,
        *,
        use_gripper: bool = True,
        name: str = "xyz",
    ) -> None:
        require_one_of("action", name, ROTATIONS)
        self.name = name
        self._turns = [axis in ROTATIONS[name] for axis in ("rx", "ry", "rz")]
        self.motion_size = 3 + sum(self._turns)
        given = DEFAULT_EE_STEP_SIZE if step_size is None else step_size
        sizes = dict(require_mapping("ee_step_size", given, f"{dict(DEFAULT_EE_STEP_SIZE)} (m)"))
        if set(sizes) != {"x", "y", "z"}:
            keys = sorted(sizes, key=str)
            raise InvalidArgumentError(
                f"ee_step_size has the keys {keys}; it must have the keys x, y and z (m)"
            )
        for axis, size in sizes.items():
            require_number(f"ee_step_size[{axis!r}]", size, above=0, at_most=MAX_TRANSLATION, unit="metres")
        self._metres = [float(sizes[axis]) for axis in "xyz"]
        self.scale = np.array(self._metres)
        self.use_gripper = bool(use_gripper)
        fingers = int(self.use_gripper)
        count = self.motion_size
        self.bounds = [-1.0] * count + [0.0] * fingers, [1.0] * count + [2.0] * fingers
        self._neutral = self._action(STILL, STILL, GripperCommand.STAY)

    def neutral(self) -> Action:
        """Return no motion, and the command to keep the gripper."""
        return self._neutral.copy()

    def motion(self, values: list[float]) -> Motion:
        """Scale the entries to metres and radians."""
        metres = list(map(mul, values, self._metres))
        rotation = [0.0, 0.0, 0.0]
        if self.motion_size > 3:
            radians = iter(values[3:])
            rotation = [next(radians) * STEP_RAD if turn else 0.0 for turn in self._turns]
        return metres, rotation, values[-1] - GripperCommand.STAY if self.use_gripper else 0.0

    def command(self, command: Command) -> Action:
        """Convert the command's translation, and those of its rotations that the term includes."""
        return self._action(command.twist[:3], command.twist[3:], command.gripper)

    def towards(self, translation: Array, gripper: GripperCommand, rotation: Array = STILL) -> Action:
        """Return the action that moves as far as possible along each axis, and rotates about the axes of the term."""
        return self._action(translation / self.scale, within_step(rotation) / STEP_RAD, gripper)

    def closes(self, action: Numbers) -> bool | None:
        """Return whether the gripper entry closes the gripper; None if it keeps the gripper as it is, or is missing."""
        if not self.use_gripper:
            return None
        gripper = float(action[-1]) - GripperCommand.STAY
        return gripper < 0 if abs(gripper) > 0.5 else None

    def _action(self, metres: Any, turns: Any, gripper: GripperCommand) -> Action:
        rotations = [level for level, turn in zip(turns, self._turns, strict=True) if turn]
        return self.clip([*metres, *rotations, float(gripper)][: len(self.bounds[0])])


ACTIONS = ("twist", *ROTATIONS, "joints")
"""Names of all action terms."""
