"""Success and intervention rates of the episodes that a viewer has shown."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

WINDOW = 20
"""Number of latest episodes over which rates are computed."""
HISTORY = 200
"""Number of episodes in the plot."""


@dataclass(frozen=True)
class Outcome:
    """Result of one episode."""

    success: bool
    human_share: float
    """Fraction of its steps in which the human acted, in [0, 1]."""


class EpisodeStatistics:
    """Statistics of episodes, each of which ends when the next one begins."""

    def __init__(self) -> None:
        self.outcomes: deque[Outcome] = deque(maxlen=HISTORY)
        self.episodes = 0
        self._steps = self._human_steps = 0
        self._success = False
        self._discarded = False

    def begin(self) -> None:
        """Add the current episode, if it has steps, and begin the next one."""
        if self._steps and not self._discarded:
            self.episodes += 1
            self.outcomes.append(Outcome(self._success, self._human_steps / self._steps))
        self._steps = self._human_steps = 0
        self._success = self._discarded = False

    def step(self, *, human: bool, success: bool) -> None:
        """Add a step."""
        self._steps += 1
        self._human_steps += human
        self._success = success

    def discard(self) -> None:
        """Discard the current episode, because it will be recorded again."""
        self._discarded = True

    def rates(self) -> tuple[float, float] | None:
        """Return the success rate and the human's share of steps over the latest `WINDOW` episodes, or None
        without episodes.
        """
        return _rates(list(self.outcomes)[-WINDOW:]) if self.outcomes else None

    def report(self) -> dict[str, Any]:
        """Return counts, the rates over the latest `WINDOW` episodes (None without episodes), and the history
        of these rates, oldest first.
        """
        outcomes = list(self.outcomes)
        rates = [_rates(outcomes[max(0, end - WINDOW) : end]) for end in range(1, len(outcomes) + 1)]
        success, human = rates[-1] if rates else (None, None)
        return {
            "episodes": self.episodes,
            "success": success,
            "human": human,
            "last": outcomes[-1].success if outcomes else None,
            "history": [(round(a, 3), round(b, 3)) for a, b in rates],
        }


def _rates(outcomes: list[Outcome]) -> tuple[float, float]:
    count = len(outcomes)
    return sum(o.success for o in outcomes) / count, sum(o.human_share for o in outcomes) / count
