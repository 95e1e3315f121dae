"""A composed model at work: names resolved once, one `mj_step` call per control period.

All of the control law lives in the model (`gym_hil.scenes.compose`). Per control period this module keeps the
target near the measured TCP, hands the engine a velocity command, and steps; the engine does the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from gym_hil.errors import InvalidArgumentError, InvalidStateError
from gym_hil.robots.base import Robot
from gym_hil.scenes.base import Scene
from gym_hil.scenes.compose import SERVO_NAMES, TARGET, compose

Array = NDArray[np.float64]
PHYSICS_STATE = mujoco.mjtState.mjSTATE_INTEGRATION
LOOKS = 5
"""How often a step is looked at, its end included, where somebody watches."""
BRAKE = 0.04
"""How hard a moving TCP is braked when its target is anchored (s); chosen so that it overshoots least."""


def substeps(control_dt: float, physics_dt: float) -> int:
    """Return how many physics steps make a control period; both in seconds.

    Raises:
        InvalidArgumentError: a time is not positive, or `control_dt` is no whole multiple of `physics_dt`.
    """
    for name, value in (("control_dt", control_dt), ("physics_dt", physics_dt)):
        if not (np.isfinite(value) and value > 0):
            raise InvalidArgumentError(f"{name}={value!r} must be a positive number of seconds")
    count = round(control_dt / physics_dt)
    if count < 1 or abs(count * physics_dt - control_dt) > 1e-9:
        below, above = max(1, int(control_dt / physics_dt)), int(control_dt / physics_dt) + 1
        raise InvalidArgumentError(
            f"control_dt={control_dt!r} s is no whole multiple of physics_dt={physics_dt!r} s; "
            f"nearest: physics_dt={control_dt / below:.6g} or {control_dt / above:.6g}"
        )
    return count


class Simulation:
    """One robot in one scene.

    Attributes:
        model: the compiled model.
        data: its state; derived positions are up to date after `reset`, `step` and `restore`.
        robot: what is being simulated.
        physics_dt: seconds per physics step.
        watcher: called with the data a few times within every step, to show how things move; it must change
            nothing.

    A `model` that was composed from the same arguments before saves compiling it again; several simulations
    may share one.
    """

    def __init__(
        self,
        robot: Robot,
        scene: Scene,
        *,
        control_dt: float,
        physics_dt: float,
        model: mujoco.MjModel | None = None,
    ) -> None:
        self._nstep = substeps(control_dt, physics_dt)
        self._watch_every = -(-self._nstep // LOOKS)
        self.robot = robot
        self.scene = scene
        self.control_dt = float(control_dt)
        self.physics_dt = float(physics_dt)
        self.model = model = compose(robot, scene, physics_dt) if model is None else model
        self.data = mujoco.MjData(model)
        self.watcher: Callable[[mujoco.MjData], None] | None = None
        self._joint_qpos = _slice_or_array([model.joint(name).qposadr[0] for name in robot.joints])
        self._joint_dof = _slice_or_array([model.joint(name).dofadr[0] for name in robot.joints])
        self._finger_qpos = int(model.joint(robot.finger_joints[0]).qposadr[0])
        self._finger_ctrl = int(model.actuator(robot.finger_actuator).id)
        self._tcp = int(model.site(robot.tcp_site).id)
        self._finger_geoms = frozenset(int(model.geom(name).id) for name in robot.finger_geoms)
        servo = [model.actuator(name) for name in SERVO_NAMES]
        self._servo_ctrl = _slice_or_array([actuator.id for actuator in servo])
        self._servo_act = _slice_or_array([actuator.actadr[0] for actuator in servo])
        self._mocap = int(model.body(TARGET).mocapid[0])
        self._free_qpos = {prop.name: int(model.joint(prop.name).qposadr[0]) for prop in scene.props}
        self._fixtures = {socket.name: int(model.body(socket.name).mocapid[0]) for socket in scene.sockets}
        self._bodies = {name: int(model.body(name).id) for name in (*self._free_qpos, *self._fixtures)}
        self._home = self._home_qpos()
        impedance = robot.impedance
        self._lag = np.array(
            [impedance.translation_damping / impedance.translation_stiffness] * 3
            + [impedance.rotation_damping / impedance.rotation_stiffness] * 3
        )
        self._velocity = np.zeros(6)
        self._frame = np.zeros(9)
        self._quat = np.zeros(4)
        self._turn = np.zeros(4)
        self._error = np.zeros(3)

    # Measured quantities. Arrays named `*_w` are in the world frame.

    @property
    def tcp_pos_w(self) -> Array:
        """Measured TCP position (3, m). A view: it changes as the simulation moves."""
        return self.data.site_xpos[self._tcp]

    @property
    def tcp_quat_w(self) -> Array:
        """Measured TCP orientation (4, w x y z), a fresh array."""
        quat = np.empty(4)
        mujoco.mju_mat2Quat(quat, self.data.site_xmat[self._tcp])
        return quat

    @property
    def target_pos_w(self) -> Array:
        """Commanded TCP position (3, m). A view."""
        return self.data.mocap_pos[self._mocap]

    @property
    def target_quat_w(self) -> Array:
        """Commanded TCP orientation (4, w x y z). A view."""
        return self.data.mocap_quat[self._mocap]

    @property
    def joint_pos(self) -> Array:
        """Arm joint positions (rad)."""
        return self.data.qpos[self._joint_qpos]

    @property
    def joint_vel(self) -> Array:
        """Arm joint velocities (rad/s)."""
        return self.data.qvel[self._joint_dof]

    @property
    def closure(self) -> float:
        """How far the fingers are closed: 0 fully open, 1 touching. Measured, not commanded."""
        hand = self.robot.hand
        travel = self.data.qpos[self._finger_qpos] - hand.open_position
        return min(1.0, max(0.0, travel / (hand.closed_position - hand.open_position)))

    @property
    def aperture(self) -> float:
        """Free width between the fingers (m)."""
        return (1.0 - self.closure) * self.robot.hand.max_aperture

    @property
    def gripper_closing(self) -> bool:
        """True when the fingers were last told to close."""
        hand = self.robot.hand
        command = self.data.ctrl[self._finger_ctrl]
        return bool(abs(command - hand.closed_position) < abs(command - hand.open_position))

    def body_pos_w(self, name: str) -> Array:
        """Return the position of a prop or socket (3, m). A view."""
        return self.data.xpos[self._bodies[name]]

    def point_pos_w(self, name: str, point: Sequence[float]) -> Array:
        """Return where `point` (3, m, in the frame of a prop or socket) is (3, m), a fresh array."""
        body = self._bodies[name]
        return self.data.xpos[body] + self.data.xmat[body].reshape(3, 3) @ point

    def is_finite(self) -> bool:
        """Return whether every coordinate and velocity is a number."""
        return math.isfinite(self.data.qpos.sum() + self.data.qvel.sum())

    # Commands.

    def reset(self, poses: Mapping[str, Sequence[float]]) -> None:
        """Put the robot at its home, props and sockets at `poses` (x y z [and quaternion]), all at rest."""
        data = self.data
        mujoco.mj_resetData(self.model, data)
        data.qpos[:] = self._home
        for name, pose in poses.items():
            if name in self._fixtures:
                data.mocap_pos[self._fixtures[name]] = pose[:3]
                data.mocap_quat[self._fixtures[name]] = pose[3:] if len(pose) > 3 else (1, 0, 0, 0)
            else:
                start = self._free_qpos[name]
                data.qpos[start : start + len(pose)] = pose
        data.ctrl[self._finger_ctrl] = self.robot.hand.open_position
        mujoco.mj_kinematics(self.model, data)
        self.anchor_target()
        mujoco.mj_forward(self.model, data)

    def anchor_target(self) -> None:
        """Put the target where the TCP is, so that whoever commands next starts without a jerk.

        What the TCP still moves is braked: the next step begins with its set-point `BRAKE` seconds of motion
        behind the target and lets it come back within the control period.
        """
        model, data = self.model, self.data
        data.mocap_pos[self._mocap] = self.tcp_pos_w
        data.mocap_quat[self._mocap] = self.tcp_quat_w
        mujoco.mj_comPos(model, data)
        mujoco.mj_comVel(model, data)
        twist = np.empty(6)  # rotation first, in the TCP's axes, which are now the target's
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_SITE, self._tcp, twist, 1)
        data.act[self._servo_act] = -BRAKE * np.roll(twist, 3)

    def command_gripper(self, opening: float) -> None:
        """Send the fingers to `opening`: 0 closed, 1 open. They keep going until told otherwise."""
        hand = self.robot.hand
        self.data.ctrl[self._finger_ctrl] = hand.closed_position + opening * (
            hand.open_position - hand.closed_position
        )

    def step(self, translation: Array, rotation: Array, low: Array, high: Array) -> None:
        """Move the target over one control period and simulate that period.

        Args:
            translation: displacement of the target (3, m, world axes).
            rotation: rotation vector of the target (3, rad, world axes).
            low: lower corner (3, m, world frame) of the box that the target must not leave. A target outside
                may only move towards it.
            high: its upper corner.
        """
        data, act, ctrl = self.data, self._servo_act, self._servo_ctrl
        pos, quat = self.target_pos_w, self.target_quat_w
        self._keep_target_near_tcp(pos, quat)
        goal = np.minimum(np.maximum(pos + translation, np.minimum(low, pos)), np.maximum(high, pos))
        mujoco.mju_quat2Mat(self._frame, quat)
        to_local = self._frame.reshape(3, 3).T
        velocity = self._velocity
        velocity[:3] = to_local @ (goal - pos)
        velocity[3:] = to_local @ rotation
        velocity /= self.control_dt
        data.ctrl[ctrl] = velocity - data.act[act] / self.control_dt
        data.act[act] += self._lag * velocity
        self._advance()
        data.act[act] = 0.0
        data.ctrl[ctrl] = 0.0
        pos[:] = goal
        angle = float(np.sqrt(rotation @ rotation))
        if angle > 0.0:
            mujoco.mju_axisAngle2Quat(self._turn, rotation / angle, angle)
            mujoco.mju_mulQuat(self._quat, self._turn, quat)
            mujoco.mju_normalize4(self._quat)
            quat[:] = self._quat
        mujoco.mj_kinematics(self.model, data)

    # Saved states.

    def save(self) -> Array:
        """Return everything that the next step depends on, as one array."""
        state = np.empty(mujoco.mj_stateSize(self.model, PHYSICS_STATE))
        mujoco.mj_getState(self.model, self.data, state, PHYSICS_STATE)
        return state

    def restore(self, state: Array) -> None:
        """Continue from what `save` returned, bit for bit."""
        size = mujoco.mj_stateSize(self.model, PHYSICS_STATE)
        if np.shape(state) != (size,):
            raise InvalidStateError(f"physics state has shape {np.shape(state)}, this model needs ({size},)")
        mujoco.mj_setState(self.model, self.data, state, PHYSICS_STATE)
        mujoco.mj_kinematics(self.model, self.data)

    # Internals.

    def _advance(self) -> None:
        """Simulate one control period."""
        left = self._nstep
        while self.watcher is not None and left > self._watch_every:
            mujoco.mj_step(self.model, self.data, self._watch_every)
            left -= self._watch_every
            self.watcher(self.data)
        mujoco.mj_step(self.model, self.data, left)

    def _keep_target_near_tcp(self, pos: Array, quat: Array) -> None:
        impedance = self.robot.impedance
        tcp = self.tcp_pos_w
        lead = pos - tcp
        distance = float(np.sqrt(lead @ lead))
        if distance > impedance.max_lead:
            pos[:] = tcp + lead * (impedance.max_lead / distance)
        mujoco.mju_mat2Quat(self._quat, self.data.site_xmat[self._tcp])
        mujoco.mju_subQuat(self._error, quat, self._quat)
        angle = float(np.sqrt(self._error @ self._error))
        if angle > impedance.max_rotation_lead:
            mujoco.mju_quatIntegrate(self._quat, self._error, impedance.max_rotation_lead / angle)
            quat[:] = self._quat

    def _home_qpos(self) -> Array:
        qpos = self.model.qpos0.copy()
        qpos[self._joint_qpos] = self.robot.arm.homes[self.scene.robot_home]
        for joint in self.robot.finger_joints:
            qpos[self.model.joint(joint).qposadr] = self.robot.hand.open_position
        return qpos


def _slice_or_array(addresses: Sequence[int]) -> slice | NDArray[np.intp]:
    """Return a slice where addresses are consecutive: NumPy then makes views instead of copies."""
    first = int(addresses[0])
    if list(addresses) == list(range(first, first + len(addresses))):
        return slice(first, first + len(addresses))
    return np.array(addresses, dtype=np.intp)
