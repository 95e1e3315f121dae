"""The changing condition of a simulated human: lapses of attention, fatigue, practice, and preferred routes."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gym_hil.intervention.limits import Limits

FAR_M = 0.03
"""Distance from which on a person can choose among several routes (m); shorter motions are straight. Assumed."""

RISE_M = 0.01
"""Distance by which a hand has to rise before it moves sideways, on all routes except the straight one (m), because
a held object could otherwise push against objects on the table. Assumed."""
MAX_CAUTION = 1000.0
"""Largest value of `Condition.caution`, with which a human acts for the rest of every episode."""


class Route(str, enum.Enum):
    """A person's route over a long distance."""

    STRAIGHT = "straight"
    """Along all axes at the same time."""
    ACROSS_FIRST = "across first"
    """Along x and y, then vertically."""
    HEIGHT_FIRST = "height first"
    """Vertically, then along x and y."""
    ONE_AXIS = "one axis at a time"
    """Along the axis with the largest remaining distance."""

    def part(self, offset: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the part (3, m) of a remaining motion (3, m) that the person executes first."""
        far = np.abs(offset) > FAR_M
        if self is Route.STRAIGHT or not far.any():
            return offset
        kept = np.ones(3)
        if offset[2] > RISE_M:
            kept[:2] = 0.0
        elif self is Route.ACROSS_FIRST and far[:2].any():
            kept[2] = 0.0
        elif self is Route.HEIGHT_FIRST and far[2]:
            kept[:2] = 0.0
        elif self is Route.ONE_AXIS:
            kept = (np.arange(3) == int(np.argmax(np.abs(offset)))).astype(float)
        return offset * kept


@dataclass
class Condition:
    """The properties of a human that change from step to step and from episode to episode.

    Attributes:
        limits: the human's limits.
        route: the route over long distances in this episode.
        elapsed_s: time of watching and acting in all episodes (s).
        practice: number of episodes in which it has acted.
        lapse_s: remaining time of the current lapse (s).
        acted: whether it has acted in this episode.
        caution: factor on the duration of takeovers in this episode.
    """

    limits: Limits
    route: Route = Route.STRAIGHT
    elapsed_s: float = 0.0
    practice: int = 0
    lapse_s: float = 0.0
    acted: bool = False
    caution: float = 1.0

    def begin(self, rng: np.random.Generator) -> None:
        """Begin an episode and choose a route, in most episodes the preferred one."""
        self.practice += self.acted
        self.acted, self.lapse_s, self.caution = False, 0.0, 1.0
        self.route = Route(self.limits.route)
        if self.limits.changes_route and rng.random() < self.limits.changes_route:
            others = [route for route in Route if route is not self.route]
            self.route = others[int(rng.integers(len(others)))]

    def pass_time(self, seconds: float, rng: np.random.Generator) -> None:
        """Advance the time while the human watches; lapses begin and end."""
        limits = self.limits
        self.elapsed_s += seconds
        self.lapse_s = max(0.0, self.lapse_s - seconds)
        if limits.lapses_per_min and rng.random() < limits.lapses_per_min * seconds / 60.0:
            self.lapse_s += rng.exponential(limits.lapse_s)

    def hand_back(self) -> None:
        """End a takeover. The next takeover lasts longer, so that the human overcomes a policy that undoes the help."""
        self.caution = min(MAX_CAUTION, self.caution * (1.0 + self.limits.distrust))

    @property
    def slowness(self) -> float:
        """Factor on times and errors, relative to a rested and unpractised human."""
        tired = 1.0 + self.limits.tiring_per_hour * self.elapsed_s / 3600.0
        return float(tired * (1 + self.practice) ** -self.limits.learning)
