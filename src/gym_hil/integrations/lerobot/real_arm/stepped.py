"""A trained policy on an arm whose control loop is in another program, such as `lerobot-rollout`.

That program measures, asks for a goal, and sends it to the arm once per control period. The limits of joints, workspace
and speed are those of `RealArmEnv`; currents are not measured.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import DeviceError, InvalidArgumentError
from gym_hil.integrations.lerobot.real_arm.connection import Measurement
from gym_hil.integrations.lerobot.real_arm.digital_twin import SafetyLimits
from gym_hil.integrations.lerobot.real_arm.environment import PersonJudges, RealArmEnv
from gym_hil.integrations.lerobot.real_arm.scene import MeasuredScene
from gym_hil.learning.policy_actions import make_actions
from gym_hil.learning.policy_env import make_interface
from gym_hil.learning.policy_file import TrainedPolicy
from gym_hil.learning.policy_observation import PolicyObservation
from gym_hil.robots import ROBOTS

log = logging.getLogger(__name__)
ROBOT = "so101"
"""Robot of the arms that LeRobot connects to."""
CAMERAS = ("front", "wrist")
"""Cameras that a policy observes."""
Goal = tuple[Sequence[float], float]
"""Joint positions (rad) and opening of the gripper, from 0 (closed) to 1 (open)."""


class SteppedArm:
    """An arm whose measurements are given, and whose commands are kept; see `ConnectedArm`.

    Args:
        cameras: names of the cameras.

    Attributes:
        measured: the measurements that are read next.
        goal: the last command.
    """

    measured: Measurement
    goal: Goal

    def __init__(self, cameras: tuple[str, ...]) -> None:
        self.cameras = cameras

    def connect(self) -> None:
        """Do nothing: the other program is connected."""

    def read(self) -> Measurement:
        """Return the given measurements."""
        return self.measured

    def reset_gripper(self) -> None:
        """Do nothing: only the other program can switch servos on and off."""

    def limit_speed(self, speeds: Sequence[float]) -> None:
        """Do nothing: the other program determines how the servos move to a goal."""

    def send(self, joints: Sequence[float], opening: float) -> None:
        """Keep a command, which the other program sends."""
        self.goal = tuple(joints), opening

    def close(self) -> None:
        """Do nothing: the other program closes the connection."""


class NoWaiting:
    """A clock on which no time passes, because the other program keeps the control rate."""

    def monotonic(self) -> float:
        """Return 0."""
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Do nothing."""


class SteppedArmEnv(RealArmEnv):
    """A real arm that is stepped by another program. A reset holds the arm where it is."""

    def _move_to_start(self) -> None:
        self.twin.connect()


class ArmPolicy:
    """A trained policy that maps measurements of an arm to goals, once per control period.

    In the first control periods, the arm moves slowly to the start of an episode. After a success, which is detected
    only if the poses of the objects are measured, the arm holds its position until `begin` is called.

    Args:
        trained: the policy.
        path: file of the policy, for error messages.
        scene: host and port of a program that measures the poses of the objects; empty without such a program.
        joint_speed: largest speed of every joint (rad/s).

    Raises:
        InvalidArgumentError: the policy was trained for another robot or other actions, or it observes poses of
            objects, which are not measured.
    """

    def __init__(
        self, trained: TrainedPolicy, path: Path, *, scene: str = "", joint_speed: float = 1.5
    ) -> None:
        interface, kind = trained.interface, trained.config.observation
        if interface.robot != ROBOT:
            raise InvalidArgumentError(f"{path} was trained for robot {interface.robot}, not {ROBOT}")
        if not kind.has_images and not scene and interface.task != PersonJudges.name:
            raise InvalidArgumentError(
                f"{path} observes the poses of the objects of {interface.task}, which a program must measure: add "
                "--policy.scene=HOST:PORT"
            )
        self._arm = SteppedArm(CAMERAS if kind.has_images else ())
        self._env = SteppedArmEnv(
            self._arm,
            ROBOTS.get(ROBOT),
            lambda text: None,
            limits=SafetyLimits(joint_speed=joint_speed),
            scene=MeasuredScene(scene) if scene else None,
            task=interface.task if scene else PersonJudges,
            state_obs=not kind.has_images,
            control_dt=interface.control_dt,
            clock=NoWaiting(),
        )
        inner = EnvironmentInterface(self._env)
        self._observe, self._actions = PolicyObservation(inner, kind), make_actions(inner)
        interface_of_arm = make_interface(inner, self._observe, self._actions)
        interface.require_same(replace(interface_of_arm, task=interface.task), path)
        self._policy = trained.make_policy()
        self._approach: Iterator[None] | None = None
        self._begun = self._ended = False

    def begin(self) -> None:
        """Begin an episode with the next measurement. The arm is first held at the measured position."""
        self._begun = self._ended = False

    def act(self, measured: Measurement) -> Goal:
        """Return the goal for the next control period. If the measurement is not plausible, the goal stays as it is.

        Args:
            measured: the current measurement.

        Raises:
            DeviceError: the poses of the objects are not measured, or the arm does not reach the start.
        """
        arm, env = self._arm, self._env
        arm.measured = measured
        if not self._begun:
            env.reset()
            self._begun = True
        else:
            try:
                env.twin.measure()
            except DeviceError as error:
                log.warning("The arm holds its position: %s.", error)
                self._begun = False
                return arm.goal
        if self._approach is None:
            self._approach = env.twin.motion_to(*env.start_pose)
        if next(self._approach, True) and not self._ended:
            action = self._actions.to_env(self._policy.act(self._observe(env.observe())))
            _, _, self._ended, truncated, _ = env.step(action)
            self._begun = not truncated
        return arm.goal

    def close(self) -> None:
        """Disconnect from the program that measures the objects."""
        self._env.close()
