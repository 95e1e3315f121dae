"""What it costs to change the gripper's mind."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from gym_hil.core import schema
from gym_hil.core.arguments import require_number


class GripperPenaltyWrapper(gym.Wrapper, RecordConstructorArgs):
    """Report `penalty` in ``info["discrete_penalty"]`` whenever the gripper is told to change its mind.

    The reward is left alone: learners that want the penalty read it from info.
    """

    def __init__(self, env: gym.Env, penalty: float = -0.05) -> None:
        RecordConstructorArgs.__init__(self, penalty=penalty)
        gym.Wrapper.__init__(self, env)
        self.penalty = require_number("gripper_penalty", penalty)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, and compare the fingers' command before and after."""
        simulation = self.env.unwrapped.simulation  # type: ignore[attr-defined]
        before = simulation.gripper_closing
        observation, reward, terminated, truncated, info = self.env.step(action)
        changed = simulation.gripper_closing != before
        info[schema.DISCRETE_PENALTY] = self.penalty if changed else 0.0
        return observation, reward, terminated, truncated, info
