"""Make an environment of another package drivable, recordable and learnable."""

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
from gym_hil.envs.manipulation import EnvironmentState, StatePart


class EnvironmentAdapter(gym.Wrapper):
    """Base of adapters that give an environment what the human-in-the-loop stack asks for.

    An adapter is the entry point of an id: ``gym.register("my/Reach-v0", entry_point=MyAdapter,
    max_episode_steps=100)``. Every command then takes that id. The defaults suit an environment whose action is a
    displacement along x, y and z and, as its last entry, a gripper command; override what differs. What an
    environment cannot do is left out, and whatever needs it says so.

    Args:
        env: the environment to adapt.

    Attributes:
        control_dt: seconds per step.
        task_description: what is to be done, in words.
        motion_size: how many of an action's first entries are motion.
    """

    control_dt: float = 0.1
    task_description: str = ""
    motion_size: int = 3
    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        # A dictionary on the class as well, because Gymnasium 1.1 reads the metadata of an entry point's class.
        self.metadata = {**self.metadata, **env.metadata}
        self._parts: list[StatePart] = []
        self._elapsed_steps = 0
        self._done = True

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; the option ``state`` continues from what `get_state` returned."""
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

    # Driving.

    def neutral_action(self) -> Action:
        """Return the action that moves nothing; by default zeros."""
        return np.zeros(self.action_space.shape or 0, np.float32)

    def command_action(self, command: Command) -> Action:
        """Return the action of a person's command; by default its translation and -1 to close, +1 to open."""
        action = self.neutral_action()
        action[: self.motion_size] = command.twist[: self.motion_size]
        if command.gripper is not GripperCommand.STAY and len(action) > self.motion_size:
            action[-1] = 1.0 if command.gripper is GripperCommand.OPEN else -1.0
        return action

    def gripper_closes(self, action: Action) -> bool | None:
        """Return whether an action closes the gripper; by default, whether its last entry is negative."""
        return bool(action[-1] < 0) if len(action) > self.motion_size and action[-1] else None

    @property
    def gripper_closing(self) -> bool:
        """Whether the fingers were last told to close; by default unknown, which counts as no."""
        return False

    # Saved states and recording.

    def save_physics(self) -> NDArray[np.float64]:
        """Return everything that the simulation's next step depends on, as one array."""
        raise NotImplementedError

    def restore_physics(self, state: NDArray[np.float64]) -> None:
        """Put the simulation into a state that `save_physics` returned."""
        raise NotImplementedError

    def observe(self) -> Any:
        """Return the observation of the present state."""
        raise NotImplementedError

    def observe_state(self) -> dict[str, NDArray[np.float32]]:
        """Return the observation as ``agent_pos`` and ``environment_state``, float32 vectors without images."""
        raise NotImplementedError

    def add_state_part(self, part: StatePart) -> None:
        """Save and restore the state of what is around the environment together with its own."""
        self._parts.append(part)

    def get_state(self) -> EnvironmentState:
        """Return a state to continue from."""
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
        """Continue from what `get_state` returned.

        Raises:
            InvalidStateError: `state` is no state, or one of another environment.
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
        """Return what is drawn once per episode and is no part of the physics, such as a goal."""
        return {}

    def restore_constants(self, constants: dict[str, NDArray[np.float64]]) -> None:
        """Put back what `episode_constants` returned."""


def split_state(agent: Any, environment: Any) -> dict[str, NDArray[np.float32]]:
    """Return vectors as an `observe_state` does: ``agent_pos`` and ``environment_state``."""
    return {
        schema.AGENT_POS: np.asarray(agent, np.float32).ravel(),
        schema.ENVIRONMENT_STATE: np.asarray(environment, np.float32).ravel(),
    }


class MujocoAdapter(EnvironmentAdapter):
    """An adapter for environments that hold MuJoCo's ``model`` and ``data``, as those of Gymnasium do."""

    def save_physics(self) -> NDArray[np.float64]:
        """Return MuJoCo's integration state, which holds everything that the next step depends on."""
        import mujoco

        state = np.empty(mujoco.mj_stateSize(self.model, mujoco.mjtState.mjSTATE_INTEGRATION))
        mujoco.mj_getState(self.model, self.data, state, mujoco.mjtState.mjSTATE_INTEGRATION)
        return state

    def restore_physics(self, state: NDArray[np.float64]) -> None:
        """Put MuJoCo into a state that `save_physics` returned, and compute what follows from it.

        Raises:
            InvalidStateError: the state belongs to another model.
        """
        import mujoco

        size = mujoco.mj_stateSize(self.model, mujoco.mjtState.mjSTATE_INTEGRATION)
        if np.shape(state) != (size,):
            raise InvalidStateError(f"physics state has shape {np.shape(state)}, this model needs ({size},)")
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
