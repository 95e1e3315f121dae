"""Measures of a person's behaviour with a device in recorded episodes, as distributions that can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gym_hil.datasets.episode import Episode

Array = NDArray[np.float64]
AXES = 3
"""Number of entries of an action, from the first one, that are translation."""
UNDONE_SHARE = 0.5
"""Share of a movement above which the next movement, in the opposite direction, shows that it was an error."""


@dataclass(frozen=True)
class Measure:
    """One distribution.

    Attributes:
        name: its name.
        unit: its unit.
        description: what it measures, in one sentence.
    """

    name: str
    unit: str
    description: str


MEASURES = (
    Measure("onset", "s", "from the beginning of a takeover to the first movement"),
    Measure("hold", "s", "how long one movement along an axis lasts"),
    Measure("speed", "m/s", "speed of the TCP while something is pushed or pressed"),
    Measure("pause", "s", "between two movements in one takeover, along any axis"),
    Measure(
        "corrections",
        "1/s",
        "movements that reverse the previous one along the same axis, per second of acting",
    ),
    Measure("errors", "1/s", "movements that the next one along the same axis undoes, per second of acting"),
)


@dataclass(frozen=True)
class Movement:
    """A sequence of steps in which one axis moved in one direction: first step, number of steps, and sum of
    the levels.
    """

    first: int
    steps: int
    sum: float


def behaviour(episodes: Iterable[Episode], layout: Mapping[str, slice]) -> dict[str, Array]:
    """Return the values of every measure over all takeovers of `episodes`.

    Args:
        episodes: recorded episodes whose actions begin with the translation of an end effector.
        layout: entries of ``observation.state``, with the TCP's position as ``tcp_pos``.
    """
    samples: dict[str, list[float]] = {measure.name: [] for measure in MEASURES}
    for episode in episodes:
        dt = 1.0 / float(episode.meta["fps"])
        numbers = episode.frames["intervention_id"]
        states = np.vstack([episode.frames["observation.state"], episode.final["observation.state"][None]])
        speeds = np.linalg.norm(np.diff(states[:, layout["tcp_pos"]], axis=0), axis=1) / dt
        for number in range(1, int(numbers.max()) + 1):
            steps = np.flatnonzero(numbers == number)
            _add_takeover(samples, episode.frames["action"][steps, :AXES], speeds[steps], dt)
    return {name: np.array(values) for name, values in samples.items()}


def _add_takeover(found: dict[str, list[float]], levels: Array, speeds: Array, dt: float) -> None:
    moving = np.abs(levels).max(axis=1) > 0.0
    if not moving.any():
        return
    first = int(np.argmax(moving))
    found["onset"].append(first * dt)
    found["speed"] += speeds[moving].tolist()
    found["pause"] += [dt * length for length in _gaps(moving[first:])]
    corrections = errors = 0
    for axis in range(AXES):
        before: Movement | None = None
        for movement in movements(levels[:, axis]):
            found["hold"].append(movement.steps * dt)
            if before is not None and movement.sum * before.sum < 0.0:
                corrections += 1
                errors += abs(movement.sum) > UNDONE_SHARE * abs(before.sum)
            before = movement
    seconds = len(levels) * dt
    found["corrections"].append(corrections / seconds)
    found["errors"].append(errors / seconds)


def movements(levels: Array) -> list[Movement]:
    """Return the movements along one axis, given its level in every step."""
    signs = np.sign(levels)
    borders = np.flatnonzero(np.diff(signs)) + 1
    starts = [0, *borders.tolist()]
    stretches = zip(starts, [*starts[1:], len(levels)], strict=True)
    return [
        Movement(start, end - start, float(levels[start:end].sum()))
        for start, end in stretches
        if signs[start]
    ]


def _gaps(moving: NDArray[np.bool_]) -> list[int]:
    """Return the numbers of steps between movements. The steps after the last movement are not a pause."""
    last = len(moving) - int(np.argmax(moving[::-1]))
    borders = np.flatnonzero(np.diff(moving[:last].astype(int))) + 1
    starts = [0, *borders.tolist(), last]
    return [end - start for start, end in pairwise(starts) if start < end and not moving[start]]


def distances(first: Mapping[str, Array], second: Mapping[str, Array]) -> dict[str, float]:
    """Return the Kolmogorov-Smirnov distance of every measure, in [0, 1].

    It is the largest difference of the cumulative distributions. It is 1 if only one of them has values, and 0 if none
    has.
    """
    from scipy.stats import ks_2samp

    result = {}
    for name, values in first.items():
        if len(values) and len(second[name]):
            result[name] = float(ks_2samp(values, second[name], method="asymp").statistic)
        else:
            result[name] = float(len(values) != len(second[name]))
    return result
