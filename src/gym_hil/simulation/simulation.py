"""A composed model at work: names resolved once, one `mj_step` call per control period.

All of the control law lives in the model (`gym_hil.simulation.composition`). Per control period this module
keeps the target near the measured TCP, hands the engine a velocity command, and steps; the engine does the
rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter, mul
from typing import Any, ClassVar

import mujoco
import numpy as np
from numpy.typing import NDArray

from gym_hil.core.errors import InvalidStateError
from gym_hil.robots.base import Robot
from gym_hil.simulation.composition import SERVO_NAMES, TARGET, compose, sleeps
from gym_hil.simulation.scene import Scene
from gym_hil.simulation.timing import substeps

Array = NDArray[np.float64]
Vector = Sequence[float] | Array
Watcher = Callable[[mujoco.MjData], None]
PHYSICS_STATE = mujoco.mjtState.mjSTATE_INTEGRATION
LOOKS = 5
"""How often a step is looked at, its end included, where somebody watches."""
BRAKE = 0.04
"""How hard a moving TCP is braked when its target is anchored (s); chosen so that it overshoots least."""


class Simulation:
    """One robot in one scene.

    Attributes:
        model: the compiled model.
        data: its state; derived positions are up to date after `reset`, `step` and `restore`.
        robot: what is being simulated.
        physics_dt: seconds per physics step.
        watchers: called with the data a few times within every step, to show how things move; they must
            change nothing.
        tcp_pos_w: measured TCP position (3, m, world frame). A view: it changes as the simulation moves.
        target_pos_w: commanded TCP position (3, m, world frame). A view.
        target_quat_w: commanded TCP orientation (4, w x y z). A view.
        stable: whether every coordinate, velocity and acceleration of the last step was a number below 1e10.
            Where one is not, the engine begins anew by itself, which also puts the target elsewhere.

    A `model` that was composed from the same arguments before saves compiling it again; several simulations
    may share one.
    """

    data_type: ClassVar[type[mujoco.MjData]] = mujoco.MjData
    """Class of `data`."""

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
        self.data = data = self.data_type(model)
        tcp, mocap = int(model.site(robot.tcp_site).id), int(model.body(TARGET).mocapid[0])
        self.tcp_pos_w, self._tcp_axes = data.site_xpos[tcp], data.site_xmat[tcp]
        self.target_pos_w, self.target_quat_w = data.mocap_pos[mocap], data.mocap_quat[mocap]
        self._tcp = tcp
        self._qpos, self._qvel = data.qpos, data.qvel
        self._joint_qpos = [int(model.joint(name).qposadr[0]) for name in robot.joints]
        self._arm_of_qpos = itemgetter(*self._joint_qpos)
        self._arm_of_qvel = itemgetter(*(int(model.joint(name).dofadr[0]) for name in robot.joints))
        finger = int(model.joint(robot.finger_joints[0]).qposadr[0])
        self._finger_pos = data.qpos[finger : finger + 1]
        finger = int(model.actuator(robot.finger_actuator).id)
        self._finger_command = data.ctrl[finger : finger + 1]
        self.watchers: tuple[Watcher, ...] = ()
        servo = [model.actuator(name) for name in SERVO_NAMES]
        self._servo_ctrl = data.ctrl[_slice([actuator.id for actuator in servo])]
        self._servo_act = data.act[_slice([actuator.actadr[0] for actuator in servo])]
        self._free_qpos = {prop.name: int(model.joint(prop.name).qposadr[0]) for prop in scene.props}
        self._fixtures = {socket.name: int(model.body(socket.name).mocapid[0]) for socket in scene.sockets}
        bodies = {name: int(model.body(name).id) for name in (*self._free_qpos, *self._fixtures)}
        self._body_pos = {name: data.xpos[body] for name, body in bodies.items()}
        self._body_axes = {name: data.xmat[body].reshape(3, 3) for name, body in bodies.items()}
        self._home = self._home_qpos()
        impedance = robot.impedance
        self._lag = [impedance.translation_damping / impedance.translation_stiffness] * 3
        self._lag += [impedance.rotation_damping / impedance.rotation_stiffness] * 3
        self._least_cos = math.cos(impedance.max_rotation_lead)
        self._asleep = data.tree_asleep if sleeps() else np.full(model.ntree, -1, np.int32)
        self._tree_dofs = [
            slice(start, start + count)
            for start, count in zip(model.tree_dofadr.tolist(), model.tree_dofnum.tolist(), strict=True)
        ]
        self.stable = True
        self._axes_of: list[float] = []
        self._target_axes: list[float] = []
        self._target_columns: list[list[float]] = []
        self._quat = np.zeros(4)
        self._turn = np.zeros(4)

    def __getstate__(self) -> dict[str, Any]:
        """Return what makes a simulation that goes on alike: views into MuJoCo's memory cannot be pickled."""
        made_of = {
            name: getattr(self, name) for name in ("robot", "scene", "control_dt", "physics_dt", "model")
        }
        return {"made_of": made_of, "state": self.save()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make it anew, and continue bit for bit."""
        self.__init__(**state["made_of"])  # type: ignore[misc]
        self.restore(state["state"])

    # Measured quantities, in SI units.

    @property
    def tcp_quat_w(self) -> Array:
        """Measured TCP orientation (4, w x y z), a fresh array."""
        quat = np.empty(4)
        mujoco.mju_mat2Quat(quat, self._tcp_axes)
        return quat

    @property
    def joint_pos(self) -> tuple[float, ...]:
        """Arm joint positions (rad)."""
        return self._arm_of_qpos(self._qpos.tolist())

    @property
    def joint_vel(self) -> tuple[float, ...]:
        """Arm joint velocities (rad/s)."""
        return self._arm_of_qvel(self._qvel.tolist())

    @property
    def closure(self) -> float:
        """How far the fingers are closed: 0 fully open, 1 touching. Measured, not commanded."""
        hand = self.robot.hand
        travel = self._finger_pos.item() - hand.open_position
        return min(1.0, max(0.0, travel / (hand.closed_position - hand.open_position)))

    @property
    def aperture(self) -> float:
        """Free width between the fingers (m)."""
        return (1.0 - self.closure) * self.robot.hand.max_aperture

    @property
    def gripper_closing(self) -> bool:
        """True when the fingers were last told to close."""
        hand = self.robot.hand
        command = self._finger_command.item()
        return abs(command - hand.closed_position) < abs(command - hand.open_position)

    def body_pos_w(self, name: str) -> Array:
        """Return the position of a prop or socket (3, m). A view."""
        return self._body_pos[name]

    def point_pos_w(self, name: str, point: Sequence[float]) -> Array:
        """Return where `point` (3, m, in the frame of a prop or socket) is (3, m), a fresh array."""
        return self._body_pos[name] + self._body_axes[name] @ point

    # Commands.

    def reset(self, poses: Mapping[str, Sequence[float]]) -> None:
        """Put the robot at its home, props and sockets at `poses` (x y z [and quaternion]), all at rest."""
        data = self.data
        self.stable = True
        mujoco.mj_resetData(self.model, data)
        data.qpos[:] = self._home
        for name, pose in poses.items():
            if name in self._fixtures:
                data.mocap_pos[self._fixtures[name]] = pose[:3]
                data.mocap_quat[self._fixtures[name]] = pose[3:] if len(pose) > 3 else (1, 0, 0, 0)
            else:
                start = self._free_qpos[name]
                data.qpos[start : start + len(pose)] = pose
        self._finger_command[:] = self.robot.hand.open_position
        mujoco.mj_kinematics(self.model, data)
        self.anchor_target()
        mujoco.mj_forward(self.model, data)

    def anchor_target(self) -> None:
        """Put the target where the TCP is, so that whoever commands next starts without a jerk.

        What the TCP still moves is braked: the next step begins with its set-point `BRAKE` seconds of motion
        behind the target and lets it come back within the control period.
        """
        model, data = self.model, self.data
        self.target_pos_w[:] = self.tcp_pos_w
        self.target_quat_w[:] = self.tcp_quat_w
        mujoco.mj_comPos(model, data)
        mujoco.mj_comVel(model, data)
        twist = np.empty(6)  # rotation first, in the TCP's axes, which are now the target's
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_SITE, self._tcp, twist, 1)
        self._servo_act[:] = -BRAKE * np.roll(twist, 3)

    def command_gripper(self, opening: float) -> None:
        """Send the fingers to `opening`: 0 closed, 1 open. They keep going until told otherwise."""
        hand = self.robot.hand
        self._finger_command[:] = hand.closed_position + opening * (hand.open_position - hand.closed_position)

    def step(self, translation: Vector, rotation: Vector, low: Vector, high: Vector) -> None:
        """Move the target over one control period and simulate that period.

        Args:
            translation: displacement of the target (3, m, world axes).
            rotation: rotation vector of the target (3, rad, world axes).
            low: lower corner (3, m, world frame) of the box that the target must not leave. A target outside
                may only move towards it.
            high: its upper corner.
        """
        self._keep_target_near_tcp()
        start, dt, columns = self.target_pos_w.tolist(), self.control_dt, self._target_columns
        bounds = zip(start, translation, low, high, strict=True)
        goal = [min(max(pos + delta, min(least, pos)), max(most, pos)) for pos, delta, least, most in bounds]
        x, y, z = goal[0] - start[0], goal[1] - start[1], goal[2] - start[2]
        rx, ry, rz = rotation
        velocity = [(a * x + b * y + c * z) / dt for a, b, c in columns]
        velocity += [(a * rx + b * ry + c * rz) / dt for a, b, c in columns]
        act = self._servo_act.tolist()
        self._servo_ctrl[:] = [speed - lead / dt for speed, lead in zip(velocity, act, strict=True)]
        ahead = zip(act, self._lag, velocity, strict=True)
        self._servo_act[:] = [lead + lag * speed for lead, lag, speed in ahead]
        self._advance()
        self.stable = self.target_pos_w.tolist() == start
        self._servo_act[:] = 0.0
        self.target_pos_w[:] = goal
        if rx or ry or rz:
            angle = math.hypot(rx, ry, rz)
            mujoco.mju_axisAngle2Quat(self._turn, (rx / angle, ry / angle, rz / angle), angle)
            mujoco.mju_mulQuat(self._quat, self._turn, self.target_quat_w)
            mujoco.mju_normalize4(self._quat)
            self.target_quat_w[:] = self._quat
        self._update_kinematics()

    # Saved states.

    def save(self) -> Array:
        """Return everything that the next step depends on, as one array."""
        size = mujoco.mj_stateSize(self.model, PHYSICS_STATE)
        state = np.empty(size + len(self._asleep))
        mujoco.mj_getState(self.model, self.data, state[:size], PHYSICS_STATE)
        state[size:] = self._asleep
        return state

    def restore(self, state: Array) -> None:
        """Continue from what `save` returned, bit for bit."""
        size = mujoco.mj_stateSize(self.model, PHYSICS_STATE)
        needed = size + len(self._asleep)
        if np.shape(state) != (needed,):
            raise InvalidStateError(
                f"physics state has shape {np.shape(state)}, this model needs ({needed},)"
            )
        self.stable = True
        mujoco.mj_resetData(self.model, self.data)  # all awake, as every saved state is
        mujoco.mj_setState(self.model, self.data, state[:size], PHYSICS_STATE)
        self._asleep[:] = state[size:]
        mujoco.mj_kinematics(self.model, self.data)

    # Internals.

    def _advance(self) -> None:
        """Simulate one control period."""
        left = self._nstep
        while self.watchers and left > self._watch_every:
            mujoco.mj_step(self.model, self.data, self._watch_every)
            left -= self._watch_every
            for watcher in self.watchers:
                watcher(self.data)
        mujoco.mj_step(self.model, self.data, left)

    def _update_kinematics(self) -> None:
        """Update positions; what sleeps is woken, to fall asleep again in the next physics step.

        Between steps everything is thus awake, and a saved state, which cannot hold sleep, is complete.
        A velocity of -0.0 is how the engine is told to wake something.
        """
        asleep = [tree for tree, count in enumerate(self._asleep.tolist()) if count >= 0]
        for tree in asleep:
            self._qvel[self._tree_dofs[tree]] = -0.0
        mujoco.mj_kinematics(self.model, self.data)
        for tree in asleep:
            self._asleep[tree] = -1

    def _keep_target_near_tcp(self) -> None:
        """Pull the target back to within its leads, and learn its axes."""
        impedance, target = self.robot.impedance, self.target_pos_w
        distance = math.dist(target.tolist(), self.tcp_pos_w.tolist())
        if distance > impedance.max_lead:
            target[:] = self.tcp_pos_w + (target - self.tcp_pos_w) * (impedance.max_lead / distance)
        self._learn_target_axes()
        trace = sum(map(mul, self._target_axes, self._tcp_axes.tolist()))
        if trace < 1.0 + 2.0 * self._least_cos:  # the trace of a rotation is 1 + 2 cos(angle)
            error, quat = np.empty(3), self.tcp_quat_w
            mujoco.mju_subQuat(error, self.target_quat_w, quat)
            mujoco.mju_quatIntegrate(quat, error, impedance.max_rotation_lead / math.hypot(*error))
            self.target_quat_w[:] = quat
            self._learn_target_axes()

    def _learn_target_axes(self) -> None:
        """Keep the target's rotation matrix, by rows and by columns, until the target turns again."""
        quat = self.target_quat_w.tolist()
        if quat == self._axes_of:
            return
        matrix = np.empty(9)
        mujoco.mju_quat2Mat(matrix, quat)
        self._axes_of, self._target_axes = quat, matrix.tolist()
        self._target_columns = matrix.reshape(3, 3).T.tolist()

    def _home_qpos(self) -> Array:
        qpos = self.model.qpos0.copy()
        qpos[self._joint_qpos] = self.robot.arm.homes[self.scene.robot_home]
        for joint in self.robot.finger_joints:
            qpos[self.model.joint(joint).qposadr] = self.robot.hand.open_position
        return qpos


def _slice(addresses: Sequence[int]) -> slice:
    """Return the slice of consecutive addresses: indexing with it gives a view."""
    first = int(addresses[0])
    assert list(addresses) == list(range(first, first + len(addresses))), addresses
    return slice(first, first + len(addresses))
