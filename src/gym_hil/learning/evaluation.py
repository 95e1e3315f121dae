"""Evaluation of a policy without a human."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.schema import IS_INTERVENTION
from gym_hil.learning.policy_env import PolicyEnv
from gym_hil.learning.seeds import DEVELOPMENT_STARTS

Act = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""A policy: a function from an observation to an action in [-1, 1]."""


@dataclass(frozen=True)
class Evaluation:
    """Result of an evaluation."""

    episodes: int
    """Number of episodes."""
    successes: int
    """Number of successful episodes."""
    low: float
    """Lower bound of the 95 % Wilson score interval of the success rate."""
    high: float
    """Upper bound of that interval."""
    cycle_s: float | None
    """Mean duration of successful episodes (simulated s), or None if there are none."""
    first_start: int = DEVELOPMENT_STARTS
    """Environment seed of the first episode."""


def wilson(successes: int, episodes: int, z: float = 1.96) -> tuple[float, float]:
    """Return the Wilson score interval of a success rate (Wilson 1927).

    Args:
        successes: number of successful episodes.
        episodes: number of episodes.
        z: quantile of the normal distribution; 1.96 gives the 95 % interval.

    Returns:
        The lower and upper bounds, in [0, 1].
    """
    rate = successes / episodes
    scale = 1.0 + z * z / episodes
    centre = (rate + z * z / (2 * episodes)) / scale
    margin = z / scale * sqrt(rate * (1.0 - rate) / episodes + z * z / (4 * episodes**2))
    return max(0.0, centre - margin), min(1.0, centre + margin)


def evaluate(
    act: Act,
    env: PolicyEnv,
    episodes: int,
    first_start: int = DEVELOPMENT_STARTS,
    on_episode: Callable[[int], None] = lambda ended: None,
    limit: int | None = None,
) -> Evaluation:
    """Evaluate a policy without a human. An episode in which a person takes over counts as failed.

    Args:
        act: the policy.
        env: the environment.
        episodes: number of episodes.
        first_start: environment seed of the first episode. It is incremented by 1 for each further episode.
        on_episode: called after each episode with the number of episodes that have ended.
        limit: time limit of an episode in steps; None for that of `env`.

    Returns:
        The result.
    """
    lengths = []
    for number in range(episodes):
        observation, info = env.reset(seed=first_start + number)
        done, steps, helped = False, 0, False
        while not done:
            observation, _, terminated, truncated, info = env.step(act(observation))
            steps += 1
            helped |= info[IS_INTERVENTION]
            done = terminated or truncated or steps == limit
        if info["is_success"] and not helped:
            lengths.append(steps)
        on_episode(number + 1)
    low, high = wilson(len(lengths), episodes)
    dt = env.interface.control_dt
    cycle = float(np.mean(lengths)) * dt if lengths else None
    return Evaluation(episodes, len(lengths), low, high, cycle, first_start)
