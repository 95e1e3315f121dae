"""An environment whose robot is an arm outside the simulation.

The simulation's model of the arm is moved to where the arm says that it is, and serves for kinematics and pictures
only. So actions, observations, operators, pages and recordings are those of simulated environments.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import mujoco
import numpy as np

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.core.errors import DeviceError, InvalidArgumentError
from gym_hil.core.step_record import StepRecord
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.envs.observations import Observation
from gym_hil.envs.robot_actions import make_robot_action
from gym_hil.integrations.lerobot.real_arm.connection import ConnectedArm, Measurement
from gym_hil.robots.base import Robot
from gym_hil.robots.geometry import Box
from gym_hil.scenes.scene import Scene
from gym_hil.simulation.joint_control import JointControl
from gym_hil.simulation.rendering import Image
from gym_hil.simulation.simulation import Array, Simulation, Vector
from gym_hil.tasks.base import Start, Task
from gym_hil.tasks.needs import Needs

log = logging.getLogger(__name__)
HOME = "above_table"
ARRIVED = 0.15
"""An arm is at its start if no joint is farther away (rad): the servos of an SO-101 give way under its weight."""


@dataclass(frozen=True, kw_only=True)
class SafetyLimits:
    """What an arm outside the simulation never exceeds.

    Attributes:
        joint_speed: of every joint, while it acts (rad/s).
        homing_speed: of every joint, on the way to the start (rad/s).
        lead: farthest that a servo's goal is from its measured position (rad).
        current: of every servo (A), where the arm measures it; if one draws more for `current_time`, the arm stops and
            the episode ends.
        current_time: s; a joint that starts to move draws much current for a moment.
        workspace: box that the TCP is kept in (world frame, which is the arm's base); None for the robot's.
    """

    joint_speed: float = 1.5
    homing_speed: float = 0.5
    lead: float = 0.3
    current: float = 1.5
    current_time: float = 0.5
    workspace: Box | None = None


class PersonJudges(Task):
    """A task of which only a person knows whether it is done."""

    name = "PersonJudges"
    description = "Do what the person shows."
    max_episode_steps: ClassVar[int] = 300
    observation_size = 0
    needs = Needs()

    def __init__(self, robot: Robot, workspace: Box | None = None) -> None:
        super().__init__(robot)
        self.scene = Scene(home=HOME)
        self.workspace = workspace or robot.workspace.tcp

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Return nothing: nobody knows where the objects are."""
        return {}

    def observe(self, sim: Simulation) -> Array:
        """Return no objects."""
        return np.zeros(0)

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return no terms."""
        return {}

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return False: the person says so."""
        return False


class RemoteControl(JointControl):
    """Joint control whose set-points are what an arm was sent; nothing is simulated."""

    def command_joints(self, positions: Vector) -> None:
        """Send the joints to `positions` (rad) in the next control period, or as far as they turn."""
        self._goal = np.clip(positions, self._low, self._high).tolist()

    @property
    def wanted(self) -> Array:
        """Where the joints are to go in the next control period (rad), a fresh array."""
        return self._act.copy() if self._goal is None else np.array(self._goal)

    def set_target(self, positions: Array) -> None:
        """Note that the joints were sent to `positions` (rad)."""
        self._act[:] = positions
        self._goal = None

    def tcp_at(self, positions: Array) -> Array:
        """Return where the TCP is (3, m, world frame) with the joints at `positions` (rad)."""
        self._commanded.qpos[self._qpos] = positions
        mujoco.mj_kinematics(self._model, self._commanded)
        return self._commanded.site_xpos[self._tcp].copy()


class Mirror(Simulation):
    """A model of an arm that is where the arm is; its step is one control period of the arm.

    Attributes:
        arm: the arm.
        measured: what it measured last; None before it was reached.
        limits: what it never exceeds.
        box: what the TCP is kept in (world frame).
        clock: keeps the control rate.
    """

    arm: ConnectedArm
    limits: SafetyLimits
    box: Box
    clock: Clock
    measured: Measurement | None = None
    _due: float | None = None
    _strained_s: float = 0.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, control="joint", **options)
        effector = self._first
        self._control = RemoteControl(self.model, self.data, effector.spec, self.control_dt)
        effector.control = self._control
        self._controls = [self._control]

    def step(self) -> None:
        """Send the arm where it is told to go, within its limits, and measure at the end of the period.

        Raises:
            DeviceError: it does not answer, or a servo draws too much current. It holds its position.
        """
        self._send(self._within_limits(self._control.wanted, self.limits.joint_speed))
        self._wait()
        self._measure()

    def reach(self) -> None:
        """Connect to the arm, and begin where it is."""
        self.arm.connect()
        self._due = None
        self._measure()
        self.hold()

    def hold(self) -> None:
        """Make the measured position the goal of all servos."""
        measured = self.measured
        assert measured is not None
        self._control.set_target(np.array(measured.joints))
        self._command_opening(measured.opening)
        self.arm.send(measured.joints, measured.opening)

    def go(self, joints: Sequence[float], opening: float) -> None:
        """Go to a configuration (rad) along a straight line in joint space, slowly, and wait for it.

        Raises:
            DeviceError: the arm does not answer, or does not get there.
        """
        self._command_opening(opening)
        goal, speed = np.array(joints), self.limits.homing_speed * self.control_dt
        steps = 20 + 2 * int(np.abs(goal - self._control.target_joint_pos).max() / speed)
        while not self._is_at(goal):
            steps -= 1
            if steps < 0:
                self.hold()
                raise DeviceError("the arm does not get to its start: something is in its way")
            self._send(self._within_limits(goal, self.limits.homing_speed, keep_in_box=False))
            self._wait()
            self._measure()

    def reset(self, poses: Mapping[str, Sequence[float]]) -> None:
        """Leave the arm where it is."""
        if self.measured is None:
            super().reset(poses)

    def _is_at(self, goal: Array) -> bool:
        """Return whether the arm was sent to a configuration (rad) and is near it."""
        assert self.measured is not None
        sent = np.allclose(self._control.target_joint_pos, goal, atol=1e-6)
        return sent and np.allclose(self.measured.joints, goal, atol=ARRIVED)

    def _within_limits(self, wanted: Array, speed: float, *, keep_in_box: bool = True) -> Array:
        assert self.measured is not None
        now, here = self._control.target_joint_pos, np.array(self.measured.joints)
        way = wanted - now
        largest = float(np.abs(way).max())
        if largest > speed * self.control_dt:  # all joints alike, so that the direction stays
            way *= speed * self.control_dt / largest
        goal = np.clip(now + way, here - self.limits.lead, here + self.limits.lead)
        before, after = (self._outside(self._control.tcp_at(joints)) for joints in (now, goal))
        return now if keep_in_box and after > before + 1e-4 else goal

    def _outside(self, tcp_pos_w: Array) -> float:
        """Return how far a position is outside the box, along the axis where it is farthest (m); 0 inside."""
        return float(
            np.maximum(np.subtract(self.box.low, tcp_pos_w), tcp_pos_w - self.box.high).max().clip(0.0)
        )

    def _send(self, goal: Array) -> None:
        self._control.set_target(goal)
        near, far = self.robot.end_effectors[0].hand.finger_range
        opening = (self._first.commanded_fingers - near) / (far - near)
        self.arm.send(goal.tolist(), opening)

    def _command_opening(self, opening: float) -> None:
        near, far = self.robot.end_effectors[0].hand.finger_range
        self._first.command_fingers(near + opening * (far - near))

    def _measure(self) -> None:
        self.measured = measured = self.arm.read()
        effector, data = self.robot.end_effectors[0], self.data
        near, far = effector.hand.finger_range
        positions = (*measured.joints, near + measured.opening * (far - near))
        for name, position in zip((*effector.joints, effector.finger_joints[0]), positions, strict=True):
            joint = self.model.joint(name)
            data.qvel[joint.dofadr] = (position - data.qpos[joint.qposadr]) / self.control_dt
            data.qpos[joint.qposadr] = position
        mujoco.mj_kinematics(self.model, data)
        current = max(measured.currents, default=0.0)
        self._strained_s = self._strained_s + self.control_dt if current > self.limits.current else 0.0
        if self._strained_s > self.limits.current_time:
            self._strained_s = 0.0
            self.hold()
            raise DeviceError(
                f"a servo draws {current:.2f} A, and for {self.limits.current_time:.1f} s has drawn more than "
                f"{self.limits.current:.2f} A"
            )

    def _wait(self) -> None:
        now = self.clock.monotonic()
        due = now if self._due is None else self._due
        self._due = max(due + self.control_dt, now)
        self.clock.sleep(self._due - self.clock.monotonic())


