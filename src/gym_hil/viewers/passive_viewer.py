"""A wrapper that shows an environment in a window, for programs written for gym-hil 0.1.14."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from gym_hil.core import schema
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.viewers.attach import open_window


class PassiveViewerWrapper(gym.Wrapper):
    """Shows an environment in a window if there is a display; otherwise a warning names the alternative.

    Closing the window does not end the episode.

    Args:
        env: an environment of this package.
        show_left_ui: whether to explain the keys, if the operator uses the keyboard.
        show_right_ui: has the same effect.

    Raises:
        InvalidArgumentError: `env` is not an environment of this package.
    """

    def __init__(self, env: gym.Env, show_left_ui: bool = False, show_right_ui: bool = False) -> None:
        super().__init__(env)
        if not (env.has_wrapper_attr("model") and env.has_wrapper_attr("render_spec")):
            raise InvalidArgumentError(f"PassiveViewerWrapper needs an environment of gym-hil, not {env}")
        self._own_observers: list[Any] = []
        self.window = open_window(self, show_help=show_left_ui or show_right_ui)

    @property
    def observers(self) -> list[Any]:
        """The observers of the environment."""
        if self.env.has_wrapper_attr("observers"):
            inside: list[Any] = self.env.get_wrapper_attr("observers")
            return inside
        return self._own_observers

    def subscribe(self, observer: Any) -> None:
        """Notify an observer of all further resets and steps, unless a takeover wrapper inside does so."""
        if self.env.has_wrapper_attr("subscribe"):
            self.env.get_wrapper_attr("subscribe")(observer)
        else:
            self._own_observers.append(observer)

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset the environment, and show the initial state."""
        result = self.env.reset(**kwargs)
        for observer in self._own_observers:
            observer.on_reset(EnvironmentInterface(self))
        return result

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the environment, and show the state after the step."""
        for observer in self._own_observers:
            observer.on_poll()
        result = self.env.step(action)
        for observer in self._own_observers:
            observer.on_step(EnvironmentInterface(self), result[4][schema.STEP])
        return result

    def close(self) -> None:
        """Close the window and the environment."""
        for observer in self._own_observers:
            observer.on_close()
        self.env.close()
