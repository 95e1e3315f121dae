"""An environment whose robot is an arm outside the simulation."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, ClassVar, cast

import numpy as np

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.core.errors import DeviceError, InvalidArgumentError
from gym_hil.core.schema import TerminationReason
from gym_hil.core.step_record import StepRecord
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.envs.observations import Observation
from gym_hil.envs.robot_actions import RobotAction, make_robot_action
from gym_hil.integrations.lerobot.real_arm.connection import ConnectedArm
from gym_hil.integrations.lerobot.real_arm.digital_twin import DEFAULT_LIMITS, DigitalTwin, SafetyLimits
from gym_hil.integrations.lerobot.real_arm.scene import MeasuredScene
from gym_hil.robots.base import Robot
from gym_hil.robots.geometry import Box
from gym_hil.scenes.scene import Scene
from gym_hil.simulation.rendering import Image
from gym_hil.simulation.simulation import Array, Simulation
from gym_hil.tasks import TASKS
from gym_hil.tasks.base import Start, Task
from gym_hil.tasks.needs import Needs

log = logging.getLogger(__name__)
HOME = "above_table"
ALL_TERMS = ("proprioception", "objects", "rgb")
"""Observation terms of an arm with cameras."""


class PersonJudges(Task):
    """A task whose success only a person can judge."""

    name = "PersonJudges"
    description = "Do what the person shows."
    max_episode_steps: ClassVar[int] = 300
    observation_size = 0
    needs = Needs()

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        self.scene = Scene(home=HOME)
        self.workspace = robot.workspace.tcp

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Return an empty initial state, because the poses of the objects are unknown."""
        return {}

    def observe(self, sim: Simulation) -> Array:
        """Return an empty array, because the poses of the objects are unknown."""
        return np.zeros(0)

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return an empty dictionary."""
        return {}

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return False, because only the person's button reports a success."""
        return False


def _make_task(task: str | type[Task], workspace: Box | None, robot: Robot) -> Task:
    made = (TASKS.get(task) if isinstance(task, str) else task)(robot)
    made.workspace = workspace or made.workspace
    return made


