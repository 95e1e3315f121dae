"""A limit on the time in which a human acts within any hour."""

from __future__ import annotations

from collections import deque

HOUR_S = 3600.0


class AttentionBudget:
    """Counts the time of acting within the last hour of robot time.

    Args:
        budget_s: time of acting that is available within any hour (s).
    """

    def __init__(self, budget_s: float) -> None:
        self._budget_s = budget_s
        self._now_s = 0.0
        self._spent_s = 0.0
        self._acted: deque[tuple[float, float]] = deque()

    def pass_time(self, seconds: float) -> None:
        """Advance the robot time by `seconds`."""
        self._now_s += seconds
        while self._acted and self._acted[0][0] <= self._now_s - HOUR_S:
            self._spent_s -= self._acted.popleft()[1]

    def allows(self, seconds: float) -> bool:
        """Return whether the human may act for `seconds` more."""
        return self._spent_s + seconds <= self._budget_s * (1.0 + 1e-9)

    def spend(self, seconds: float) -> None:
        """Record that the human acts for `seconds`."""
        self._acted.append((self._now_s, seconds))
        self._spent_s += seconds
