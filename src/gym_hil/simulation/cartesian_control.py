"""Cartesian impedance control of a TCP, inside the engine.

Six actuators measure the TCP against a mocap body, the target: three along its axes, three about them. Each
integrates its control into an activation, so a velocity command makes the set-point glide while `mj_step`
runs. Python commands once per control period: it keeps the target near the measured TCP, hands the engine a
velocity, and moves the target to where the set-point has arrived.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul

import mujoco
import numpy as np
from numpy.typing import NDArray

from gym_hil.robots.base import EndEffector
from gym_hil.robots.geometry import Box

Array = NDArray[np.float64]
Vector = Sequence[float] | Array

TARGET = "target"
"""Name of the mocap body, and of its site, that a TCP is held at, after the end effector's prefix."""
SERVO_NAMES = ("servo_x", "servo_y", "servo_z", "servo_rx", "servo_ry", "servo_rz")
POSTURE = "posture"
BRAKE_S = 0.04
"""How far the set-point of a moving TCP is put behind its target when that is anchored, in seconds of its
motion; chosen so that the TCP overshoots least."""
ANYWHERE = Box((-math.inf,) * 3, (math.inf,) * 3)
STILL = (0.0, 0.0, 0.0)


def add_cartesian_control(spec: mujoco.MjSpec, effector: EndEffector, home: str) -> None:
    """Add target and actuators of `effector`, whose posture is that of its home for the purpose `home`."""
    target = spec.worldbody.add_body(name=effector.prefix + TARGET, mocap=True)
    target.add_site(name=effector.prefix + TARGET, group=4)
    impedance = effector.impedance
    for axis, name in enumerate(SERVO_NAMES):
        turns = axis >= 3
        stiffness = impedance.rotation_stiffness if turns else impedance.translation_stiffness
        damping = impedance.rotation_damping if turns else impedance.translation_damping
        limit = impedance.torque_limit if turns else impedance.force_limit
        servo = spec.add_actuator(
            name=effector.prefix + name,
            trntype=mujoco.mjtTrn.mjTRN_SITE,
            target=effector.tcp_site,
            refsite=effector.prefix + TARGET,
            gear=[float(i == axis) for i in range(6)],
            forcerange=(-limit, limit),
        )
        servo.dyntype = mujoco.mjtDyn.mjDYN_INTEGRATOR
        servo.gaintype = mujoco.mjtGain.mjGAIN_FIXED
        servo.biastype = mujoco.mjtBias.mjBIAS_AFFINE
        servo.gainprm = [stiffness, *[0.0] * 9]
        servo.biasprm = [0.0, -stiffness, -damping, *[0.0] * 7]
    if effector.posture is not None:
        _add_posture(spec, effector, home)
    for joint, limit in zip(effector.joints, effector.arm.torque_limits, strict=True):
        arm_joint = spec.joint(joint)
        arm_joint.actfrcrange = (-limit, limit)
        arm_joint.actfrclimited = True


def _add_posture(spec: mujoco.MjSpec, effector: EndEffector, home: str) -> None:
    assert effector.posture is not None
    joint = effector.posture.joint
    angle = effector.arm.homes[home][effector.arm.joints.index(joint)]
    spring = spec.add_actuator(
        name=effector.prefix + POSTURE, trntype=mujoco.mjtTrn.mjTRN_JOINT, target=effector.arm_prefix + joint
    )
    spring.set_to_position(kp=effector.posture.stiffness, kv=effector.posture.damping)
    spring.ctrlrange = (angle - 1e-9, angle + 1e-9)
    spring.ctrllimited = True