class RealArmEnv(ManipulationEnv):
    """An arm outside the simulation.

    Nothing moves before the person has confirmed it: at the beginning of every episode, and after the arm did not
    answer. When a step fails, the arm holds its position and the episode is cut off. Observations are what the arm
    measures, and the images of its cameras if it has any.

    Args:
        arm: how it is reached.
        robot: the model of it.
        confirm: shows a text to the person and returns once they agree.
        limits: what the arm never exceeds.
        action: what an action means, one of `gym_hil.envs.actions.ACTIONS` without ``"twist"``.
        control_dt: seconds per step.
        clock: keeps the control rate.
        kwargs: of `ManipulationEnv`.
    """

    def __init__(
        self,
        arm: ConnectedArm,
        robot: Robot,
        confirm: Callable[[str], None],
        *,
        limits: SafetyLimits = SafetyLimits(),
        action: str = "xyz",
        control_dt: float = 0.1,
        clock: Clock = SYSTEM_CLOCK,
        **kwargs: Any,
    ) -> None:
        self._arm, self._limits_of_arm, self._clock = arm, limits, clock
        self._confirm, self._reached = confirm, False
        super().__init__(
            cast("type[Task]", functools.partial(PersonJudges, workspace=limits.workspace)),
            robot=robot,
            action_term=make_robot_action(action, robot),
            control_dt=control_dt,
            image_obs=bool(arm.cameras),
            **kwargs,
        )
        if missing := set(self.cameras.observed) - set(arm.cameras) if arm.cameras else set():
            raise InvalidArgumentError(f"the arm has no camera {sorted(missing)}; it needs one for each of "
                                       f"{sorted(self.cameras.observed)}, or none at all")  # fmt: skip

    @property
    def mirror(self) -> Mirror:
        """The model of the arm."""
        return cast(Mirror, self.simulation)

    def reset(self, **kwargs: Any) -> tuple[Observation, dict[str, Any]]:
        """Let the person put the objects back, then move slowly to the start.

        Args:
            kwargs: of `ManipulationEnv.reset`.
        """
        home = self.simulation.robot.home(HOME)
        hand = self.simulation.robot.end_effectors[0].hand
        near, far = hand.finger_range
        while True:
            self._confirm("Put the objects back and keep clear: the arm moves to its start when you agree.")
            try:
                if not self._reached:
                    self.mirror.reach()
                    self._reached = True
                self.mirror.go(home, (hand.open_position - near) / (far - near))
                break
            except DeviceError as error:
                self._reached = False
                self._confirm(f"{error}. Check the arm and its cable; it is tried again when you agree.")
        return super().reset(**kwargs)

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Act for one control period; see `ManipulationEnv.step`. A step that fails cuts the episode off."""
        try:
            return super().step(action)
        except DeviceError as error:
            failure = str(error)
            log.warning("The arm was stopped, and the episode is cut off: %s.", failure)
        self._reached, self._done = False, True
        self._elapsed_steps += 1
        neutral, executed = self.action_term.neutral(), self.action_term.clip(action)
        record = StepRecord(
            executed_action=executed,
            policy_action=executed,
            neutral_action=neutral,
            step=self._elapsed_steps,
            truncated=True,
        )
        return self.observe(), 0.0, False, True, {**record.to_info(), "device_error": failure}

    def draw(self) -> dict[str, Image]:
        """Return what the arm's cameras see, in the size of the observation."""
        from PIL import Image as Picture

        spec, measured = self.render_spec, self.mirror.measured
        images = {} if measured is None else measured.images
        blank = np.zeros((spec.height, spec.width, 3), np.uint8)
        return {
            name: np.array(Picture.fromarray(images[name]).resize((spec.width, spec.height)))
            if name in images
            else blank.copy()
            for name in self.cameras.observed
        }

    def hand_over(self) -> None:
        """Start the next step from where the servos are told to be: the arm holds, whoever commands next."""

    def close(self) -> None:
        """Let go of the port; the servos keep holding. Calling it twice is allowed."""
        self._arm.close()
        super().close()

    def _simulate(self, robot: Robot, control_dt: float, physics_dt: float) -> Simulation:
        mirror = Mirror(robot, self.task.scene, control_dt=control_dt, physics_dt=physics_dt)
        mirror.arm, mirror.limits, mirror.clock = self._arm, self._limits_of_arm, self._clock
        mirror.box = self.task.workspace
        return mirror
