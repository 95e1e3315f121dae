"""The environment: a robot, a scene and a task behind Gymnasium's interface.

What an action means is said by its term, see `gym_hil.envs.actions`. Observation: see `observation_space`; `agent_pos`
is joint positions (rad), joint velocities (rad/s), gripper (0 open .. 255 closed, measured), TCP position (3, m, world
frame). The environment knows nothing of what looks at it: viewers and recorders subscribe to the takeover
wrapper around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.core.arguments import require_mapping, require_number
from gym_hil.core.command import Command
from gym_hil.core.errors import EpisodeOrderError, InvalidArgumentError, InvalidStateError, require_one_of
from gym_hil.core.observer import Watcher
from gym_hil.core.schema import TerminationReason
from gym_hil.core.step_record import Action, StepRecord
from gym_hil.envs.actions import ActionTerm
from gym_hil.envs.end_effectors import DrivenEndEffector
from gym_hil.envs.observations import (
    OBSERVATION_TERMS,
    Observation,
    ObservationBuilder,
    ObservationContext,
    ObservationLayout,
    ObservationTerm,
    usual_terms,
)
from gym_hil.envs.robot_actions import RobotAction, joined, make_robot_action
from gym_hil.robots import ROBOTS, Robot
from gym_hil.robots.geometry import Box
from gym_hil.simulation.rendering import GymRenderingSpec, Image, Renderer
from gym_hil.simulation.simulation import Array, Simulation
from gym_hil.simulation.timing import physics_step
from gym_hil.tasks import TASKS, Intent, Task
from gym_hil.tasks.base import finite_array

OBSERVATION_CAMERAS = ("front", "wrist")
"""Cameras of the robots with one end effector."""
VIDEO_CAMERA = "third_person"
DEFAULT_GRIPPER_PENALTY = -0.05


class StatePart(Protocol):
    """What is around the environment and has a state of its own, such as an operator."""

    def save_part(self) -> Any:
        """Return the state."""

    def restore_part(self, state: Any) -> None:
        """Continue from a state."""


@dataclass(frozen=True)
class EnvironmentState:
    """Everything that the rest of an episode, and the episodes after it, depend on.

    Attributes:
        task: name of the task.
        physics: state of the simulation.
        start: where every prop started.
        elapsed_steps: steps of the episode so far.
        done: whether the episode has ended.
        rng: state of the random generator.
        parts: states of what `add_state_part` added: the operator and the time limit.
    """

    task: str
    physics: Array
    start: dict[str, Array]
    elapsed_steps: int
    done: bool
    rng: dict[str, Any]
    parts: tuple[Any, ...] = ()


class ManipulationEnv(gym.Env[Observation, np.ndarray]):
    """One robot doing one task.

    Args:
        task: the class of a task, or its name.
        seed: seed of the first `reset` that is given none.
        control_dt: seconds per step.
        physics_dt: seconds per physics step, of which a whole number must make a step. By default the largest
            one up to 0.004 that does.
        render_spec: size and quality of images.
        render_mode: ``"rgb_array"``, ``"human"`` (the stack around the environment then opens a window, where there is
            a display) or None.
        image_obs: observe pixels of the cameras ``front`` and ``wrist`` instead of the objects' positions.
        state_obs: append the objects' positions to `agent_pos` and render nothing, whatever `image_obs` says.
            With `image_obs` that is all of the observation: LeRobot's recorder refuses `environment_state`.
        reward_type: ``"sparse"`` (1.0 on success) or ``"dense"`` (in [0, 1]).
        random_block_position: start from random object positions.
        robot: what to control: a `Robot`, or a name in `ROBOTS`.
        observation_terms: what is observed instead of what `image_obs` and `state_obs` say: classes of terms, or
            their names, such as ``("proprioception", "depth")``; see `gym_hil.envs.observations`.
        action_term: what an action means: one term for each of the robot's end effectors, or the term of its only one;
            without it their raw motion, `gym_hil.envs.actions.RawTwist`.
        gripper_penalty: reported in ``info["discrete_penalty"]`` when the gripper is told to close while it opens
            or the other way round. The reward is left alone.

    Raises:
        InvalidArgumentError: an argument has no meaning; the message names the valid values.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 10}  # noqa: RUF012
    stack_config: Any = None
    """What the layers around the environment are made from, if it was made by its id."""

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
        observation_terms: Sequence[str | type[ObservationTerm]] | None = None,
        action_term: RobotAction | ActionTerm | None = None,
        gripper_penalty: float = DEFAULT_GRIPPER_PENALTY,
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
        self.reward_type = reward_type
        self.random_block_position = bool(random_block_position)
        self.render_spec = render_spec or GymRenderingSpec()
        self.set_gripper_penalty(gripper_penalty)
        if isinstance(action_term, ActionTerm):
            action_term = RobotAction(robot, [action_term])
        self.action_term: RobotAction = action_term or make_robot_action("twist", robot)
        self.simulation = self._simulate(
            robot, control_dt, physics_step(control_dt) if physics_dt is None else physics_dt
        )
        self.action_term.bind(self.simulation)
        self.end_effectors = tuple(
            DrivenEndEffector(self, index) for index in range(len(robot.end_effectors))
        )
        self._limits = [end_effector.workspace for end_effector in self.end_effectors]
        self.metadata = {**self.metadata, "render_fps": round(1.0 / control_dt)}
        self._video_camera = self._camera_number(self.render_spec.camera_id)
        self.action_space = self.action_term.space
        self._observed_cameras = {name: self._camera_number(name) for name in robot.observed_cameras}
        context = ObservationContext(self.task, self.simulation, self.render_spec, self.draw, self.draw_depth)
        terms = usual_terms(context, image_obs=bool(image_obs), state_obs=self.state_obs)
        if observation_terms is not None:
            terms = [
                (OBSERVATION_TERMS.get(term) if isinstance(term, str) else term)(context)
                for term in observation_terms
            ]
        self._observation = ObservationBuilder(terms)
        self._states = ObservationBuilder(usual_terms(context, image_obs=False, state_obs=self.state_obs))
        self.observation_space = self._observation.space
        self._seed = seed
        self._start: dict[str, Array] = {}
        self._elapsed_steps = 0
        self._done = True
        self._closed = False
        self._renderers: dict[str, Renderer] = {}
        self._parts: list[StatePart] = []

    # Gymnasium's interface.

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: the same seed gives the same episode, whatever came before.
            options: ``{"state": get_state()}`` continues from a saved state; the other options are the
                task's own, see its module.

        Returns:
            The observation, and an info with the keys of a step's.
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
        neutral = self.action_term.neutral()
        record = StepRecord(
            executed_action=neutral, policy_action=neutral, neutral_action=neutral, step=self._elapsed_steps
        )
        return self.observe(), record.to_info()

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Act for one control period. Actions beyond `action_space` are clipped to it.

        Args:
            action: see `action_term`.

        Returns:
            Observation, reward (float), terminated, truncated (always False) and info, see `StepRecord.to_info`.

        Raises:
            InvalidActionError: wrong shape, or a value that is not a finite number.
            EpisodeOrderError: before the first `reset`, after the end of an episode, or after `close`.
        """
        self._require_open("step")
        if self._done:
            raise EpisodeOrderError("step was called outside an episode; call reset first")
        executed = self.action_term.clip(action)
        sim, task = self.simulation, self.task
        values = executed.tolist()
        switches = 0
        for effector, closes in zip(sim.end_effectors, self.action_term.closes(values), strict=True):
            switches += closes is not None and closes != effector.gripper_closing
        self.action_term.apply(values, self._limits)
        sim.step()
        self._elapsed_steps += 1
        if sim.stable:
            success = bool(task.success(sim, self._start))
            reason = TerminationReason.SUCCESS if success else task.failure(sim)
            reward = float(success) if self.reward_type == "sparse" else task.dense_reward(sim, self._start)
        else:
            success, reason, reward = False, TerminationReason.UNSTABLE, 0.0
            sim.reset({name: pos.tolist() for name, pos in self._start.items()})
        self._done = reason is not None
        record = StepRecord(
            executed_action=executed,
            policy_action=executed,
            neutral_action=self.action_term.neutral(),
            step=self._elapsed_steps,
            reward=reward,
            terminated=self._done,
            reason=reason,
            success=success,
            discrete_penalty=switches * self._gripper_penalty if switches else 0.0,
        )
        return self.observe(), reward, self._done, False, record.to_info()

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

    def close(self) -> None:
        """Free all resources. Calling it twice is allowed."""
        self._closed = True
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()

    # Saved states.

    def add_state_part(self, part: StatePart) -> None:
        """Save and restore the state of what is around the environment together with its own."""
        self._parts.append(part)

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
            parts=tuple(part.save_part() for part in self._parts),
        )

    def set_state(self, state: EnvironmentState) -> None:
        """Continue from a saved state.

        Args:
            state: what `get_state` returned. Its parts are restored if it was saved with as many parts as this
                environment has; a state without any continues with the operator and the time limit as they are.

        Raises:
            InvalidStateError: `state` is no state, or one of another task or model. Then nothing has changed.
        """
        self._require_open("set_state")
        if not isinstance(state, EnvironmentState):
            raise InvalidStateError(f"expected what get_state returned, got {type(state).__name__}")
        if state.task != self.task.name:
            raise InvalidStateError(
                f"state is of task {state.task!r}, this environment is {self.task.name!r}"
            )
        start = self._checked_start(state.start)
        rng = _random_generator(state.rng)
        self.simulation.restore(state.physics)
        self._start = start
        self._elapsed_steps = state.elapsed_steps
        self._done = state.done
        self.np_random = rng
        if len(state.parts) == len(self._parts):
            for part, saved in zip(self._parts, state.parts, strict=True):
                part.restore_part(saved)

    def set_gripper_penalty(self, penalty: float) -> None:
        """Report `penalty` from now on when the gripper is switched."""
        self._gripper_penalty = require_number("gripper_penalty", penalty)

    # What the human-in-the-loop stack asks of an environment, see `gym_hil.core.environment`.

    def neutral_action(self) -> Action:
        """Return the action that moves nothing and leaves the gripper as it is."""
        return self.action_term.neutral()

    def clip_action(self, action: Any) -> Action:
        """Return an action as it will be executed."""
        return self.action_term.clip(action)

    def command_action(self, *commands: Command) -> Action:
        """Return the action that carries out a person's commands, one per end effector; the others hold still."""
        return self.action_term.command(*commands)

    def intents(self) -> tuple[Intent, ...]:
        """Return what the task's expert wants now of every end effector, in the robot's order."""
        return self.task.intents(self.simulation, self._start)

    def expert_action(self, misplaced: Array | float = 0.0) -> Action:
        """Return what the task's expert does now.

        Args:
            misplaced: how far off the expert sees its goals (3, m, world axes).

        Returns:
            An action of `action_space`.
        """
        return joined([end_effector.expert_action(misplaced) for end_effector in self.end_effectors])

    def hand_over(self) -> None:
        """Start the next step from where the TCPs are, so that whoever commands next starts without a jerk."""
        self.simulation.anchor_target()

    def watch_substeps(self, watchers: tuple[Watcher, ...]) -> None:
        """Call `watchers` with the MuJoCo data a few times within every step from now on."""
        self.simulation.watchers = watchers

    # Of several end effectors, these attributes are those of the first one; `end_effectors` has them of each.

    def gripper_closes(self, action: Action) -> bool | None:
        """Return whether an action closes the gripper, or None if it leaves it as it is."""
        return self.action_term.closes(action)[0]

    def translation(self, action: Action) -> Array:
        """Return how far an action moves the TCP (3, m, world axes)."""
        return self.end_effectors[0].translation(action[self.end_effectors[0].entries])

    def expert_goal(self) -> Array:
        """Return where the task's expert wants the TCP (3, m, world frame)."""
        return self.end_effectors[0].expert_goal()

    def expert_turn(self) -> Array:
        """Return the rotation to the orientation that the task's expert wants (3, rotation vector, rad, world axes)."""
        return self.end_effectors[0].expert_turn()

    @property
    def motion_size(self) -> int:
        """How many of an action's first entries are motion; the next one commands the gripper."""
        return self.end_effectors[0].motion_size

    @property
    def scale(self) -> Array:
        """Metres per unit of a command along x, y and z (3)."""
        return self.end_effectors[0].scale

    @property
    def motion_scale(self) -> NDArray[np.float32]:
        """How much more than in the neutral action an action's motion entries are at full speed."""
        return self.end_effectors[0].motion_scale

    @property
    def gripper_closing(self) -> bool:
        """Whether the fingers were last told to close."""
        return self.simulation.gripper_closing

    @property
    def tcp_pos_w(self) -> Array:
        """Measured TCP position (3, m, world frame), a fresh array."""
        return self.simulation.tcp_pos_w

    @property
    def target_pos_w(self) -> Array:
        """Commanded TCP position (3, m, world frame), a fresh array."""
        return self.simulation.target_pos_w

    @property
    def workspace(self) -> Box:
        """Box that the TCP is kept in."""
        return self.task.workspace

    @property
    def video_camera(self) -> int:
        """Number of the camera that `render` and the window look through."""
        return self._video_camera

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

    def save_physics(self) -> Array:
        """Return the state of the simulation alone, as `EnvironmentState.physics`."""
        return self.simulation.save()

    def restore_physics(self, state: Array) -> None:
        """Put the simulation into a state that `save_physics` returned."""
        self.simulation.restore(state)

    def task_success(self) -> bool:
        """Return whether the task is done in the present state."""
        return bool(self.task.success(self.simulation, self._start))

    def success_lost_after(self, seconds: float) -> float | None:
        """Simulate some time in which nothing is commanded, outside any episode.

        Args:
            seconds: how long (s).

        Returns:
            When the task was no longer done (s), or None if it stayed done.
        """
        for step in range(round(seconds / self.control_dt)):
            self.simulation.step()
            if not self.task_success():
                return (step + 1) * self.control_dt
        return None

    def observe_state(self) -> Observation:
        """Return the observation of the present state without images: ``agent_pos`` and ``environment_state``."""
        return self._states.observe()

    @property
    def layout(self) -> ObservationLayout:
        """Where the parts of ``agent_pos`` are, such as ``layout["tcp_pos"]``."""
        return self._states.layouts[schema.AGENT_POS]

    # Internals.

    def _simulate(self, robot: Robot, control_dt: float, physics_dt: float) -> Simulation:
        return Simulation(
            robot,
            self.task.scene,
            control_dt=control_dt,
            physics_dt=physics_dt,
            control=self.action_term.control,
        )

    def _checked_start(self, start: Any) -> dict[str, Array]:
        """Return copies of where props and sockets start, or raise `InvalidStateError` unless they are the task's."""
        drawn = self.task.sample_start(np.random.default_rng(0), randomise=False, options={})
        names = list(start) if isinstance(start, Mapping) else start
        if not isinstance(start, Mapping) or start.keys() != drawn.keys():
            raise InvalidStateError(f"start of {names!r} is not that of {list(drawn)}, the task's objects")
        try:
            return {
                name: finite_array(f"start[{name!r}]", start[name], pos.shape).copy()
                for name, pos in drawn.items()
            }
        except InvalidArgumentError as error:
            raise InvalidStateError(str(error)) from error

    def _require_open(self, verb: str) -> None:
        if self._closed:
            raise EpisodeOrderError(f"{verb} was called after close; make a new environment")

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

    def observe(self) -> Observation:
        """Return the observation of the present state, in fresh arrays."""
        return self._observation.observe()

    def draw(self) -> dict[str, Image]:
        """Return what the observation's cameras see, (height, width, 3) uint8 each, in fresh arrays."""
        renderer, data = self._observing_renderer(), self.simulation.data
        return {name: renderer.render(data, number) for name, number in self._observed_cameras.items()}

    def draw_depth(self) -> dict[str, NDArray[np.float32]]:
        """Return how far what the observation's cameras see is, (height, width), m, in fresh arrays."""
        renderer, data = self._observing_renderer(), self.simulation.data
        return {name: renderer.depth(data, number) for name, number in self._observed_cameras.items()}

    def _observing_renderer(self) -> Renderer:
        if "observation" not in self._renderers:
            spec = self.render_spec
            self._renderers["observation"] = Renderer(
                self.simulation.model, spec.height, spec.width, spec.quality
            )
        return self._renderers["observation"]


def _random_generator(state: Any) -> np.random.Generator:
    """Return a generator like Gymnasium's that continues from a state."""
    bits = np.random.PCG64(0)
    try:
        bits.state = state
        if dict(bits.state) != dict(state):
            raise ValueError("a number is out of range")
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise InvalidStateError(f"rng={state!r} is no state of NumPy's generator PCG64: {error!r}") from error
    return np.random.Generator(bits)
