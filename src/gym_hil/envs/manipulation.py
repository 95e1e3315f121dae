"""The environment: a robot, a scene and a task behind Gymnasium's interface.

Action (7): dx dy dz (m), drx dry drz (rad, rotation vector), both in world axes, and the gripper: below -0.5
closes, above +0.5 opens, between keeps the last command. Observation: see `observation_space`; `agent_pos` is
joint positions (7, rad), joint velocities (7, rad/s), gripper (0 open .. 255 closed, measured), TCP position
(3, m, world frame).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from gym_hil.core import schema
from gym_hil.core.arguments import require_mapping
from gym_hil.core.errors import (
    DeviceError,
    EpisodeOrderError,
    InvalidArgumentError,
    InvalidStateError,
    MissingExtraError,
    require_one_of,
)
from gym_hil.envs.action import RAW_BOUNDS, clipped_values
from gym_hil.robots import ROBOTS, Robot
from gym_hil.simulation.rendering import GymRenderingSpec, Image, Renderer
from gym_hil.simulation.simulation import Array, Simulation
from gym_hil.simulation.timing import physics_step
from gym_hil.tasks import TASKS, Task
from gym_hil.viewers.base import Screen

if TYPE_CHECKING:
    from gym_hil.devices.page import PageAddress
    from gym_hil.viewers.web.page import Page
    from gym_hil.viewers.window import Window

log = logging.getLogger(__name__)

OBSERVATION_CAMERAS = ("front", "wrist")
VIDEO_CAMERA = "third_person"
STATE_BOUND = 1000.0
"""Bound of every entry of `agent_pos` and `environment_state`; far beyond what physics reaches."""

Observation = dict[str, Any]


@dataclass(frozen=True)
class EnvironmentState:
    """Everything that the rest of an episode, and the episodes after it, depend on."""

    task: str
    physics: Array
    start: dict[str, Array]
    elapsed_steps: int
    done: bool
    rng: dict[str, Any]


class ManipulationEnv(gym.Env[Observation, np.ndarray]):
    """One robot doing one task.

    Args:
        task: the class of a task, or its name.
        seed: seed of the first `reset` that is given none.
        control_dt: seconds per step.
        physics_dt: seconds per physics step, of which a whole number must make a step. By default the largest
            one up to 0.004 that does.
        render_spec: size and quality of images.
        render_mode: ``"rgb_array"``, ``"human"`` (a window, where there is a display) or None.
        image_obs: observe pixels of the cameras ``front`` and ``wrist`` instead of the objects' positions.
        state_obs: append the objects' positions to `agent_pos` and render nothing, whatever `image_obs` says.
            With `image_obs` that is all of the observation: LeRobot's recorder refuses `environment_state`.
        reward_type: ``"sparse"`` (1.0 on success) or ``"dense"`` (in [0, 1]).
        random_block_position: start from random object positions.
        robot: what to control: a `Robot`, or a name in `ROBOTS`.

    Raises:
        InvalidArgumentError: an argument has no meaning; the message names the valid values.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(
        self,
        task: str | type[Task] = "PickCube",
        *,
        seed: int | None = None,
        control_dt: float = 0.1,
        physics_dt: float | None = None,
        render_spec: GymRenderingSpec | None = None,
        render_mode: Literal["rgb_array", "human"] | None = None,
        image_obs: bool = False,
        state_obs: bool = False,
        reward_type: Literal["sparse", "dense"] = "sparse",
        random_block_position: bool = False,
        robot: str | Robot = "panda",
    ) -> None:
        require_one_of("reward_type", reward_type, ("sparse", "dense"))
        require_one_of("render_mode", render_mode, (None, *self.metadata["render_modes"]))
        if isinstance(robot, str):
            robot = ROBOTS.get(robot)
        self.task: Task = (TASKS.get(task) if isinstance(task, str) else task)(robot)
        self.task_description = self.task.description
        self.render_mode = render_mode
        self.image_obs = bool(image_obs) and not state_obs
        self.state_obs = bool(state_obs)
        self._tells_objects = not image_obs
        self.reward_type = reward_type
        self.random_block_position = bool(random_block_position)
        self.render_spec = render_spec or GymRenderingSpec()
        self.simulation = self._simulate(
            robot, control_dt, physics_step(control_dt) if physics_dt is None else physics_dt
        )
        self.metadata = {**self.metadata, "render_fps": round(1.0 / control_dt)}
        self._video_camera = self._camera_number(self.render_spec.camera_id)
        self.action_space = spaces.Box(*np.array(RAW_BOUNDS, np.float32))
        self.observation_space = self._make_observation_space()
        self._seed = seed
        self._start: dict[str, Array] = {}
        self._elapsed_steps = 0
        self._done = True
        self._closed = False
        self._renderers: dict[str, Renderer] = {}
        self.window: Window | None = None
        self._window_refused = False
        self.page: Page | None = None

    # Gymnasium's interface.

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: the same seed gives the same episode, whatever came before.
            options: ``{"state": get_state()}`` continues from a saved state; the other options are the
                task's own, see its module.
        """
        self._require_open("reset")
        if seed is None and self._seed is not None:
            seed = self._seed
        self._seed = None
        super().reset(seed=seed)
        options = dict(require_mapping("options", options or {}, "{'state': env.get_state()}"))
        state = options.pop("state", None)
        self.task.check_options(options)
        if state is not None:
            if options:
                raise InvalidArgumentError(f"reset option 'state' excludes {', '.join(map(repr, options))}")
            self.set_state(state)
        else:
            self._start = dict(
                self.task.sample_start(self.np_random, randomise=self.random_block_position, options=options)
            )
            self.simulation.reset({name: pos.tolist() for name, pos in self._start.items()})
            self._elapsed_steps = 0
            self._done = False
        if self.render_mode == "human":
            self.open_window()
        for screen in self.screens:
            screen.begin()
        self._show(success=False)
        return self.observe(), self._info(self._idle_action(), success=False)

    def step(self, action: np.ndarray) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Act for one control period. Actions beyond `action_space` are clipped to it.

        Raises:
            InvalidActionError: wrong shape, or a value that is not a finite number.
            EpisodeOrderError: before the first `reset`, after the end of an episode, or after `close`.
        """
        self._require_open("step")
        if self._done:
            raise EpisodeOrderError("step was called outside an episode; call reset first")
        command = clipped_values(action, RAW_BOUNDS)
        sim, task = self.simulation, self.task
        if abs(command[6]) > 0.5:
            sim.command_gripper(1.0 if command[6] > 0 else 0.0)
        watchers = (screen.watch() for screen in self.screens)
        sim.watchers = tuple(watcher for watcher in watchers if watcher is not None)
        sim.end_effectors[0].move(command[:3], command[3:6], task.workspace)
        sim.step()
        self._elapsed_steps += 1
        reason: schema.TerminationReason | None = None
        success = False
        if not sim.stable:
            reason = schema.TerminationReason.UNSTABLE
            sim.reset({name: pos.tolist() for name, pos in self._start.items()})
        else:
            success = bool(task.success(sim, self._start))
            reason = schema.TerminationReason.SUCCESS if success else task.failure(sim)
        if self.reward_type == "sparse":
            reward = float(success)
        else:
            reward = task.dense_reward(sim, self._start)
        self._done = reason is not None
        for screen in self.screens:
            screen.count(success)
        self._show(success=success)
        info = self._info(np.array(command, np.float32), success=success, reason=reason)
        return self.observe(), reward, self._done, False, info

    def render(self) -> Image | None:
        """Return an image (height, width, 3) uint8 of `render_spec`'s video size, or None without a mode."""
        self._require_open("render")
        if self.render_mode != "rgb_array":
            return None
        spec = self.render_spec
        if "video" not in self._renderers:
            model = self.simulation.model
            self._renderers["video"] = Renderer(
                model, spec.video_height, spec.video_width, spec.video_quality
            )
        return self._renderers["video"].render(self.simulation.data, self._video_camera)

    def open_window(self, *, show_help: bool = True) -> Window | None:
        """Show every step in a window from now on. Return it, or None where there cannot be one: then one
        line is logged, once, that says why and how to see the robot.
        """
        self._require_open("open_window")
        if self.window is None and not self._window_refused:
            spec = self.render_spec
            from gym_hil.viewers.window import Window

            title = f"gym-hil {self.task.name}"
            try:
                size = (spec.video_width, spec.video_height)
                model, camera = self.simulation.model, self._video_camera
                self.window = Window(title, model, camera, size, show_help=show_help)
            except (DeviceError, MissingExtraError) as error:
                self._window_refused = True
                log.warning("No window: %s. To see the robot in a browser, run: gym-hil play --web", error)
        return self.window

    def open_page(self, address: PageAddress | None = None) -> Page:
        """Show every step on a web page from now on, print its address on a line of its own, and return it.

        Raises:
            DeviceError: `address` cannot be used.
            MissingExtraError: aiohttp is not installed.
        """
        self._require_open("open_page")
        if self.page is None:
            from gym_hil.viewers.web.page import Page

            self.page = Page(f"gym-hil {self.task.name}", self.simulation.model, address)
            print(self.page.url, flush=True)  # noqa: T201
            if not self._done:
                self._show(success=False)
        return self.page

    @property
    def screens(self) -> list[Screen]:
        """What shows it: window and page, where they are open."""
        return [screen for screen in (self.window, self.page) if screen is not None]

    def close(self) -> None:
        """Free all resources. Calling it twice is allowed."""
        self._closed = True
        if self.page is not None:
            self.page.close()
        if self.window is not None:
            self.window.close()
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()

    # Saved states.

    def get_state(self) -> EnvironmentState:
        """Return a state to continue from, bit for bit, with `set_state` or `reset`'s option ``state``."""
        self._require_open("get_state")
        return EnvironmentState(
            task=self.task.name,
            physics=self.simulation.save(),
            start={name: pos.copy() for name, pos in self._start.items()},
            elapsed_steps=self._elapsed_steps,
            done=self._done,
            rng=dict(self.np_random.bit_generator.state),
        )

    def set_state(self, state: EnvironmentState) -> None:
        """Continue from `state`.

        Raises:
            InvalidStateError: `state` is no state, or one of another task or model.
        """
        self._require_open("set_state")
        if not isinstance(state, EnvironmentState):
            raise InvalidStateError(f"expected what get_state returned, got {type(state).__name__}")
        if state.task != self.task.name:
            raise InvalidStateError(
                f"state is of task {state.task!r}, this environment is {self.task.name!r}"
            )
        self.simulation.restore(state.physics)
        self._start = {name: pos.copy() for name, pos in state.start.items()}
        self._elapsed_steps = state.elapsed_steps
        self._done = state.done
        self.np_random.bit_generator.state = state.rng

    def expert_intent(self) -> tuple[Array, float]:
        """Return where the task's expert wants the TCP (3, m, world frame), and 1.0 for open fingers."""
        intent = self.task.intent(self.simulation, self._start)
        return intent.tcp_pos_w, intent.opening

    # What existing users of the class read.

    @property
    def model(self) -> Any:
        """The compiled MuJoCo model."""
        return self.simulation.model

    @property
    def data(self) -> Any:
        """The MuJoCo data of the running simulation."""
        return self.simulation.data

    @property
    def control_dt(self) -> float:
        """Seconds per step."""
        return self.simulation.control_dt

    @property
    def physics_dt(self) -> float:
        """Seconds per physics step."""
        return self.simulation.physics_dt

    # Internals.

    def _simulate(self, robot: Robot, control_dt: float, physics_dt: float) -> Simulation:
        return Simulation(robot, self.task.scene, control_dt=control_dt, physics_dt=physics_dt)

    def _require_open(self, verb: str) -> None:
        if self._closed:
            raise EpisodeOrderError(f"{verb} was called after close; make a new environment")

    def _show(self, *, success: bool) -> None:
        clock_s = self._elapsed_steps * self.control_dt
        for screen in self.screens:
            screen.show(self.simulation.data, clock_s, success=success)

    def _idle_action(self) -> np.ndarray:
        return np.zeros(7, dtype=np.float32)

    def _camera_number(self, camera: str | int) -> int:
        model = self.simulation.model
        names = [model.camera(i).name for i in range(model.ncam)]
        if camera == -1:
            return names.index(VIDEO_CAMERA)
        if isinstance(camera, int | np.integer):
            require_one_of("camera_id", camera, (-1, *range(model.ncam)))
            return int(camera)
        require_one_of("camera_id", camera, names)
        return names.index(camera)

    def _make_observation_space(self) -> spaces.Dict:
        objects = self.task.observation_size
        agent = 18 + (objects if self.state_obs else 0)

        def numbers(size: int) -> spaces.Box:
            return spaces.Box(-STATE_BOUND, STATE_BOUND, (size,), np.float32)

        if self.image_obs:
            shape = (self.render_spec.height, self.render_spec.width, 3)
            pixels: dict[str, spaces.Space[Any]] = {
                name: spaces.Box(0, 255, shape, np.uint8) for name in OBSERVATION_CAMERAS
            }
            return spaces.Dict({schema.AGENT_POS: numbers(agent), schema.PIXELS: spaces.Dict(pixels)})
        if self._tells_objects:
            return spaces.Dict({schema.AGENT_POS: numbers(agent), schema.ENVIRONMENT_STATE: numbers(objects)})
        return spaces.Dict({schema.AGENT_POS: numbers(agent)})

    def observe(self) -> Observation:
        """Return the observation of the present state, in fresh arrays."""
        sim = self.simulation
        gripper = sim.closure * schema.FULLY_CLOSED
        agent = [*sim.joint_pos, *sim.joint_vel, gripper, *sim.tcp_pos_w.tolist()]
        if self.image_obs:
            return {schema.AGENT_POS: np.array(agent, np.float32), schema.PIXELS: self.draw()}
        objects = self.task.observe(sim)
        if self.state_obs:
            agent += objects.tolist()
        observation: Observation = {schema.AGENT_POS: np.array(agent, np.float32)}
        if self._tells_objects:
            observation[schema.ENVIRONMENT_STATE] = np.array(objects, np.float32)
        return observation

    def draw(self) -> dict[str, Image]:
        """Return what the observation's cameras see, (height, width, 3) uint8 each, in fresh arrays."""
        sim, spec = self.simulation, self.render_spec
        if "observation" not in self._renderers:
            self._renderers["observation"] = Renderer(sim.model, spec.height, spec.width, spec.quality)
        renderer = self._renderers["observation"]
        return {name: renderer.render(sim.data, self._camera_number(name)) for name in OBSERVATION_CAMERAS}

    def _info(
        self, action: np.ndarray, *, success: bool, reason: schema.TerminationReason | None = None
    ) -> dict[str, Any]:
        return {
            schema.IS_INTERVENTION: False,
            schema.TELEOP_ACTION: action,
            schema.ACTION_INTERVENTION: action,
            schema.SUCCEED: success,
            schema.IS_SUCCESS: success,
            schema.NEXT_SUCCESS: success,
            schema.DISCRETE_PENALTY: 0.0,
            schema.TERMINATION_REASON: reason.value if reason else "",
        }
