"""A person's time: so many seconds of acting within any hour."""

from __future__ import annotations

from collections import deque

HOUR_S = 3600.0


class AttentionBudget:
    """Counts seconds of acting within the last hour of the robot's time."""

    def __init__(self, budget_s: float) -> None:
        self._budget_s = budget_s
        self._now_s = 0.0
        self._spent_s = 0.0
        self._acted: deque[tuple[float, float]] = deque()

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self._now_s += seconds
        while self._acted and self._acted[0][0] <= self._now_s - HOUR_S:
            self._spent_s -= self._acted.popleft()[1]

    def allows(self, seconds: float) -> bool:
        """Return whether `seconds` more may be spent now."""
        return self._spent_s + seconds <= self._budget_s * (1.0 + 1e-9)

    def spend(self, seconds: float) -> None:
        """Act for as long."""
        self._acted.append((self._now_s, seconds))
        self._spent_s += seconds
