"""A person with a gamepad or a keyboard, under the name and arguments that existing users know."""

from __future__ import annotations

import os
from typing import Any

import gymnasium as gym

from gym_hil.intervention.named import make_operator
from gym_hil.intervention.takeover import InterventionWrapper


class InputsControlWrapper(InterventionWrapper):
    """Lets a person take over. Goes around an `EEActionWrapper`, which sets the size of steps.

    Args:
        env: the environment.
        auto_reset: reset in the step that ends an episode; its last observation is then in
            ``info["final_obs"]``.
        use_gamepad: a gamepad, else the keyboard of the environment's window.
        controller_config_path: JSON file that maps a gamepad's axes and buttons.
    """

    def __init__(
        self,
        env: gym.Env,
        auto_reset: bool = False,
        use_gamepad: bool = True,
        controller_config_path: str | os.PathLike[str] | None = None,
    ) -> None:
        name = "gamepad" if use_gamepad else "keyboard"
        path = None if controller_config_path is None else os.fspath(controller_config_path)
        super().__init__(env, make_operator(name, controller_config_path=path))
        self.auto_reset = auto_reset

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step; begin the next episode where asked to."""
        observation, reward, terminated, truncated, info = super().step(action)
        if self.auto_reset and (terminated or truncated):
            info["final_obs"] = observation
            observation, _ = self.reset()
        return observation, reward, terminated, truncated, info
