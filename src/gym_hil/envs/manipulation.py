"""The environment class, which combines a robot, a scene and a task.

`gym_hil.envs.actions` defines the actions, and `gym_hil.envs.observations` the observations. `agent_pos` consists of
joint positions (rad), joint velocities (rad/s), the measured gripper closure (0 open to 255 closed) and the TCP
position (3, m, world frame). The environment does not depend on viewers and recorders: they subscribe to the takeover
wrapper around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Literal

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.core.arguments import require_mapping, require_number
from gym_hil.core.command import Command
from gym_hil.core.delays import NO_DELAYS, Delays
from gym_hil.core.errors import EpisodeOrderError, InvalidArgumentError, require_one_of
from gym_hil.core.observer import Watcher
from gym_hil.core.schema import TerminationReason
from gym_hil.core.step_record import Action, StepRecord
from gym_hil.envs.actions import ActionTerm
from gym_hil.envs.cameras import EnvironmentCameras
from gym_hil.envs.delayed_simulation import act, delayed
from gym_hil.envs.end_effectors import DrivenEndEffector, FirstEndEffector
from gym_hil.envs.observations import (
    Observation,
    ObservationBuilder,
    ObservationContext,
    ObservationLayout,
    ObservationTerm,
    default_terms,
    named_terms,
)
from gym_hil.envs.robot_actions import RobotAction, joined, make_robot_action
from gym_hil.envs.saved_state import (
    EnvironmentState,
    StatePart,
    random_generator,
    require_start,
    require_state,
)
from gym_hil.envs.task_success import TaskSuccess
from gym_hil.robots import ROBOTS, Robot
from gym_hil.simulation.rendering import GymRenderingSpec, Image
from gym_hil.simulation.simulation import Array, Simulation
from gym_hil.simulation.timing import physics_step
from gym_hil.tasks import TASKS, Intent, Task

DEFAULT_GRIPPER_PENALTY = -0.05


class ManipulationEnv(TaskSuccess, FirstEndEffector, gym.Env[Observation, np.ndarray]):
    """An environment of one robot and one task.

    Args:
        task: the class of a task, or its name.
        seed: seed of the first `reset` without a seed.
        control_dt: duration of a control step (s).
        physics_dt: duration of a physics step (s), of which `control_dt` must be a multiple. The default is
            the largest valid value up to 0.004.
        render_spec: size and quality of images.
        render_mode: ``"rgb_array"``, ``"human"`` (a window is opened if there is a display), or None.
        image_obs: whether to observe images of the cameras ``front`` and ``wrist`` instead of the objects'
            positions.
        state_obs: whether to append the objects' positions to `agent_pos` and render nothing, regardless of
            `image_obs`. If both are true, `environment_state` is omitted, because LeRobot's recorder does not
            support it.
        reward_type: ``"sparse"`` (1.0 on success) or ``"dense"`` (in [0, 1]).
        random_block_position: whether to start from random object positions.
        robot: a `Robot`, or a name in `ROBOTS`.
        observation_terms: classes or names of observation terms that replace those of `image_obs` and
            `state_obs`, such as ``("proprioception", "depth")``; see `gym_hil.envs.observations`.
        action_term: one action term per end effector, or the term of the only one; by default
            `gym_hil.envs.actions.RawTwist`.
        gripper_penalty: value of ``info["discrete_penalty"]`` when a gripper command reverses the previous
            one. The reward is not affected.
        delays: delays of observations and actions. Success and rewards are not delayed.

    Raises:
        InvalidArgumentError: an argument is invalid.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 10}  # noqa: RUF012
    stack_config: Any = None
    """Configuration of the layers around the environment, if it was created by its id."""

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
        delays: Delays = NO_DELAYS,
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
        self._limits = [self.task.workspace_for(effector) for effector in robot.end_effectors]
        physics_dt = physics_step(control_dt) if physics_dt is None else physics_dt
        undelayed = self._simulate(robot, control_dt, physics_dt)
        self.simulation = delayed(undelayed, self.action_term, self._limits, delays)
        self.action_term.bind(self.simulation)
        self.end_effectors = tuple(
            DrivenEndEffector(self, index) for index in range(len(robot.end_effectors))
        )
        self._end_effector = self.end_effectors[0]
        self.metadata = {**self.metadata, "render_fps": round(1.0 / control_dt)}
        self.cameras = EnvironmentCameras(self.simulation, self.render_spec, robot.observed_cameras)
        self.action_space = self.action_term.space
        context = ObservationContext(self.task, self.simulation, self.render_spec, self.draw, self.draw_depth)
        if observation_terms is None:
            terms = default_terms(context, image_obs=bool(image_obs), state_obs=self.state_obs)
        else:
            terms = named_terms(context, observation_terms)
        self._observation = ObservationBuilder(terms)
        standard = (schema.AGENT_POS, schema.ENVIRONMENT_STATE, schema.PIXELS)
        self._additional = ObservationBuilder([term for term in terms if term.key not in standard])
        self._states = ObservationBuilder(default_terms(context, image_obs=False, state_obs=self.state_obs))
        self.observation_space = self._observation.space
        self._seed = seed
        self._start: dict[str, Array] = {}
        self._elapsed_steps = 0
        self._done = True
        self._closed = False
        self._parts: list[StatePart] = []

    # Gymnasium's interface.

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: seed of the episode. The same seed gives the same episode.
            options: ``{"state": get_state()}`` continues from a saved state; tasks define further options.

        Returns:
            The observation, and an info with the keys of a step.
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
            self.simulation.reseed(self.np_random)
            self.simulation.reset({name: pos.tolist() for name, pos in self._start.items()})
            self._elapsed_steps = 0
            self._done = False
        neutral = self.action_term.neutral()
        record = StepRecord(
            executed_action=neutral, policy_action=neutral, neutral_action=neutral, step=self._elapsed_steps
        )
        return self.observe(), record.to_info()

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Execute an action for one control period. Actions are clipped to the action space.

        Args:
            action: the action, see `action_term`.

        Returns:
            Observation, reward, terminated, truncated (always False) and info, see `StepRecord.to_info`.

        Raises:
            InvalidActionError: the action has the wrong shape, or a value that is not a finite number.
            EpisodeOrderError: there is no running episode, or the environment is closed.
        """
        self._require_open("step")
        if self._done:
            raise EpisodeOrderError("step was called outside an episode; call reset first")
        executed, neutral = self.action_term.clip(action), self.action_term.neutral()
        switches = act(self.simulation, self.action_term, executed.tolist(), self._limits)
        sim, task = self.simulation.world, self.task
        self._elapsed_steps += 1
        if sim.stable:
            success, success_reason = self._success()
            reason = success_reason if success else task.failure(sim)
            reward = float(success) if self.reward_type == "sparse" else task.dense_reward(sim, self._start)
        else:
            success, reason, reward = False, TerminationReason.UNSTABLE, 0.0
            self.simulation.reset({name: pos.tolist() for name, pos in self._start.items()})
        self._done = reason is not None
        record = StepRecord(
            executed_action=executed,
            policy_action=executed,
            neutral_action=neutral,
            step=self._elapsed_steps,
            reward=reward,
            terminated=self._done,
            reason=reason,
            success=success,
            discrete_penalty=switches * self._gripper_penalty if switches else 0.0,
        )
        return self.observe(), reward, self._done, False, record.to_info()

    def render(self) -> Image | None:
        """Return an image (height, width, 3, uint8) with the video size of `render_spec`, or None without a
        render mode.
        """
        self._require_open("render")
        if self.render_mode != "rgb_array":
            return None
        return self.cameras.video_image()

    def close(self) -> None:
        """Free all resources. It may be called more than once."""
        self._closed = True
        self.cameras.close()
        self.close_success_detector()

    # Saved states.

    def add_state_part(self, part: StatePart) -> None:
        """Save and restore the state of a wrapper or operator together with that of the environment."""
        self._parts.append(part)

    def get_state(self) -> EnvironmentState:
        """Return the state of the environment, from which `set_state` and the option ``state`` of `reset`
        continue exactly.
        """
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
            state: the result of `get_state`. Its parts are restored if there are as many as this environment
                has; otherwise the operator and the time limit continue as they are.

        Raises:
            InvalidStateError: `state` is not a state, or belongs to another task or model. The environment is
                then unchanged.
        """
        self._require_open("set_state")
        state = require_state(state, self.task.name)
        start = require_start(state.start, self.task)
        rng = random_generator(state.rng)
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

    # Attributes of `gym_hil.core.environment`.

    def neutral_action(self) -> Action:
        """Return the action that causes no motion and keeps the gripper as it is."""
        return self.action_term.neutral()

    def clip_action(self, action: Any) -> Action:
        """Return an action as float32, clipped to the space."""
        return self.action_term.clip(action)

    def command_action(self, *commands: Command) -> Action:
        """Return the action that executes one command per end effector; those without a command do not move."""
        return self.action_term.command(*commands)

    def intents(self) -> tuple[Intent, ...]:
        """Return the goals of the task's expert for every end effector, in the robot's order."""
        return self.task.intents(self.simulation, self._start)

    def expert_action(self, misplaced: Array | float = 0.0) -> Action:
        """Return the action of the task's expert.

        Args:
            misplaced: error of the goals' positions that the expert assumes (3, m, world axes).

        Returns:
            An action of `action_space`.
        """
        return joined([end_effector.expert_action(misplaced) for end_effector in self.end_effectors])

    def hand_over(self) -> None:
        """Reset the targets to the positions of the TCPs, so that a change of control causes no jerk."""
        self.simulation.anchor_target()

    def watch_substeps(self, watchers: tuple[Watcher, ...]) -> None:
        """Call `watchers` with the MuJoCo data several times within every step."""
        self.simulation.watchers = watchers

    workspace = property(attrgetter("task.workspace"))
    """Box to which the target of the TCP is limited (world frame)."""

    video_camera = property(attrgetter("cameras.video_camera"))
    """Index of the camera of `render` and the window."""
    model = property(attrgetter("simulation.model"))
    """The compiled MuJoCo model."""
    data = property(attrgetter("simulation.data"))
    """The MuJoCo data of the running simulation."""
    control_dt = property(attrgetter("simulation.control_dt"))
    """Duration of a control step (s)."""
    physics_dt = property(attrgetter("simulation.physics_dt"))
    """Duration of a physics step (s)."""

    def save_physics(self) -> Array:
        """Return the state of the simulation alone, as in `EnvironmentState.physics`."""
        return self.simulation.save()

    def restore_physics(self, state: Array) -> None:
        """Restore the result of `save_physics`."""
        self.simulation.restore(state)

    def observe_state(self) -> Observation:
        """Return the current observation without images: ``agent_pos`` and ``environment_state``."""
        return self._states.observe()

    def observe_extra_terms(self) -> Observation:
        """Return the observations other than positions and pixels, such as ``tcp_wrench``, by their keys."""
        return self._additional.observe()

    @property
    def layout(self) -> ObservationLayout:
        """The layout of ``agent_pos``, with slices such as ``layout["tcp_pos"]``."""
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

    def _require_open(self, verb: str) -> None:
        if self._closed:
            raise EpisodeOrderError(f"{verb} was called after close; make a new environment")

    def observe(self) -> Observation:
        """Return the current observation in new arrays."""
        return self._observation.observe()

    def draw(self) -> dict[str, Image]:
        """Return an image (height, width, 3, uint8) of every observed camera, by its name, in a new array."""
        return self.cameras.images()

    def draw_depth(self) -> dict[str, NDArray[np.float32]]:
        """Return a depth image (height, width, m) of every observed camera, by its name, in a new array."""
        return self.cameras.depth_images()
