"""Joint-position control of an arm by its servos, which are actuators of the model.

Each servo integrates its control to an activation, its set-point, so that the set-point moves continuously to
the commanded position while `mj_step` runs.
"""

from __future__ import annotations

import mujoco
import numpy as np

from gym_hil.robots.base import EndEffector
from gym_hil.robots.geometry import Box
from gym_hil.simulation.few_numbers import write
from gym_hil.simulation.orientation_control import Array, Vector, consecutive, integrate

DAMPING = 1e-3
"""Damping of the differential inverse kinematics, which keeps it finite near singularities (m)."""
MAX_RETURN = 0.05
"""Largest rotation per step that corrects a drift (rad)."""
MAX_LEAD = 0.3
"""Largest difference between a set-point of the inverse kinematics and the measured position (rad)."""


def add_joint_control(spec: mujoco.MjSpec, effector: EndEffector) -> None:
    """Add the servos of an arm, and the weight of its links if its controller does not compensate for it."""
    arm = effector.arm
    gains = zip(effector.joints, arm.servo.stiffness, arm.servo.damping, arm.torque_limits, strict=True)
    for joint, stiffness, damping, limit in gains:
        servo = spec.add_actuator(
            name=f"{joint}_servo",
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
            target=joint,
            forcerange=(-limit, limit),
        )
        integrate(servo, stiffness, damping)
    if not arm.servo.gravity_compensation:
        for body in spec.bodies:
            if body.name.startswith((effector.arm_prefix, effector.hand_prefix)):
                body.gravcomp = 0


class JointControl:
    """Controls the joints of one arm.

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
        joints = [model.joint(name) for name in effector.joints]
        self._qpos = [int(joint.qposadr[0]) for joint in joints]
        self._dofs = [int(joint.dofadr[0]) for joint in joints]
        servos = [model.actuator(f"{name}_servo") for name in effector.joints]
        self._ctrl = data.ctrl[consecutive([actuator.id for actuator in servos])]
        self._act = data.act[consecutive([actuator.actadr[0] for actuator in servos])]
        self._low, self._high = np.array(effector.arm.joint_ranges).T
        self._least, self._most = zip(*effector.arm.joint_ranges, strict=True)
        self._tcp = int(model.site(effector.tcp_site).id)
        self._commanded = mujoco.MjData(model)
        """The arm as it would stand at its set-points, for kinematics only."""
        self._axes = [
            self._commanded.xaxis[int(model.joint(effector.arm_prefix + next(iter(rotation.joints))).id)]
            for rotation in effector.rotations
        ]
        self._sums = [
            np.array([rotation.joints.get(joint, 0.0) for joint in effector.arm.joints])
            for rotation in effector.rotations
        ]
        """The share of each joint in every rotation."""
        gains = effector.arm.servo
        self._lag = [
            damping / stiffness for damping, stiffness in zip(gains.damping, gains.stiffness, strict=True)
        ]
        self._goal: list[float] | None = None

    @property
    def target_pos_w(self) -> Array:
        """TCP position at the commanded joint positions (3, m, world frame)."""
        return self._kinematics().site_xpos[self._tcp].copy()

    @property
    def target_quat_w(self) -> Array:
        """TCP orientation at the commanded joint positions (4, w x y z, world frame)."""
        quat = np.empty(4)
        mujoco.mju_mat2Quat(quat, self._kinematics().site_xmat[self._tcp])
        return quat

    @property
    def target_joint_coordinates(self) -> list[float]:
        """The numbers of `target_joint_pos`, which are faster to read than an array."""
        return self._act.tolist()

    @property
    def target_joint_pos(self) -> Array:
        """Commanded joint positions (rad), a new array."""
        return self._act.copy()

    def anchor(self) -> None:
        """Command the measured joint positions."""
        self._act[:] = self._data.qpos[self._qpos]
        self._goal = None

    def command_joints(self, positions: Vector) -> list[float]:
        """Move the joints to `positions` (rad) in the next control period, within their ranges.

        Returns:
            The positions (rad), limited to the ranges.
        """
        self._goal = goals = []
        ctrl, act, dt = self._ctrl, self._act, self._control_dt
        joints = zip(positions, self._least, self._most, act.tolist(), self._lag, strict=True)
        for number, (goal, least, most, now, lag) in enumerate(joints):
            if not least <= goal <= most:
                goal = min(max(goal, least), most)
            goals.append(goal)
            speed = (goal - now) / dt
            ctrl[number] = speed
            act[number] = now + lag * speed
        return goals

    def command(self, translation: Vector, rotation: Vector, limits: Box) -> None:
        """Move the TCP by inverse kinematics, see `CartesianControl.command`."""
        start = self.target_pos_w
        goal = limits.clipped_end(start, translation)
        self.command_joints(self.joints_towards(goal - start, rotation))

    def joints_towards(self, translation: Vector, rotation: Vector, home: Vector | None = None) -> Array:
        """Return the joint positions (rad) for a motion of the TCP, relative to the set-points.

        Args:
            translation: displacement (3, m, world axes).
            rotation: rotation vector (3, rad, world axes). An arm with few joints executes the possible part.
            home: joint positions (rad). Rotations that are sums of several joints, such as the pitch, are moved towards
                their values at `home`, because they drift over many steps; None to leave them as they are.
        """
        jacobian = self._jacobian()
        axes = np.array(self._axes) if self._axes else np.eye(3)
        rows = np.concatenate([jacobian[:3], axes @ jacobian[3:]])
        desired = np.concatenate([np.asarray(translation, float), axes @ np.asarray(rotation, float)])
        for row, weights in enumerate(self._sums, start=3):
            if home is not None and np.count_nonzero(weights) > 1:
                desired[row] += min(max(weights @ (np.asarray(home) - self._act), -MAX_RETURN), MAX_RETURN)
        square = rows @ rows.T + DAMPING**2 * np.eye(len(rows))
        positions = self._act + rows.T @ np.linalg.solve(square, desired)
        measured = self._data.qpos[self._qpos]
        near = np.clip(positions, measured - MAX_LEAD, measured + MAX_LEAD)
        return np.clip(near, self._low, self._high)

    def translation_towards(self, positions: Vector) -> Array:
        """Return the displacement of the TCP (3, m, world axes) by joint `positions` (rad), to first order."""
        return self._jacobian()[:3] @ (np.asarray(positions) - self._act)

    def begin_step(self) -> None:
        """Stop the joints in the current control period, unless a motion was commanded."""
        if self._goal is None:
            self._ctrl[:] = 0.0

    def end_step(self) -> None:
        """Move the set-points to their final positions."""
        if self._goal is not None:
            write(self._act, self._goal)
            self._goal = None

    def forget(self) -> None:
        """Discard a command that was not simulated."""
        self._goal = None

    def _jacobian(self) -> Array:
        """Return the Jacobian of the TCP (6, joints, world axes) at the set-points."""
        jacobian, commanded = np.zeros((6, self._model.nv)), self._kinematics()
        mujoco.mj_comPos(self._model, commanded)
        mujoco.mj_jacSite(self._model, commanded, jacobian[:3], jacobian[3:], self._tcp)
        return jacobian[:, self._dofs]

    def _kinematics(self) -> mujoco.MjData:
        self._commanded.qpos[:] = self._data.qpos
        self._commanded.qpos[self._qpos] = self._act
        mujoco.mj_kinematics(self._model, self._commanded)
        return self._commanded
