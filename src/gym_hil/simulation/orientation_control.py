"""Control of the orientation of a TCP: either all three rotations, or those that an arm with few joints can
execute.

Both add actuators that integrate their control to an activation, as in `gym_hil.simulation.cartesian_control`, and
command them once per control period.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul

import mujoco
import numpy as np
from numpy.typing import NDArray

from gym_hil.robots.base import EndEffector
from gym_hil.simulation.few_numbers import reader, write

Array = NDArray[np.float64]
Vector = Sequence[float] | Array

TARGET = "target"
"""Name of the mocap body of a target, and of its site, after the end effector's prefix."""
BRAKE_S = 0.04
"""A set-point begins behind the target of a moving TCP by the motion of the TCP in this time (s), which is chosen for
the smallest overshoot."""
WORLD_AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
ROTATION_SERVOS = ("servo_rx", "servo_ry", "servo_rz")


def integrate(servo: mujoco.MjsActuator, stiffness: float, damping: float) -> None:
    """Let an actuator integrate its control, a velocity, to its activation."""
    servo.dyntype = mujoco.mjtDyn.mjDYN_INTEGRATOR
    servo.gaintype = mujoco.mjtGain.mjGAIN_FIXED
    servo.biastype = mujoco.mjtBias.mjBIAS_AFFINE
    servo.gainprm = [stiffness, *[0.0] * 9]
    servo.biasprm = [0.0, -stiffness, -damping, *[0.0] * 7]


def consecutive(addresses: Sequence[int]) -> slice:
    """Return the slice of consecutive addresses, with which indexing returns a view."""
    first = int(addresses[0])
    assert list(addresses) == list(range(first, first + len(addresses))), addresses
    return slice(first, first + len(addresses))


def glide(
    axes: Sequence[Sequence[float]],
    displacement: Vector,
    control_dt: float,
    lag: float,
    ctrl: Array,
    act: Array,
) -> None:
    """Move three set-points to the target's pose at the end of a control period.

    Args:
        axes: the axes of the three servos (3 x 3, world axes).
        displacement: displacement (3, m) or rotation vector (3, rad) of the target, in world axes.
        control_dt: duration of a control period (s).
        lag: delay of a moving servo behind its set-point (s).
        ctrl: controls of the servos, which are set.
        act: activations of the servos: lead of the set-points over the target. The lag is added.
    """
    x, y, z = displacement
    if x == y == z == 0.0 and not any(act.tolist()):
        ctrl.fill(0.0)
        return
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = axes
    a, b, c = act.tolist()
    speed_a = (ax * x + ay * y + az * z) / control_dt
    speed_b = (bx * x + by * y + bz * z) / control_dt
    speed_c = (cx * x + cy * y + cz * z) / control_dt
    ctrl[0], ctrl[1], ctrl[2] = speed_a - a / control_dt, speed_b - b / control_dt, speed_c - c / control_dt
    act[0], act[1], act[2] = a + lag * speed_a, b + lag * speed_b, c + lag * speed_c


def add_site_servo(spec: mujoco.MjSpec, effector: EndEffector, axis: int, name: str) -> None:
    """Add the actuator that controls the TCP along (0 to 2) or about (3 to 5) one axis of the target."""
    impedance, turns = effector.impedance, axis >= 3
    limit = impedance.torque_limit if turns else impedance.force_limit
    servo = spec.add_actuator(
        name=effector.prefix + name,
        trntype=mujoco.mjtTrn.mjTRN_SITE,
        target=effector.tcp_site,
        refsite=effector.prefix + TARGET,
        gear=[float(i == axis) for i in range(6)],
        forcerange=(-limit, limit),
    )
    integrate(
        servo,
        impedance.rotation_stiffness if turns else impedance.translation_stiffness,
        impedance.rotation_damping if turns else impedance.translation_damping,
    )


