"""The range of what a policy will observe, measured: LeRobot scales observations by it before learning."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import gym_hil  # noqa: F401
from gym_hil.core import schema
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.intervention.scripted_policies import NoisyExpert, Policy, random

MARGIN = 0.05
"""How far beyond the measured range the range reaches on both sides, as a share of it."""
SMALLEST = 1e-2
"""No entry's range is narrower."""


def agent_pos_range(env_id: str, *, episodes: int = 10, steps: int = 60) -> tuple[list[float], list[float]]:
    """Return least and largest `agent_pos` of an id that nobody drives, over `episodes` of a half-trained
    policy and as many of a random one. The gripper's range is known: 0 to 255.
    """
    env = gym.make(env_id)
    seen: list[NDArray[np.float32]] = []
    for number in range(2 * episodes):
        policy: Policy = NoisyExpert() if number % 2 else random
        rng = np.random.default_rng(number)
        observation, _ = env.reset(seed=number)
        for _ in range(steps):
            seen.append(observation[schema.AGENT_POS])
            observation, _, terminated, truncated, _ = env.step(policy(EnvironmentInterface(env), rng))
            if terminated or truncated:
                break
    gripper = env.get_wrapper_attr("layout")["gripper"]
    env.close()
    low, high = np.min(seen, axis=0), np.max(seen, axis=0)
    margin = np.maximum(MARGIN * (high - low), (SMALLEST - (high - low)) / 2)
    low, high = low - margin, high + margin
    low[gripper], high[gripper] = 0.0, schema.FULLY_CLOSED
    return [round(float(x), 4) for x in low], [round(float(x), 4) for x in high]
