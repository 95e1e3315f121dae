"""Automatic reset in the step that ends an episode."""

from __future__ import annotations

from typing import Any

import gymnasium as gym


class SameStepReset(gym.Wrapper):
    """Resets the environment in the step that ends an episode, for programs that do not call `reset`.

    This step returns the first observation of the next episode, together with the reward, `terminated`, `truncated` and
    the info of the step. The info also contains the last observation (``"final_obs"``) and the info of the reset
    (``"reset_info"``).
    """

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the environment, and reset it at the end of an episode."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        if terminated or truncated:
            first, reset_info = self.env.reset()
            info = {**info, "final_obs": observation, "reset_info": reset_info}
            observation = first
        return observation, reward, terminated, truncated, info