class RealArmEnv(ManipulationEnv):
    """An arm outside the simulation.

    The arm moves only after a person's confirmation, at the beginning of every episode and after a failed connection.
    When a step fails, the arm holds its position and the episode is truncated. Observations are the measurements of the
    arm, and the images of its cameras if it has any.

    The person's buttons determine success. If the poses of the objects are measured, the task determines it as in
    simulation. A learned reward can be set by `set_success_detector`.

    Args:
        arm: the connection to the arm.
        robot: the model of the arm.
        confirm: shows a text to the person, and returns when they have confirmed it.
        put_back: requests that the objects are put back before an episode, and returns when the arm may move; None
            for `confirm`.
        limits: safety limits of the arm.
        scene: measures the poses of the objects of `task`; None if they are not measured.
        task: name of the task whose objects `scene` measures.
        description: instruction for the person in words; by default that of the task.
        action_term: the action term; by default displacements of the TCP.
        image_obs: whether to observe images even if there are no cameras; they are black then.
        state_obs: whether to append the objects' positions to ``agent_pos``, and to observe no images.
        observation_terms: see `ManipulationEnv`; by default `ALL_TERMS` if there are cameras.
        clock: clock that keeps the control rate.
        kwargs: further arguments of `ManipulationEnv`.
    """

    def __init__(
        self,
        arm: ConnectedArm,
        robot: Robot,
        confirm: Callable[[str], None],
        *,
        put_back: Callable[[str], None] | None = None,
        limits: SafetyLimits = DEFAULT_LIMITS,
        scene: MeasuredScene | None = None,
        task: str | type[Task] = PersonJudges,
        description: str = "",
        action_term: RobotAction | None = None,
        image_obs: bool = False,
        state_obs: bool = False,
        observation_terms: Sequence[Any] | None = None,
        clock: Clock = SYSTEM_CLOCK,
        **kwargs: Any,
    ) -> None:
        self._arm, self._limits_of_arm, self._clock, self._scene = arm, limits, clock, scene
        self._confirm, self._connected, self._must_brake = confirm, False, False
        self._put_back = put_back or confirm
        super().__init__(
            cast(
                "type[Task]", functools.partial(_make_task, task if scene else PersonJudges, limits.workspace)
            ),
            robot=robot,
            action_term=action_term or make_robot_action("xyz", robot),
            image_obs=image_obs,
            state_obs=state_obs,
            observation_terms=observation_terms or (ALL_TERMS if arm.cameras and not state_obs else None),
            **kwargs,
        )
        self.task_description = description or self.task_description
        if missing := set(self.cameras.observed) - set(arm.cameras) if arm.cameras else set():
            raise InvalidArgumentError(f"the arm has no camera {sorted(missing)}; it needs one for each of "
                                       f"{sorted(self.cameras.observed)}, or none at all")  # fmt: skip
        if limits.workspace is not None:
            self._require_start_within(limits.workspace)

    overruns = property(attrgetter("twin.overruns"))
    """Number of steps that took longer than a control period."""
    worst_overrun_s = property(attrgetter("twin.worst_overrun_s"))
    """Largest delay of a step (s)."""

    @property
    def twin(self) -> DigitalTwin:
        """The model of the arm."""
        return cast(DigitalTwin, self.simulation)

    def reset(self, **kwargs: Any) -> tuple[Observation, dict[str, Any]]:
        """Let the person put the objects back, and then move the arm slowly to its start.

        Args:
            kwargs: arguments of `ManipulationEnv.reset`.
        """
        self._must_brake = False
        self._move_to_start()
        observation, info = super().reset(**kwargs)
        if self._scene is not None:
            places = self.twin.object_poses()
            self._start = {name: places[name][: len(sampled)] for name, sampled in self._start.items()}
        return observation, info

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Execute an action; see `ManipulationEnv.step`. If this fails, the episode is truncated."""
        try:
            if self._must_brake:
                self._must_brake = False
                self.twin.brake()
            return super().step(action)
        except DeviceError as error:
            failure = str(error)
            log.warning("The arm was stopped, and the episode is truncated: %s.", failure)
        self._connected, self._done = False, True
        self._elapsed_steps += 1
        neutral, executed = self.action_term.neutral(), self.action_term.clip(action)
        record = StepRecord(
            executed_action=executed,
            policy_action=executed,
            neutral_action=neutral,
            step=self._elapsed_steps,
            truncated=True,
            reason=TerminationReason.DEVICE_ERROR,
        )
        return self.observe(), 0.0, False, True, {**record.to_info(), "device_error": failure}

    def draw(self) -> dict[str, Image]:
        """Return the images of the arm's cameras, in the size of the observation."""
        spec = self.render_spec
        return dict(zip(self.cameras.observed, self._images(spec.height, spec.width), strict=True))

    def camera_images(self, size: int) -> list[Image]:
        """Return the images (`size`, `size`, 3, uint8) of the observed cameras in order; black ones without cameras."""
        return self._images(size, size)

    def observe_extra_terms(self) -> Observation:
        """Return the additional observations by their keys. They include the images of the cameras, which cannot be
        rendered again as those of a simulation.
        """
        further = super().observe_extra_terms()
        return {**further, "images": self.draw()} if self._arm.cameras else further

    def hand_over(self) -> None:
        """Let the arm brake before the next step, which starts from the commanded positions.

        The measured positions are not commanded: the arm would move backwards, and sink a little under its weight.
        """
        self._must_brake = True

    def close(self) -> None:
        """Close the connection. The servos keep holding their positions. It may be called more than once."""
        self._arm.close()
        if self._scene is not None:
            self._scene.close()
        super().close()

    @property
    def start_pose(self) -> tuple[tuple[float, ...], float]:
        """Joint positions (rad) and opening of the gripper at the beginning of an episode."""
        hand = self.simulation.robot.end_effectors[0].hand
        near, far = hand.finger_range
        return tuple(self.simulation.robot.home(HOME)), (hand.open_position - near) / (far - near)

    def _require_start_within(self, box: Box) -> None:
        start = self.twin.tcp_at(self.start_pose[0])
        if not (np.less(box.low, start).all() and np.less(start, box.high).all()):
            raise InvalidArgumentError(
                f"the workspace from {box.low} to {box.high} does not contain the position of the TCP at the beginning "
                f"of an episode, {tuple(start.round(3).tolist())} (m)"
            )

    def _move_to_start(self) -> None:
        while True:
            try:
                self._put_back(
                    "Put the objects back and keep clear: after your confirmation, the arm moves to its start."
                )
                if not self._connected:
                    self.twin.connect()
                    self._connected = True
                self.twin.move_to(*self.start_pose)
                break
            except DeviceError as error:
                self._connected = False
                self._confirm(
                    f"{error}. Check the arm and its cable. After your confirmation, the connection is tried again."
                )

    def _images(self, height: int, width: int) -> list[Image]:
        from PIL import Image as Picture

        measured = self.twin.measured
        images = {} if measured is None else measured.images
        return [
            np.array(Picture.fromarray(images[name]).resize((width, height)))
            if name in images
            else np.zeros((height, width, 3), np.uint8)
            for name in self.cameras.observed
        ]

    def _simulate(self, robot: Robot, control_dt: float, physics_dt: float) -> Simulation:
        twin = DigitalTwin(robot, self.task.scene, control_dt=control_dt, physics_dt=physics_dt)
        twin.arm, twin.limits, twin.clock = self._arm, self._limits_of_arm, self._clock
        twin.box, twin.objects = self.task.workspace, self._scene
        return twin
