"""Begin the next episode in the step that ends one."""

from __future__ import annotations

from typing import Any

import gymnasium as gym


class SameStepReset(gym.Wrapper):
    """The step that ends an episode returns the next one's first observation; the last observation is in
    ``info["final_obs"]``.
    """

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, and reset at the end."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        if terminated or truncated:
            info["final_obs"] = observation
            observation, _ = self.env.reset()
        return observation, reward, terminated, truncated, info
