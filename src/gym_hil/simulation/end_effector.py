"""One end effector in a simulation: its measurements and commands."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import mujoco
import numpy as np

from gym_hil.robots.base import EndEffector
from gym_hil.robots.geometry import Box
from gym_hil.simulation.cartesian_control import ANYWHERE, Array, CartesianControl, Vector
from gym_hil.simulation.few_numbers import reader
from gym_hil.simulation.joint_control import JointControl


class AtTcp:
    """What is measured and commanded at a TCP, for classes with the attribute `_simulated`."""

    _simulated: Any
    gripper_closing = property(attrgetter("_simulated.gripper_closing"))
    """Whether the last command closed the gripper."""
    tcp_pos_w = property(attrgetter("_simulated.tcp_pos_w"))
    """Measured TCP position (3, m, world frame), a new array."""
    target_pos_w = property(attrgetter("_simulated.target_pos_w"))
    """Commanded TCP position (3, m, world frame), a new array."""


class SimulatedEndEffector:
    """An end effector in a simulation. All returned arrays are new.

    Args:
        model: the compiled model.
        data: its state.
        spec: description of the end effector.
        control_dt: control period (s).
        control: ``"cartesian"`` or ``"joint"``, as in the composition of the model.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        spec: EndEffector,
        control_dt: float,
        control: str = "cartesian",
    ) -> None:
        self.spec = spec
        self.control: CartesianControl | JointControl = (
            CartesianControl if control == "cartesian" else JointControl
        )(model, data, spec, control_dt)
        tcp = int(model.site(spec.tcp_site).id)
        self._tcp_pos, self._tcp_axes = data.site_xpos[tcp], data.site_xmat[tcp]
        joints = [model.joint(name) for name in spec.joints]
        self._read_joint_pos = reader(data.qpos, [int(joint.qposadr[0]) for joint in joints])
        self._read_joint_vel = reader(data.qvel, [int(joint.dofadr[0]) for joint in joints])
        finger = int(model.joint(spec.finger_joints[0]).qposadr[0])
        self._finger_pos = data.qpos[finger : finger + 1]
        actuator = int(model.actuator(spec.finger_actuator).id)
        self._finger_command = data.ctrl[actuator : actuator + 1]

    @property
    def tcp_pos_w(self) -> Array:
        """Measured TCP position (3, m, world frame)."""
        return self._tcp_pos.copy()

    @property
    def tcp_coordinates(self) -> list[float]:
        """The numbers of `tcp_pos_w`, which are faster to read than an array."""
        return self._tcp_pos.tolist()

    @property
    def tcp_quat_w(self) -> Array:
        """Measured TCP orientation (4, w x y z, world frame)."""
        quat = np.empty(4)
        mujoco.mju_mat2Quat(quat, self._tcp_axes)
        return quat

    @property
    def target_pos_w(self) -> Array:
        """Commanded TCP position (3, m, world frame)."""
        return self.control.target_pos_w

    @property
    def target_quat_w(self) -> Array:
        """Commanded TCP orientation (4, w x y z, world frame)."""
        return self.control.target_quat_w

    @property
    def joint_pos(self) -> Sequence[float]:
        """Arm joint positions (rad)."""
        return self._read_joint_pos()

    @property
    def joint_vel(self) -> Sequence[float]:
        """Arm joint velocities (rad/s)."""
        return self._read_joint_vel()

    @property
    def closure(self) -> float:
        """Measured closure of the gripper: 0 fully open, 1 closed."""
        hand = self.spec.hand
        travel = self._finger_pos.item() - hand.open_position
        closure = travel / (hand.closed_position - hand.open_position)
        if 0.0 < closure < 1.0:
            return closure
        return 1.0 if closure >= 1.0 else 0.0

    @property
    def aperture(self) -> float:
        """Distance between the fingers (m)."""
        hand = self.spec.hand
        if hand.aperture_at is not None:
            return hand.aperture_at(self._finger_pos.item())
        return (1.0 - self.closure) * hand.max_aperture

    def grasp_offset(self, half_width: float | None = None) -> Array:
        """Return the position of the TCP relative to the middle of an object that both jaws touch (3, m,
        world axes).

        Args:
            half_width: half of the object's width (m); None for an object as wide as the open jaws.
        """
        hand = self.spec.hand
        if hand.fixed_jaw is None:
            return np.zeros(3)
        half = hand.max_aperture / 2 if half_width is None else half_width
        return (hand.fixed_jaw - half) * self._tcp_axes.reshape(3, 3)[:, 0]

    @property
    def gripper_closing(self) -> bool:
        """Whether the last command closed the gripper."""
        hand = self.spec.hand
        command = self._finger_command.item()
        return abs(command - hand.closed_position) < abs(command - hand.open_position)

    def command_gripper(self, opening: float) -> None:
        """Move the fingers to `opening`, 0 closed to 1 open, until the next command."""
        hand = self.spec.hand
        self._finger_command[0] = hand.closed_position + opening * (hand.open_position - hand.closed_position)

    def command_fingers(self, position: float) -> None:
        """Move the first finger joint to `position` (m or rad), within its range."""
        low, high = self.spec.hand.finger_range
        self._finger_command[0] = min(max(position, low), high)

    @property
    def commanded_fingers(self) -> float:
        """Commanded position of the first finger joint (m or rad)."""
        return self._finger_command.item()

    def assume_at_target(self) -> None:
        """Set the measured TCP position to the commanded one, until the next physics step or `mj_kinematics`."""
        self._tcp_pos[:] = self.control.target_pos_w

    def move(self, translation: Vector, rotation: Vector, limits: Box = ANYWHERE) -> None:
        """Move the target during the control period of the next `Simulation.step`.

        Args:
            translation: displacement of the target (3, m, world axes).
            rotation: rotation vector of the target (3, rad, world axes).
            limits: box to which the target is limited (world frame). A target outside can only move towards
                it.
        """
        self.control.command(translation, rotation, limits)
