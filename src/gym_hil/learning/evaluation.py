"""Evaluate a policy without a human."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from gym_hil.learning.policy_env import PolicyEnv
from gym_hil.learning.seeds import DEVELOPMENT_STARTS

Act = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From features to an action in [-1, 1]."""


@dataclass(frozen=True)
class Evaluation:
    """Result of evaluation episodes."""

    episodes: int
    successes: int
    low: float
    """Lower end of the 95 % Wilson score interval of the success rate."""
    high: float
    """Its upper end."""
    cycle_s: float | None
    """Mean duration of a successful episode (simulated s); None without any."""
    first_start: int = DEVELOPMENT_STARTS
    """Environment seed of the first episode."""


def wilson(successes: int, episodes: int, z: float = 1.96) -> tuple[float, float]:
    """Return the score interval of a success rate (Wilson 1927); `z` = 1.96 is 95 %."""
    rate = successes / episodes
    scale = 1.0 + z * z / episodes
    centre = (rate + z * z / (2 * episodes)) / scale
    margin = z / scale * sqrt(rate * (1.0 - rate) / episodes + z * z / (4 * episodes**2))
    return max(0.0, centre - margin), min(1.0, centre + margin)


def evaluate(act: Act, env: PolicyEnv, episodes: int, first_start: int = DEVELOPMENT_STARTS) -> Evaluation:
    """Run episodes without a human.

    Args:
        act: the policy.
        env: where it acts.
        episodes: how many.
        first_start: environment seed of the first episode; each further one adds 1.
    """
    lengths = []
    for number in range(episodes):
        observation, info = env.reset(seed=first_start + number)
        done, steps = False, 0
        while not done:
            observation, _, terminated, truncated, info = env.step(act(observation))
            steps += 1
            done = terminated or truncated
        if info["is_success"]:
            lengths.append(steps)
    low, high = wilson(len(lengths), episodes)
    dt = env.interface.control_dt
    cycle = float(np.mean(lengths)) * dt if lengths else None
    return Evaluation(episodes, len(lengths), low, high, cycle, first_start)
