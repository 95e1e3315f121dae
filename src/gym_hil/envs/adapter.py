"""Adapters, which let environments of other packages be driven, recorded and used for training."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.core.command import Command
from gym_hil.core.errors import InvalidStateError
from gym_hil.core.schema import GripperCommand
from gym_hil.core.step_record import Action
from gym_hil.envs.saved_state import EnvironmentState, StatePart


class EnvironmentAdapter(gym.Wrapper):
    """Base class of adapters, which add the attributes of `gym_hil.core.environment` to an environment.

    An adapter is the entry point of an id: ``gym.register("my/Reach-v0", entry_point=MyAdapter,
    max_episode_steps=100)``. All commands then accept this id. The defaults are those of an action that consists of a
    displacement along x, y and z and of a gripper command as its last entry; override methods if the environment
    differs. Leave out what the environment cannot do: features that need a missing method raise an error.

    Args:
        env: the environment to adapt.

    Attributes:
        control_dt: duration of a control step (s).
        task_description: description of the task in words.
        motion_size: number of the first entries of an action that are motion.
    """

    control_dt: float = 0.1
    task_description: str = ""
    motion_size: int = 3
    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        # The class has metadata, too, because Gymnasium 1.1 reads those of an entry point's class.
        self.metadata = {**self.metadata, **env.metadata}
        self._parts: list[StatePart] = []
        self._elapsed_steps = 0
        self._done = True

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Begin an episode. The option ``state`` continues from the result of `get_state`."""
        options = dict(kwargs.pop("options", None) or {})
        state = options.pop("state", None)
        result = self.env.reset(options=options or None, **kwargs)
        self._elapsed_steps, self._done = 0, False
        if state is not None:
            self.set_state(state)
            return self.observe(), result[1]
        return result

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the environment."""
        result = self.env.step(action)
        self._elapsed_steps += 1
        self._done = bool(result[2] or result[3])
        return result

    # Takeover.

    def neutral_action(self) -> Action:
        """Return the action that causes no motion, by default zeros."""
        return np.zeros(self.action_space.shape or 0, np.float32)

    def command_action(self, command: Command) -> Action:
        """Return the action for a person's command; by default its translation, and -1 to close or +1 to open
        the gripper.

        Args:
            command: twist with entries in [-1, 1], and gripper command.
        """
        action = self.neutral_action()
        action[: self.motion_size] = command.twist[: self.motion_size]
        if command.gripper is not GripperCommand.STAY and len(action) > self.motion_size:
            action[-1] = 1.0 if command.gripper is GripperCommand.OPEN else -1.0
        return action

    def gripper_closes(self, action: Action) -> bool | None:
        """Return whether an action closes the gripper, by default if its last entry is negative; None if it
        neither closes nor opens it.

        Args:
            action: an action of the action space.
        """
        return bool(action[-1] < 0) if len(action) > self.motion_size and action[-1] else None

    @property
    def gripper_closing(self) -> bool:
        """Whether the last command closed the gripper. By default this is unknown and counts as false."""
        return False

    # Saved states and recording.

    def save_physics(self) -> NDArray[np.float64]:
        """Return the complete state of the simulation as one array."""
        raise NotImplementedError

    def restore_physics(self, state: NDArray[np.float64]) -> None:
        """Restore the result of `save_physics`.

        Args:
            state: the result of `save_physics`.
        """
        raise NotImplementedError

    def observe(self) -> Any:
        """Return the current observation."""
        raise NotImplementedError

    def observe_state(self) -> dict[str, NDArray[np.float32]]:
        """Return the current observation as the float32 vectors ``agent_pos`` and ``environment_state``,
        without images.
        """
        raise NotImplementedError

    def add_state_part(self, part: StatePart) -> None:
        """Save and restore the state of a wrapper or operator together with that of the environment.

        Args:
            part: the wrapper or operator.
        """
        self._parts.append(part)

    def get_state(self) -> EnvironmentState:
        """Return the state of the environment and its parts."""
        return EnvironmentState(
            task=type(self).__name__,
            physics=self.save_physics(),
            start=self.episode_constants(),
            elapsed_steps=self._elapsed_steps,
            done=self._done,
            rng=copy.deepcopy(dict(self.np_random.bit_generator.state)),
            parts=tuple(part.save_part() for part in self._parts),
        )

    def set_state(self, state: EnvironmentState) -> None:
        """Restore the result of `get_state`.

        Raises:
            InvalidStateError: `state` is not a state of this environment.
        """
        if not isinstance(state, EnvironmentState) or state.task != type(self).__name__:
            raise InvalidStateError(f"expected a state of {type(self).__name__}, got {state!r}"[:200])
        self.restore_constants(state.start)
        self.restore_physics(state.physics)
        self._elapsed_steps, self._done = state.elapsed_steps, state.done
        self.np_random.bit_generator.state = state.rng
        if len(state.parts) == len(self._parts):
            for part, saved in zip(self._parts, state.parts, strict=True):
                part.restore_part(saved)

    def episode_constants(self) -> dict[str, NDArray[np.float64]]:
        """Return what is sampled once per episode and is not part of the physics state, such as a goal."""
        return {}

    def restore_constants(self, constants: dict[str, NDArray[np.float64]]) -> None:
        """Restore the result of `episode_constants`."""


def split_state(agent: Any, environment: Any) -> dict[str, NDArray[np.float32]]:
    """Return two vectors in the format of `observe_state`: ``agent_pos`` and ``environment_state``.

    Args:
        agent: numbers of ``agent_pos``.
        environment: numbers of ``environment_state``.
    """
    return {
        schema.AGENT_POS: np.asarray(agent, np.float32).ravel(),
        schema.ENVIRONMENT_STATE: np.asarray(environment, np.float32).ravel(),
    }


class MujocoAdapter(EnvironmentAdapter):
    """Base class of adapters for environments with MuJoCo's ``model`` and ``data``, such as those of
    Gymnasium.
    """

    def save_physics(self) -> NDArray[np.float64]:
        """Return MuJoCo's integration state, which determines all further steps."""
        import mujoco

        state = np.empty(mujoco.mj_stateSize(self.model, mujoco.mjtState.mjSTATE_INTEGRATION))
        mujoco.mj_getState(self.model, self.data, state, mujoco.mjtState.mjSTATE_INTEGRATION)
        return state

    def restore_physics(self, state: NDArray[np.float64]) -> None:
        """Restore the result of `save_physics`, and update derived quantities.

        Raises:
            InvalidStateError: the state belongs to another model.
        """
        import mujoco

        size = mujoco.mj_stateSize(self.model, mujoco.mjtState.mjSTATE_INTEGRATION)
        if np.shape(state) != (size,):
            raise InvalidStateError(f"physics state has shape {np.shape(state)} instead of ({size},)")
        mujoco.mj_setState(self.model, self.data, np.asarray(state), mujoco.mjtState.mjSTATE_INTEGRATION)
        mujoco.mj_forward(self.model, self.data)
        mujoco.mj_setState(self.model, self.data, np.asarray(state), mujoco.mjtState.mjSTATE_INTEGRATION)

    @property
    def model(self) -> Any:
        """The compiled MuJoCo model."""
        return self.env.get_wrapper_attr("model")

    @property
    def data(self) -> Any:
        """The MuJoCo data of the running simulation."""
        return self.env.get_wrapper_attr("data")
