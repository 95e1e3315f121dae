"""A window around an environment."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.envs.manipulation import ManipulationEnv


class PassiveViewerWrapper(gym.Wrapper):
    """Show `env` in a window where there is a display; elsewhere one line says how to see it.

    Closing the window ends nothing: the episode goes on.
    """

    def __init__(self, env: gym.Env, show_left_ui: bool = False, show_right_ui: bool = False) -> None:
        super().__init__(env)
        raw: Any = env.unwrapped
        if not isinstance(raw, ManipulationEnv):
            raise InvalidArgumentError(f"PassiveViewerWrapper shows this package's robots, not a {type(raw)}")
        raw.open_window(show_help=show_left_ui or show_right_ui)
