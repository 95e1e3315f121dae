"""A running simulation of a composed model, with one `mj_step` call per control period.

The controller is part of the model, see `gym_hil.simulation.cartesian_control`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, ClassVar, Literal

import mujoco
import numpy as np

from gym_hil.core.errors import InvalidStateError
from gym_hil.robots.base import Robot
from gym_hil.scenes.scene import Scene
from gym_hil.simulation.cartesian_control import Array as Array
from gym_hil.simulation.cartesian_control import Vector as Vector
from gym_hil.simulation.composition import compose
from gym_hil.simulation.end_effector import AtTcp, SimulatedEndEffector
from gym_hil.simulation.few_numbers import reader
from gym_hil.simulation.sleep import Sleepers
from gym_hil.simulation.timing import substeps
from gym_hil.simulation.variation import Variation

Watcher = Callable[[mujoco.MjData], None]
PHYSICS_STATE = mujoco.mjtState.mjSTATE_INTEGRATION
CALLS_PER_STEP = 5
"""Number of calls of watchers per step, including that at its end."""
UNSTABLE = [int(getattr(mujoco.mjtWarning, f"mjWARN_BAD{what}")) for what in ("QPOS", "QVEL", "QACC", "CTRL")]
"""The warnings that the engine counts when a number is not finite or above 1e10."""


class Simulation(AtTcp):
    """A simulation of one robot in one scene. All returned arrays are new.

    Properties of an end effector that the simulation has itself, such as `tcp_pos_w`, are those of the first
    end effector.

    Args:
        robot: the robot.
        scene: the scene.
        control_dt: control period (s), a multiple of `physics_dt`.
        physics_dt: duration of a physics step (s).
        control: what actions command: ``"cartesian"`` for the TCPs, or ``"joint"`` for the joints of the
            arms.
        model: a model that was composed from the same arguments, which several simulations can share; None
            composes one.

    Attributes:
        model: the compiled model.
        shared_model: the same without scaled masses and frictions; further simulations may share it.
        data: its state. Derived positions are current after `reset`, `step` and `restore`.
        end_effectors: measurements and commands of the end effectors, in the robot's order.
        watchers: functions that are called with the data several times within every step, and must not change
            it.
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
        control: Literal["cartesian", "joint"] = "cartesian",
        model: mujoco.MjModel | None = None,
    ) -> None:
        self._nstep = substeps(control_dt, physics_dt)
        self._watch_every = -(-self._nstep // CALLS_PER_STEP)
        self.robot = robot
        self.scene = scene
        self.control = control
        self.control_dt = float(control_dt)
        self.physics_dt = float(physics_dt)
        model = compose(robot, scene, physics_dt, control) if model is None else model
        self.shared_model, self._variation = model, Variation(model, scene.variable)
        self.model = model = self._variation.model
        self.data = data = self.data_type(model)
        self.end_effectors = tuple(
            SimulatedEndEffector(model, data, effector, self.control_dt, control)
            for effector in robot.end_effectors
        )
        self._simulated = self.end_effectors[0]
        self._controls = [effector.control for effector in self.end_effectors]
        self.watchers: tuple[Watcher, ...] = ()
        parts = [part for prop in (*scene.props, *scene.fixtures, *scene.targets) for part in prop.parts]
        bodies = {part: int(model.body(part).id) for part in parts}
        self._mocap = {part: int(model.body_mocapid[body]) for part, body in bodies.items()}
        self._qpos = {part: int(model.joint(part).qposadr[0]) for part in parts if self._mocap[part] < 0}
        self._body_pos = {name: data.xpos[body] for name, body in bodies.items()}
        self._body_axes = {name: data.xmat[body].reshape(3, 3) for name, body in bodies.items()}
        self._home = self._home_qpos()
        self._read_warnings = reader(data.warning.number, UNSTABLE)
        self._sleepers = Sleepers(model, data)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is needed to create an equal simulation: views into MuJoCo's memory cannot be pickled."""
        made_of = {
            name: getattr(self, name) for name in ("robot", "scene", "control_dt", "physics_dt", "control")
        }
        made_of["model"] = self.shared_model
        return {"made_of": made_of, "state": self.save()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Create the simulation again, and continue exactly."""
        self.__init__(**state["made_of"])  # type: ignore[misc]
        self.restore(state["state"])

    # Measured quantities, in SI units.

    tcp_quat_w = property(attrgetter("_simulated.tcp_quat_w"))
    """Measured TCP orientation (4, w x y z, world frame)."""
    target_quat_w = property(attrgetter("_simulated.target_quat_w"))
    """Commanded TCP orientation (4, w x y z, world frame)."""
    joint_pos = property(attrgetter("_simulated.joint_pos"))
    """Arm joint positions (rad)."""
    joint_vel = property(attrgetter("_simulated.joint_vel"))
    """Arm joint velocities (rad/s)."""
    tcp_coordinates = property(attrgetter("_simulated.tcp_coordinates"))
    """The numbers of `tcp_pos_w`, which are faster to read than an array."""
    closure = property(attrgetter("_simulated.closure"))
    """Measured closure of the gripper: 0 fully open, 1 closed."""
    aperture = property(attrgetter("_simulated.aperture"))
    """Distance between the fingers (m)."""

    def grasp_offset(self, half_width: float | None = None) -> Array:
        """Return the position of the TCP relative to the grasped object, see `SimulatedEndEffector.grasp_offset`."""
        return self._simulated.grasp_offset(half_width)

    @property
    def world(self) -> Simulation:
        """The simulation in the present state: this one, unless it shows an earlier state of another one."""
        return self

    @property
    def stable(self) -> bool:
        """Whether all positions, velocities and accelerations since the last reset were below 1e10. Otherwise
        MuJoCo counts a warning and resets the state by itself.
        """
        return not any(self._read_warnings())

    def body_pos_w(self, name: str) -> Array:
        """Return the position of a part of a prop (3, m, world frame)."""
        return self._body_pos[name].copy()

    def body_coordinates(self, name: str) -> list[float]:
        """Return the numbers of `body_pos_w`, which are faster to read than an array."""
        return self._body_pos[name].tolist()

    def point_pos_w(self, name: str, point: Sequence[float]) -> Array:
        """Return the position (3, m, world frame) of a point.

        Args:
            name: name of a part of a prop.
            point: the point in its frame (3, m).
        """
        return self._body_pos[name] + self._body_axes[name] @ point

    def poses(self) -> dict[str, list[float]]:
        """Return the poses of all parts of props, in the form that `reset` accepts."""
        model, data, poses = self.model, self.data, {}
        for name, mocap in self._mocap.items():
            if mocap >= 0:
                poses[name] = [*data.mocap_pos[mocap].tolist(), *data.mocap_quat[mocap].tolist()]
            else:
                poses[name] = data.joint(int(model.body(name).jntadr[0])).qpos.tolist()
        return poses

    # Commands.

    def reset(self, poses: Mapping[str, Sequence[float]]) -> None:
        """Move the robot to its home configuration and the parts of props to `poses`, see `Prop.parts`, all
        at rest.
        """
        data = self.data
        self._variation.read(poses)
        mujoco.mj_resetData(self.model, data)
        data.qpos[:] = self._home
        self._place(poses)
        for effector in self.end_effectors:
            effector.command_gripper(1.0)
        mujoco.mj_kinematics(self.model, data)
        self.anchor_target()
        mujoco.mj_forward(self.model, data)

    def reseed(self, rng: np.random.Generator) -> None:
        """Derive the random numbers of the next episode, if there are any, from the state of a generator."""

    def anchor_target(self) -> None:
        """Reset every target to the pose of its TCP, so that a change of control causes no jerk."""
        for control in self._controls:
            control.forget()
            control.anchor()

    def command_gripper(self, opening: float) -> None:
        """Move the fingers to `opening`, 0 closed to 1 open, until the next command."""
        self._simulated.command_gripper(opening)

    def step(self) -> None:
        """Simulate one control period. End effectors without a command do not move."""
        self.begin_period()
        self.advance(self._nstep)
        self.end_period()

    def begin_period(self) -> None:
        """Begin a control period, after all commands for it."""
        for control in self._controls:
            control.begin_step()

    def end_period(self) -> None:
        """End a control period. This is also possible before all of its physics steps were simulated."""
        for control in self._controls:
            control.end_step()
        self._sleepers.wake()

    def advance(self, ticks: int) -> None:
        """Simulate some physics steps within a control period."""
        remaining = ticks
        while self.watchers and remaining > self._watch_every:
            mujoco.mj_step(self.model, self.data, self._watch_every)
            remaining -= self._watch_every
            for watcher in self.watchers:
                watcher(self.data)
        mujoco.mj_step(self.model, self.data, remaining)

    def compute_contacts(self) -> None:
        """Compute the contacts and contact forces of the current state, which does not change."""
        mujoco.mj_forward(self.model, self.data)

    # Saved states.

    def save(self) -> Array:
        """Return the complete state, which determines all further steps, as one array."""
        size = mujoco.mj_stateSize(self.model, PHYSICS_STATE)
        state = np.empty(size)
        mujoco.mj_getState(self.model, self.data, state, PHYSICS_STATE)
        return np.concatenate([state, self._sleepers.countdowns, self._variation.factors])

    def restore(self, state: Array) -> None:
        """Restore the result of `save` exactly.

        Raises:
            InvalidStateError: the state belongs to another model.
        """
        size = mujoco.mj_stateSize(self.model, PHYSICS_STATE)
        asleep = self._sleepers.countdowns
        varied = size + len(asleep)
        needed = varied + len(self._variation.factors)
        if np.shape(state) != (needed,):
            raise InvalidStateError(f"physics state has shape {np.shape(state)} instead of ({needed},)")
        self._variation.use(state[varied:])
        mujoco.mj_resetData(self.model, self.data)  # saved states contain no sleeping bodies
        mujoco.mj_setState(self.model, self.data, state[:size], PHYSICS_STATE)
        asleep[:] = state[size:varied]
        for control in self._controls:
            control.forget()
        mujoco.mj_kinematics(self.model, self.data)

    # Internals.

    def _place(self, poses: Mapping[str, Sequence[float]]) -> None:
        data = self.data
        for name, pose in poses.items():
            if name in self._variation.names:
                continue
            if name not in self._qpos:
                data.mocap_pos[self._mocap[name]] = pose[:3]
                data.mocap_quat[self._mocap[name]] = pose[3:] if len(pose) > 3 else (1, 0, 0, 0)
            else:
                start = self._qpos[name]
                data.qpos[start : start + len(pose)] = pose

    def _home_qpos(self) -> Array:
        qpos = self.model.qpos0.copy()
        home = self.robot.home(self.scene.home)
        for joint, angle in zip(self.robot.joints, home, strict=True):
            qpos[self.model.joint(joint).qposadr] = angle
        for effector in self.robot.end_effectors:
            for joint in effector.finger_joints:
                qpos[self.model.joint(joint).qposadr] = effector.hand.open_position
        return qpos
