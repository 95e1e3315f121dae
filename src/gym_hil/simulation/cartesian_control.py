"""Cartesian impedance control of a TCP by actuators of the model.

Actuators measure the TCP relative to a mocap body, the target: three along its axes, and others about them. Each
actuator integrates its control to an activation, its set-point, so that a velocity command moves the set-point
continuously while `mj_step` runs. Python code runs once per control period: it keeps the target near the measured TCP,
sets a velocity, and moves the target to the final position of the set-point.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np

from gym_hil.robots.base import EndEffector
from gym_hil.robots.geometry import Box
from gym_hil.simulation.orientation_control import (
    BRAKE_S,
    TARGET,
    Array,
    FullOrientation,
    JointRotations,
    Vector,
    add_orientation_control,
    add_site_servo,
    consecutive,
    glide,
)

TRANSLATION_SERVOS = ("servo_x", "servo_y", "servo_z")
POSTURE = "posture"
ANYWHERE = Box((-math.inf,) * 3, (math.inf,) * 3)
STILL = (0.0, 0.0, 0.0)


def add_cartesian_control(spec: mujoco.MjSpec, effector: EndEffector, home: str) -> None:
    """Add the target and the actuators of an end effector.

    Its posture spring holds the home configuration with the name `home`.
    """
    target = spec.worldbody.add_body(name=effector.prefix + TARGET, mocap=True)
    target.add_site(name=effector.prefix + TARGET, group=4)
    for axis, name in enumerate(TRANSLATION_SERVOS):
        add_site_servo(spec, effector, axis, name)
    add_orientation_control(spec, effector)
    if effector.posture is not None:
        _add_posture(spec, effector, home)


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
    """Controls the target of one TCP.

    Args:
        model: the compiled model.
        data: its state.
        effector: the end effector.
        control_dt: control period (s).
    """

    def __init__(
        self, model: mujoco.MjModel, data: mujoco.MjData, effector: EndEffector, control_dt: float
    ) -> None:
        self._model, self._data, self._control_dt = model, data, control_dt
        impedance = effector.impedance
        self._orientation: FullOrientation | JointRotations = (
            JointRotations if effector.rotations else FullOrientation
        )(model, data, effector, control_dt)
        self._tcp = int(model.site(effector.tcp_site).id)
        self._tcp_pos = data.site_xpos[self._tcp]
        self._target_pos = data.mocap_pos[int(model.body(effector.prefix + TARGET).mocapid[0])]
        servos = [model.actuator(effector.prefix + name) for name in TRANSLATION_SERVOS]
        self._ctrl = data.ctrl[consecutive([actuator.id for actuator in servos])]
        self._act = data.act[consecutive([actuator.actadr[0] for actuator in servos])]
        self._lag = impedance.translation_damping / impedance.translation_stiffness
        self._max_lead = impedance.max_lead
        self._goal: list[float] | None = None

    @property
    def target_pos_w(self) -> Array:
        """Commanded TCP position (3, m, world frame), a new array."""
        return self._target_pos.copy()

    @property
    def target_quat_w(self) -> Array:
        """Commanded TCP orientation (4, w x y z, world frame), a new array."""
        return self._orientation.target_quat_w

    def anchor(self) -> None:
        """Reset the target to the pose of the TCP, so that a change of control causes no jerk.

        Remaining motion of the TCP is damped: the next step begins with a set-point that is behind the target
        by the motion of `BRAKE_S` seconds, and returns to the target within the control period.
        """
        model, data = self._model, self._data
        self._goal = None
        mujoco.mj_comPos(model, data)
        mujoco.mj_comVel(model, data)
        twist = np.empty(6)  # rotation first, in the axes that the target will have
        in_tcp_axes = int(self._orientation.target_turns)
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_SITE, self._tcp, twist, in_tcp_axes)
        self._target_pos[:] = self._tcp_pos
        self._orientation.anchor(twist[:3])
        self._act[:] = -BRAKE_S * twist[3:]

    def command(self, translation: Vector, rotation: Vector, limits: Box) -> None:
        """Set the motion of the target for the next control period.

        Args:
            translation: its displacement (3, m, world axes).
            rotation: its rotation vector (3, rad, world axes).
            limits: box to which the target is limited (world frame). A target outside can only move towards
                it.
        """
        start, tcp = self._target_pos.tolist(), self._tcp_pos.tolist()
        distance = math.dist(start, tcp)
        if distance > self._max_lead:
            share = self._max_lead / distance
            start = [at + (goal - at) * share for at, goal in zip(tcp, start, strict=True)]
            self._target_pos[:] = start
        axes = self._orientation.axes_near_tcp()
        self._goal = x, y, z = limits.clipped_end(start, translation)
        displacement = x - start[0], y - start[1], z - start[2]
        glide(axes, displacement, self._control_dt, self._lag, self._ctrl, self._act)
        self._orientation.command(rotation, displacement)

    def begin_step(self) -> None:
        """Stop the target in the current control period, unless a motion was commanded."""
        if self._goal is None:
            self.command(STILL, STILL, ANYWHERE)

    def end_step(self) -> None:
        """Move the target to the final position of the set-point."""
        assert self._goal is not None
        self._act.fill(0.0)
        position = self._target_pos
        position[0], position[1], position[2] = self._goal
        self._goal = None
        self._orientation.end_step()

    def forget(self) -> None:
        """Discard a command that was not simulated."""
        self._goal = None