def add_orientation_control(spec: mujoco.MjSpec, effector: EndEffector) -> None:
    """Add the actuators that control the orientation of a TCP."""
    if not effector.rotations:
        for axis, name in enumerate(ROTATION_SERVOS, start=3):
            add_site_servo(spec, effector, axis, name)
        return
    impedance = effector.impedance
    for rotation in effector.rotations:
        name = effector.prefix + rotation.name
        tendon = spec.add_tendon(name=name)
        for joint, share in rotation.joints.items():
            tendon.wrap_joint(effector.arm_prefix + joint, share)
        servo = spec.add_actuator(
            name=name,
            trntype=mujoco.mjtTrn.mjTRN_TENDON,
            target=name,
            forcerange=(-impedance.torque_limit, impedance.torque_limit),
        )
        integrate(servo, impedance.rotation_stiffness, impedance.rotation_damping)


class FullOrientation:
    """Controls all three rotations of the TCP.

    Args:
        model: the compiled model.
        data: its state.
        effector: the end effector.
        control_dt: control period (s).
    """

    target_turns = True
    """The target has the commanded orientation."""

    def __init__(
        self, model: mujoco.MjModel, data: mujoco.MjData, effector: EndEffector, control_dt: float
    ) -> None:
        impedance = effector.impedance
        self._control_dt = control_dt
        self._tcp_axes = data.site_xmat[int(model.site(effector.tcp_site).id)]
        self._target_quat = data.mocap_quat[int(model.body(effector.prefix + TARGET).mocapid[0])]
        servos = [model.actuator(effector.prefix + name) for name in ROTATION_SERVOS]
        self._ctrl = data.ctrl[consecutive([actuator.id for actuator in servos])]
        self._act = data.act[consecutive([actuator.actadr[0] for actuator in servos])]
        self._lag = impedance.rotation_damping / impedance.rotation_stiffness
        self._max_lead = impedance.max_rotation_lead
        self._least_cos = math.cos(impedance.max_rotation_lead)
        self._quat_of_axes: list[float] = []
        self._target_rows: list[float] = []
        self._target_columns: list[list[float]] = []
        self._rotation: Vector = (0.0, 0.0, 0.0)
        self._turn, self._quat = np.zeros(4), np.zeros(4)

    @property
    def target_quat_w(self) -> Array:
        """Commanded orientation (4, w x y z, world frame), a new array."""
        return self._target_quat.copy()

    def anchor(self, angular_velocity: Array) -> None:
        """Reset the target to the current orientation, and damp `angular_velocity` (3, rad/s, TCP frame)."""
        mujoco.mju_mat2Quat(self._target_quat, self._tcp_axes)
        self._act[:] = -BRAKE_S * angular_velocity

    def axes_near_tcp(self) -> Sequence[Sequence[float]]:
        """Limit the angle between target and TCP, and return the axes of the target (3 x 3, world frame)."""
        self._update_target_axes()
        trace = sum(map(mul, self._target_rows, self._tcp_axes.tolist()))
        if trace < 1.0 + 2.0 * self._least_cos:  # the trace of a rotation is 1 + 2 cos(angle)
            error, quat = np.empty(3), np.empty(4)
            mujoco.mju_mat2Quat(quat, self._tcp_axes)
            mujoco.mju_subQuat(error, self._target_quat, quat)
            mujoco.mju_quatIntegrate(quat, error, self._max_lead / math.hypot(*error))
            self._target_quat[:] = quat
            self._update_target_axes()
        return self._target_columns

    def command(self, rotation: Vector, displacement: Vector) -> None:
        """Set the rotation of the target for the next control period.

        Args:
            rotation: its rotation vector (3, rad, world axes).
            displacement: its displacement (3, m, world axes), which is not used.
        """
        glide(self._target_columns, rotation, self._control_dt, self._lag, self._ctrl, self._act)
        self._rotation = rotation

    def end_step(self) -> None:
        """Rotate the target to the final orientation of the set-point."""
        self._act.fill(0.0)
        rx, ry, rz = self._rotation
        if rx or ry or rz:
            angle = math.hypot(rx, ry, rz)
            mujoco.mju_axisAngle2Quat(self._turn, (rx / angle, ry / angle, rz / angle), angle)
            mujoco.mju_mulQuat(self._quat, self._turn, self._target_quat)
            mujoco.mju_normalize4(self._quat)
            self._target_quat[:] = self._quat

    def _update_target_axes(self) -> None:
        """Update the rows and columns of the target's rotation matrix if its quaternion has changed."""
        quat = self._target_quat.tolist()
        if quat == self._quat_of_axes:
            return
        matrix = np.empty(9)
        mujoco.mju_quat2Mat(matrix, quat)
        self._quat_of_axes, self._target_rows = quat, matrix.tolist()
        self._target_columns = [self._target_rows[column::3] for column in range(3)]


