"""Actions that are joint positions of an arm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.command import Command
from gym_hil.core.schema import GripperCommand
from gym_hil.core.step_record import Action
from gym_hil.envs.actions import (
    DEFAULT_EE_STEP_SIZE,
    STEP_RAD,
    STILL,
    ActionTerm,
    Array,
    Motion,
    Numbers,
    within_step,
)
from gym_hil.robots.base import EndEffector
from gym_hil.robots.geometry import Box

if TYPE_CHECKING:
    from gym_hil.simulation.joint_control import JointControl


class JointPositions(ActionTerm):
    """Joint positions (degrees) and the opening of the gripper (0 to 100), as in LeRobot's SO-101.

    Args:
        effector: the end effector.
        use_gripper: whether the action has a gripper entry.
    """

    name = "joints"
    control = "joint"
    scale = np.full(3, DEFAULT_EE_STEP_SIZE["x"])
    """Distance by which a command at full speed moves the TCP (3, m)."""
    _FULLY_OPEN = 100.0
    _FULL_SPEED = 8.0  # degrees per step
    _NEW_COMMAND = 2.0
    """Smallest difference of a gripper entry from the commanded opening that counts as a new command."""

    def __init__(self, effector: EndEffector, *, use_gripper: bool = True) -> None:
        low, high = (np.degrees(limits).tolist() for limits in zip(*effector.arm.joint_ranges, strict=True))
        self.use_gripper = bool(use_gripper)
        self.motion_size = len(low)
        fingers = int(self.use_gripper)
        self.bounds = low + [0.0] * fingers, high + [self._FULLY_OPEN] * fingers
        self._hand = hand = effector.hand
        near, far = hand.finger_range
        opens_upwards = hand.open_position > hand.closed_position
        self._closed_position, self._open_position = (near, far) if opens_upwards else (far, near)
        self._executed: list[float] = []
        """Numbers of the last executed action, which is the neutral one as long as nothing else commands the arm."""
        self._joints: list[float] = []
        """Joint positions that it commanded (rad)."""
        self._fingers = 0.0
        """Position of the first finger joint that it commanded."""

    @property
    def motion_scale(self) -> NDArray[np.float32]:
        """Rotation per step at full speed (degrees)."""
        return np.full(self.motion_size, self._FULL_SPEED, np.float32)

    @property
    def _control(self) -> JointControl:
        return self._end_effector.control  # type: ignore[return-value]

    def neutral(self) -> Action:
        """Return the commanded joint positions and opening."""
        joints, fingers = self._control.target_joint_coordinates, self._end_effector.commanded_fingers
        if joints == self._joints and fingers == self._fingers:
            return np.array(self._executed, np.float32)
        return self._action(joints, GripperCommand.STAY)

    def motion(self, values: list[float]) -> Motion:
        """Return the displacement of the TCP by the joints, to first order and without its rotation."""
        positions = np.radians(values[: self.motion_size])
        closes = self.closes(values)
        fingers = 0.0 if closes is None else (-1.0 if closes else 1.0)
        return self._control.translation_towards(positions).tolist(), [0.0, 0.0, 0.0], fingers

    def apply(self, values: list[float], limits: Box) -> None:
        """Command joints and fingers. The box does not limit joint positions."""
        self._joints = self._control.command_joints(list(map(math.radians, values[: self.motion_size])))
        if self.use_gripper:
            fraction = values[-1] / self._FULLY_OPEN
            self._end_effector.command_fingers(
                self._closed_position + fraction * (self._open_position - self._closed_position)
            )
        self._fingers, self._executed = self._end_effector.commanded_fingers, values

    def command(self, command: Command) -> Action:
        """Convert a command's twist to joint positions by inverse kinematics."""
        translation = np.array(command.twist[:3]) * self.scale
        rotation = np.array(command.twist[3:]) * STEP_RAD
        return self._action(self._control.joints_towards(translation, rotation).tolist(), command.gripper)

    def towards(self, translation: Array, gripper: GripperCommand, rotation: Array = STILL) -> Action:
        """Return the action that moves by at most one step along each axis. Without a rotation, it keeps the pitch of
        the home configuration.
        """
        homes, scene = self._end_effector.spec.arm.homes, self._simulation.scene
        home = None if np.any(rotation) else homes[scene.home]
        clipped = np.clip(translation, -self.scale, self.scale)
        turn = within_step(rotation)
        return self._action(self._control.joints_towards(clipped, turn, home).tolist(), gripper)

    def closes(self, action: Numbers) -> bool | None:
        """Return whether the gripper entry closes the fingers; None if it keeps the commanded opening."""
        if not self.use_gripper:
            return None
        change = float(action[-1]) - self._opening(self._end_effector.commanded_fingers)
        return change < 0 if abs(change) > self._NEW_COMMAND else None

    def _opening(self, position: float) -> float:
        return (
            self._FULLY_OPEN
            * (position - self._closed_position)
            / (self._open_position - self._closed_position)
        )

    def _action(self, positions: Sequence[float], gripper: GripperCommand) -> Action:
        hand, fingers = self._hand, self._end_effector.commanded_fingers
        if gripper is not GripperCommand.STAY:
            fingers = hand.open_position if gripper is GripperCommand.OPEN else hand.closed_position
        entries = [*map(math.degrees, positions), self._opening(fingers)]
        return self.clip(entries[: len(self.bounds[0])])
