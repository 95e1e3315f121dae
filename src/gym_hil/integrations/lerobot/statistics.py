"""Measures the range of observations, by which LeRobot's learner scales them."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import gym_hil  # noqa: F401
from gym_hil.core import schema
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.intervention.scripted_policies import NoisyExpert, Policy, random

MARGIN = 0.05
"""Margin on both sides of the measured range, as a fraction of its width."""
SMALLEST = 1e-2
"""Smallest width of an entry's range."""


def agent_pos_range(env_id: str, *, episodes: int = 10, steps: int = 60) -> tuple[list[float], list[float]]:
    """Measure the smallest and largest values of `agent_pos`.

    Args:
        env_id: id of an environment without an operator.
        episodes: number of episodes with a noisy expert, and again with a random policy.
        steps: longest episode in control steps.

    Returns:
        The lower and upper bounds of each entry. Those of the gripper are 0 and 255, without a measurement.
    """
    env = gym.make(env_id)
    observed: list[NDArray[np.float32]] = []
    for number in range(2 * episodes):
        policy: Policy = NoisyExpert() if number % 2 else random
        rng = np.random.default_rng(number)
        observation, _ = env.reset(seed=number)
        for _ in range(steps):
            observed.append(observation[schema.AGENT_POS])
            observation, _, terminated, truncated, _ = env.step(policy(EnvironmentInterface(env), rng))
            if terminated or truncated:
                break
    gripper = env.get_wrapper_attr("layout")["gripper"]
    env.close()
    low, high = np.min(observed, axis=0), np.max(observed, axis=0)
    margin = np.maximum(MARGIN * (high - low), (SMALLEST - (high - low)) / 2)
    low, high = low - margin, high + margin
    low[gripper], high[gripper] = 0.0, schema.FULLY_CLOSED
    return [round(float(x), 4) for x in low], [round(float(x), 4) for x in high]