class JointRotations:
    """Controls rotations that are sums of joint positions, and leaves the others free.

    The set-points are the activations of the actuators.

    Args:
        model: the compiled model.
        data: its state.
        effector: the end effector.
        control_dt: control period (s).
    """

    target_turns = False

    def __init__(
        self, model: mujoco.MjModel, data: mujoco.MjData, effector: EndEffector, control_dt: float
    ) -> None:
        impedance, prefix = effector.impedance, effector.prefix
        self._control_dt = control_dt
        tcp = int(model.site(effector.tcp_site).id)
        self._tcp_pos, self._tcp_axes = data.site_xpos[tcp], data.site_xmat[tcp]
        servos = [model.actuator(prefix + rotation.name) for rotation in effector.rotations]
        self._ctrl = data.ctrl[consecutive([actuator.id for actuator in servos])]
        self._act = data.act[consecutive([actuator.actadr[0] for actuator in servos])]
        self._read_joint_pos = reader(
            data.qpos, [int(model.joint(name).qposadr[0]) for name in effector.joints]
        )
        self._shares = [
            [rotation.joints.get(joint, 0.0) for joint in effector.arm.joints]
            for rotation in effector.rotations
        ]
        """The share of each joint in every rotation."""
        self._axes: list[tuple[Array, float]] = []
        for rotation in effector.rotations:
            first, share = next(iter(rotation.joints.items()))
            self._axes.append((data.xaxis[int(model.joint(effector.arm_prefix + first).id)], share))
        self._pan: Array | None = None
        if effector.pan_joint is not None:
            self._pan = data.xanchor[int(model.joint(effector.arm_prefix + effector.pan_joint).id)]
        self._lag = impedance.rotation_damping / impedance.rotation_stiffness
        self._max_lead = impedance.max_rotation_lead
        self._goal: list[float] = []

    @property
    def target_quat_w(self) -> Array:
        """The measured orientation (4, w x y z, world frame), because five joints cannot hold an arbitrary
        one.
        """
        quat = np.empty(4)
        mujoco.mju_mat2Quat(quat, self._tcp_axes)
        return quat

    def anchor(self, angular_velocity: Array) -> None:
        """Reset the set-points to the current rotations."""
        self._act[:] = self._measured()

    def axes_near_tcp(self) -> Sequence[Sequence[float]]:
        """Return the axes of the target, which are those of the world."""
        return WORLD_AXES

    def command(self, rotation: Vector, displacement: Vector) -> None:
        """Set the motion of the set-points for the next control period, and limit their difference from the measured
        rotations.

        Args:
            rotation: rotation vector of the TCP (3, rad, world axes), of which the possible part is executed.
            displacement: displacement of the TCP's target (3, m, world axes). It causes a rotation of the arm about the
                vertical, which is compensated.
        """
        rx, ry, rz = rotation
        if self._pan is not None:
            (x, y, _), (pan_x, pan_y, _) = self._tcp_pos.tolist(), self._pan.tolist()
            x, y = x - pan_x, y - pan_y
            rz -= (x * displacement[1] - y * displacement[0]) / max(x * x + y * y, 1e-4)
        dt, lag = self._control_dt, self._lag
        self._goal = goal = []
        ctrl, act, lead = self._ctrl, self._act, self._max_lead
        rotations = zip(self._axes, act.tolist(), self._measured(), strict=True)
        for number, ((axis, share), angle, measured) in enumerate(rotations):
            if not measured - lead <= angle <= measured + lead:
                angle = min(max(angle, measured - lead), measured + lead)
            x, y, z = axis.tolist()
            speed = share * (x * rx + y * ry + z * rz) / dt
            goal.append(angle + speed * dt)
            ctrl[number] = speed
            act[number] = angle + lag * speed

    def end_step(self) -> None:
        """Move the set-points to their final positions."""
        write(self._act, self._goal)

    def _measured(self) -> list[float]:
        joint_pos = self._read_joint_pos()
        return [sum(map(mul, shares, joint_pos)) for shares in self._shares]
