"""The interface between environments and the human-in-the-loop features of this package.

Any Gymnasium environment can be used if it, or a wrapper of it, has the attributes of `HilEnvironment`. The other
attributes in this table are optional; `gym_hil.envs.adapter` and `gym_hil.envs.manipulation` describe them. A feature
that needs a missing attribute raises an error that names it.

| attribute | needed for |
|---|---|
| `control_dt`, `neutral_action`, `command_action` | takeover by a person |
| `expert_action` | scripted operators and simulated humans |
| `motion_size`, `gripper_closes`, `gripper_closing` | comparing a policy's gripper commands with the expert's |
| `expert_goal`, `workspace`, `tcp_pos_w`, `translation` | gates that observe progress and position |
| `expert_turn` | simulated humans who rotate the end effector |
| `end_effectors` | robots with several end effectors: an object per end effector with the attributes above |
| `get_state`, `set_state`, `add_state_part` | saved states, exact replay |
| `model`, `data` | the window and the web page, which draw MuJoCo models |
| `watch_substeps` | smooth motion in viewers |
| `hand_over` | smooth takeovers |
| `save_physics`, `observe_state` | recording and learning |
| `observe_extra_terms` | recording further observation terms |
| `set_success_detector` | learned rewards |
| `task`, `simulation` | task-specific features, policies that observe images |
| `camera_images` | policies that observe images of real cameras |
"""

from __future__ import annotations

import inspect
from typing import Any, Protocol

import gymnasium as gym
import numpy as np

from gym_hil.core.command import Command
from gym_hil.core.errors import InvalidActionError, UnsupportedError
from gym_hil.core.step_record import Action


class HilEnvironment(Protocol):
    """The required attributes of an environment."""

    control_dt: float
    """Duration of a control step (s)."""

    def neutral_action(self) -> Action:
        """Return the action that causes no motion and keeps the gripper as it is."""

    def command_action(self, command: Command) -> Action:
        """Return the action that executes a person's command.

        Args:
            command: twist with entries in [-1, 1], and gripper command.
        """


class EnvironmentInterface:
    """Gives operators, policies, observers and recorders access to the attributes of an environment.

    Its attributes are those of the environment and of all wrappers. If several of them have an attribute, that of the
    outermost one is used.

    Args:
        env: the environment with its wrappers.
        end_effector: the end effector that an operator drives alone. Its attributes replace those of the environment.
            None for all end effectors.
    """

    def __init__(self, env: gym.Env, end_effector: Any = None) -> None:
        self.env = env
        self.end_effector = end_effector

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the environment.

        Raises:
            UnsupportedError: neither the environment nor a wrapper has it.
        """
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            own = self.end_effector is not None and hasattr(self.end_effector, name)
            value = getattr(self.end_effector, name) if own else self.env.get_wrapper_attr(name)
        except AttributeError:
            raise UnsupportedError(
                f"{type(self.env.unwrapped).__name__} has no {name!r}, which is needed here; "
                "gym_hil.core.environment lists the attributes of environments"
            ) from None
        if inspect.ismethod(value):
            self.__dict__[name] = value  # cache it
        return value

    def offers(self, name: str) -> bool:
        """Return whether the environment has an attribute."""
        return hasattr(self.end_effector, name) or self.env.has_wrapper_attr(name)

    @property
    def end_effectors(self) -> tuple[EnvironmentInterface, ...]:
        """One interface per end effector, for operators that drive only one of them."""
        if self.end_effector is not None or not self.env.has_wrapper_attr("end_effectors"):
            return (self,)
        parts = self.env.get_wrapper_attr("end_effectors")
        return (self,) if len(parts) == 1 else tuple(EnvironmentInterface(self.env, part) for part in parts)

    def clip_action(self, action: Any) -> Action:
        """Convert an action to the form in which it is executed.

        Args:
            action: numbers in the shape of the action space.

        Returns:
            The action in the data type of the action space, clipped to its bounds.

        Raises:
            InvalidActionError: the action has the wrong shape, or a value that is not a finite number.
        """
        if self.offers("clip_action"):
            clipped: Action = self.__getattr__("clip_action")(action)  # cache it
            return clipped
        space = self.env.action_space
        assert isinstance(space, gym.spaces.Box), "only environments with a Box action space are supported"
        try:
            values = np.asarray(action, space.dtype)
        except (TypeError, ValueError):
            raise InvalidActionError(f"action {action!r} does not consist of numbers") from None
        if values.shape != space.shape or not np.isfinite(values).all():
            raise InvalidActionError(f"action {action!r} must consist of {space.shape} finite numbers")
        return np.clip(values, space.low, space.high)
