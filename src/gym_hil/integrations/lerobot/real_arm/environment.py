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
from gym_hil.integrations.lerobot.real_arm.mirror import USUAL_LIMITS, Mirror, SafetyLimits
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
    """A task of which only a person knows whether it is done."""

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


def _make_task(task: str | type[Task], workspace: Box | None, robot: Robot) -> Task:
    made = (TASKS.get(task) if isinstance(task, str) else task)(robot)
    made.workspace = workspace or made.workspace
    return made


class RealArmEnv(ManipulationEnv):
    """An arm outside the simulation.

    Nothing moves before the person has confirmed it: at the beginning of every episode, and after the arm did not
    answer. When a step fails, the arm holds its position and the episode is cut off. Observations are what the arm
    measures, and the images of its cameras if it has any.

    The person says whether an episode has succeeded. If something measures where the objects are, the task does so as
    in simulation; a learned reward does so by `judge_by`.

    Args:
        arm: how it is reached.
        robot: the model of it.
        confirm: shows a text to the person and returns once they agree.
        put_back: lets the objects be put back before an episode, and returns when the arm may move; None for `confirm`.
        limits: what the arm never exceeds.
        scene: what measures where the objects of `task` are; None if nothing does.
        task: name of the task whose objects `scene` measures.
        description: what the person shows, in words; by default the task's.
        action_term: the actions; by default displacements of the TCP.
        image_obs: whether to observe images without cameras as well, which are black.
        state_obs: whether to append the objects' positions to ``agent_pos``, and to observe no images.
        observation_terms: see `ManipulationEnv`; by default `ALL_TERMS` if there are cameras.
        clock: keeps the control rate.
        kwargs: of `ManipulationEnv`.
    """

    def __init__(
        self,
        arm: ConnectedArm,
        robot: Robot,
        confirm: Callable[[str], None],
        *,
        put_back: Callable[[str], None] | None = None,
        limits: SafetyLimits = USUAL_LIMITS,
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
        self._confirm, self._reached = confirm, False
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

    overruns = property(attrgetter("mirror.overruns"))
    """Number of steps that took longer than a control period."""
    worst_overrun_s = property(attrgetter("mirror.worst_overrun_s"))
    """Largest delay of a step (s)."""

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
            try:
                self._put_back(
                    "Put the objects back and keep clear: the arm moves to its start when you agree."
                )
                if not self._reached:
                    self.mirror.reach()
                    self._reached = True
                self.mirror.go(home, (hand.open_position - near) / (far - near))
                break
            except DeviceError as error:
                self._reached = False
                self._confirm(f"{error}. Check the arm and its cable; it is tried again when you agree.")
        observation, info = super().reset(**kwargs)
        if self._scene is not None:
            places = self.mirror.places()
            self._start = {name: places[name][: len(drawn)] for name, drawn in self._start.items()}
        return observation, info

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
            reason=TerminationReason.DEVICE_ERROR,
        )
        return self.observe(), 0.0, False, True, {**record.to_info(), "device_error": failure}

    def draw(self) -> dict[str, Image]:
        """Return what the arm's cameras see, in the size of the observation."""
        spec = self.render_spec
        return dict(zip(self.cameras.observed, self._images(spec.height, spec.width), strict=True))

    def camera_images(self, size: int) -> list[Image]:
        """Return what the observed cameras see (`size`, `size`, 3, uint8), in their order; black without cameras."""
        return self._images(size, size)

    def observe_further(self) -> Observation:
        """Return the observations besides positions, by their keys, with the images of the cameras: unlike those of a
        simulation they cannot be rendered again.
        """
        further = super().observe_further()
        return {**further, "images": self.draw()} if self._arm.cameras else further

    def hand_over(self) -> None:
        """Start the next step from where the servos are told to be: the arm holds, whoever commands next."""

    def close(self) -> None:
        """Let go of the port; the servos keep holding. Calling it twice is allowed."""
        self._arm.close()
        if self._scene is not None:
            self._scene.close()
        super().close()

    def _images(self, height: int, width: int) -> list[Image]:
        from PIL import Image as Picture

        measured = self.mirror.measured
        images = {} if measured is None else measured.images
        return [
            np.array(Picture.fromarray(images[name]).resize((width, height)))
            if name in images
            else np.zeros((height, width, 3), np.uint8)
            for name in self.cameras.observed
        ]

    def _simulate(self, robot: Robot, control_dt: float, physics_dt: float) -> Simulation:
        mirror = Mirror(robot, self.task.scene, control_dt=control_dt, physics_dt=physics_dt)
        mirror.arm, mirror.limits, mirror.clock = self._arm, self._limits_of_arm, self._clock
        mirror.box, mirror.objects = self.task.workspace, self._scene
        return mirror