class CartesianControl:
    """Commands the target of one TCP.

    Args:
        model: the compiled model.
        data: its state.
        effector: whose TCP is controlled.
        control_dt: seconds per control period.
    """

    def __init__(
        self, model: mujoco.MjModel, data: mujoco.MjData, effector: EndEffector, control_dt: float
    ) -> None:
        self._model, self._data, self._control_dt = model, data, control_dt
        self._impedance = impedance = effector.impedance
        self._tcp = tcp = int(model.site(effector.tcp_site).id)
        mocap = int(model.body(effector.prefix + TARGET).mocapid[0])
        # Views into MuJoCo's memory.
        self._tcp_pos, self._tcp_axes = data.site_xpos[tcp], data.site_xmat[tcp]
        self._target_pos, self._target_quat = data.mocap_pos[mocap], data.mocap_quat[mocap]
        servo = [model.actuator(effector.prefix + name) for name in SERVO_NAMES]
        self._ctrl = data.ctrl[_slice([actuator.id for actuator in servo])]
        self._act = data.act[_slice([actuator.actadr[0] for actuator in servo])]
        self._lag = [impedance.translation_damping / impedance.translation_stiffness] * 3
        self._lag += [impedance.rotation_damping / impedance.rotation_stiffness] * 3
        self._least_cos = math.cos(impedance.max_rotation_lead)
        self._axes_of: list[float] = []
        self._target_rows: list[float] = []
        self._target_columns: list[list[float]] = []
        self._goal: list[float] | None = None
        self._rotation: Vector = STILL
        self._turn, self._quat = np.zeros(4), np.zeros(4)

    @property
    def target_pos_w(self) -> Array:
        """Commanded TCP position (3, m, world frame), a fresh array."""
        return self._target_pos.copy()

    @property
    def target_quat_w(self) -> Array:
        """Commanded TCP orientation (4, w x y z, world frame), a fresh array."""
        return self._target_quat.copy()

    def anchor(self) -> None:
        """Put the target where the TCP is, so that whoever commands next starts without a jerk.

        What the TCP still moves is braked: the next step begins with its set-point `BRAKE_S` seconds of
        motion behind the target and lets it come back within the control period.
        """
        model, data = self._model, self._data
        self._target_pos[:] = self._tcp_pos
        mujoco.mju_mat2Quat(self._target_quat, self._tcp_axes)
        mujoco.mj_comPos(model, data)
        mujoco.mj_comVel(model, data)
        twist = np.empty(6)  # rotation first, in the TCP's axes, which are now the target's
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_SITE, self._tcp, twist, 1)
        self._act[:] = -BRAKE_S * np.roll(twist, 3)

    def command(self, translation: Vector, rotation: Vector, limits: Box) -> None:
        """Set what the target does in the control period that is simulated next.

        Args:
            translation: its displacement (3, m, world axes).
            rotation: its rotation vector (3, rad, world axes).
            limits: box (world frame) that it must not leave. A target outside may only move towards it.
        """
        self._keep_target_near_tcp()
        start, dt, columns = self._target_pos.tolist(), self._control_dt, self._target_columns
        bounds = zip(start, translation, limits.low, limits.high, strict=True)
        goal = [min(max(pos + delta, min(least, pos)), max(most, pos)) for pos, delta, least, most in bounds]
        x, y, z = goal[0] - start[0], goal[1] - start[1], goal[2] - start[2]
        rx, ry, rz = rotation
        velocity = [(a * x + b * y + c * z) / dt for a, b, c in columns]
        velocity += [(a * rx + b * ry + c * rz) / dt for a, b, c in columns]
        act = self._act.tolist()
        self._ctrl[:] = [speed - lead / dt for speed, lead in zip(velocity, act, strict=True)]
        ahead = zip(act, self._lag, velocity, strict=True)
        self._act[:] = [lead + lag * speed for lead, lag, speed in ahead]
        self._goal, self._rotation = goal, rotation

    def begin_step(self) -> None:
        """Hold still in the control period that is simulated now, unless something was commanded."""
        if self._goal is None:
            self.command(STILL, STILL, ANYWHERE)

    def end_step(self) -> None:
        """Move the target to where its set-point has arrived."""
        assert self._goal is not None
        self._act[:] = 0.0
        self._target_pos[:] = self._goal
        self._goal = None
        rx, ry, rz = self._rotation
        if rx or ry or rz:
            angle = math.hypot(rx, ry, rz)
            mujoco.mju_axisAngle2Quat(self._turn, (rx / angle, ry / angle, rz / angle), angle)
            mujoco.mju_mulQuat(self._quat, self._turn, self._target_quat)
            mujoco.mju_normalize4(self._quat)
            self._target_quat[:] = self._quat

    def forget(self) -> None:
        """Drop what was commanded and not simulated."""
        self._goal = None

    def _keep_target_near_tcp(self) -> None:
        """Pull the target back to within its leads, and update its axes."""
        impedance, target = self._impedance, self._target_pos
        distance = math.dist(target.tolist(), self._tcp_pos.tolist())
        if distance > impedance.max_lead:
            target[:] = self._tcp_pos + (target - self._tcp_pos) * (impedance.max_lead / distance)
        self._update_target_axes()
        trace = sum(map(mul, self._target_rows, self._tcp_axes.tolist()))
        if trace < 1.0 + 2.0 * self._least_cos:  # the trace of a rotation is 1 + 2 cos(angle)
            error, quat = np.empty(3), np.empty(4)
            mujoco.mju_mat2Quat(quat, self._tcp_axes)
            mujoco.mju_subQuat(error, self._target_quat, quat)
            mujoco.mju_quatIntegrate(quat, error, impedance.max_rotation_lead / math.hypot(*error))
            self._target_quat[:] = quat
            self._update_target_axes()

    def _update_target_axes(self) -> None:
        """Compute the target's rotation matrix, by rows and by columns, where its quaternion has changed."""
        quat = self._target_quat.tolist()
        if quat == self._axes_of:
            return
        matrix = np.empty(9)
        mujoco.mju_quat2Mat(matrix, quat)
        self._axes_of, self._target_rows = quat, matrix.tolist()
        self._target_columns = matrix.reshape(3, 3).T.tolist()


def _slice(addresses: Sequence[int]) -> slice:
    """Return the slice of consecutive addresses: indexing with it gives a view."""
    first = int(addresses[0])
    assert list(addresses) == list(range(first, first + len(addresses))), addresses
    return slice(first, first + len(addresses))
