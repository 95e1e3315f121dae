"""Statistics over seeds and evaluations: interquartile means with bootstrap intervals, and the time at which
a task is learned.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.errors import MissingExtraError

CONFIDENCE = 0.95
RESAMPLES = 2000
"""Number of bootstrap samples of an interval."""
WINDOW_EPISODES = 200
"""Smallest number of evaluation episodes that can show that a task is learned."""
Array = NDArray[np.float64]


def iqm(values: Array, axis: int = 0) -> Array:
    """Return the interquartile mean over an axis: the mean of the middle half (Agarwal et al. 2021,
    arXiv:2108.13264).
    """
    return _scipy().trim_mean(values, 0.25, axis=axis)


def iqm_and_interval(values: Array) -> tuple[Array, Array, Array]:
    """Return the interquartile mean over seeds with its bootstrap interval.

    Args:
        values: values of shape (seeds, ...).

    Returns:
        The mean, and the lower and upper bounds of its 95 % percentile-bootstrap interval over seeds, each of
        shape (...). The bounds are NaN for a single seed. Results are deterministic.
    """
    values = np.asarray(values, np.float64)
    mean = np.asarray(iqm(values))
    if len(values) < 2:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    rows = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    means = iqm(values[rows], axis=1)
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(means, [tail, 100.0 - tail], axis=0)
    return mean, low, high


def lower_bound(successes: int, episodes: int, confidence: float) -> float:
    """Return the exact one-sided lower bound of a success rate (Clopper and Pearson 1934)."""
    if successes == 0:
        return 0.0
    return float(_scipy().beta.ppf(1.0 - confidence, successes, episodes - successes + 1))


def first_reached(successes: Sequence[int], episodes: Sequence[int], threshold: float) -> int | None:
    """Return the first evaluation from which a success rate is above a threshold.

    Consecutive evaluations are pooled to windows of `WINDOW_EPISODES` episodes. The task counts as learned at the first
    evaluation of the first window whose one-sided lower bound is above the threshold. The confidence is corrected for
    the number of windows (Bonferroni), so that a policy below the threshold passes with a probability of at most 5 %.

    Args:
        successes: number of successes in each evaluation, in order.
        episodes: number of episodes in each evaluation, in order.
        threshold: success rate, in [0, 1].

    Returns:
        The index of the evaluation, or None if there is none or there are too few episodes.
    """
    windows = []
    for start in range(len(episodes)):
        total = np.cumsum(episodes[start:])
        enough = np.nonzero(total >= WINDOW_EPISODES)[0]
        if len(enough):
            windows.append((start, start + int(enough[0]) + 1))
    confidence = 1.0 - (1.0 - CONFIDENCE) / max(1, len(windows))
    for start, stop in windows:
        if lower_bound(sum(successes[start:stop]), sum(episodes[start:stop]), confidence) > threshold:
            return start
    return None


def minutes_to_threshold(success: Array, minutes: Array, episodes: Sequence[int], threshold: float) -> float:
    """Return the robot minutes until a task is learned, or infinity; see `first_reached`.

    Args:
        success: success rate of each evaluation, in [0, 1].
        minutes: robot minutes at each evaluation.
        episodes: number of episodes in each evaluation.
        threshold: success rate, in [0, 1].
    """
    counts = [round(rate * count) for rate, count in zip(success.tolist(), episodes, strict=True)]
    reached = first_reached(counts, episodes, threshold)
    return math.inf if reached is None else float(minutes[reached])


def kendall_tau(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Kendall's rank correlation tau-b of two lists of scores, in [-1, 1]; NaN if all scores of a list
    are equal.
    """
    return float(_scipy().kendalltau(first, second).statistic)


def _scipy() -> Any:
    try:
        from scipy import stats
    except ImportError as error:
        raise MissingExtraError("scipy", "study", "Comparing runs of a study") from error
    return stats
