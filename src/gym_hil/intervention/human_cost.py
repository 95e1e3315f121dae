"""What an episode cost the human."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import gymnasium as gym

from gym_hil.core import schema

HUMAN_COST = "human_cost"
"""Info key at the end of an episode."""


@dataclass(frozen=True)
class HumanCost:
    """Of one episode."""

    steps: int
    interventions: int
    """How often the human took over."""
    intervened_steps: int
    intervened_s: float
    """Seconds in which the human acted."""
    watched_s: float
    """Seconds in which the policy acted and the human had to watch, ready to take over; 0 if nobody could."""
    switches: int
    """How often control changed hands: takeovers and releases."""
    rate: float
    """Share of steps in which the human acted, in [0, 1]."""
    mean_length_s: float
    """Mean length of a takeover (s); 0 without any."""
    time_to_takeover_s: float | None
    """Seconds before the first takeover; None without any."""
    success: bool
    success_alone: bool
    """Success without any takeover."""


def takeovers(acted: Sequence[bool]) -> int:
    """Return how often the human took over in an episode.

    Args:
        acted: whether the human acted, step by step.
    """
    return sum(now and not before for before, now in zip([False, *acted], acted, strict=False))


def switches(acted: Sequence[bool]) -> int:
    """Return how often control changed hands in an episode. Acting from the first step on is no change; begin
    with False to count it.

    Args:
        acted: whether the human acted, step by step.
    """
    return sum(before != now for before, now in pairwise(acted))


class RecordHumanCost(gym.Wrapper):
    """Put ``info["human_cost"]`` (a dict as `HumanCost`) into the last step of every episode.

    Goes around everything that may end an episode, the time limit included.

    Attributes:
        episodes: the last `buffer_length` episodes, oldest first.
    """

    def __init__(self, env: gym.Env, buffer_length: int = 100) -> None:
        super().__init__(env)
        self.episodes: deque[HumanCost] = deque(maxlen=buffer_length)
        self._dt = float(env.get_wrapper_attr("control_dt"))
        self._watched = env.has_wrapper_attr("operator") and env.get_wrapper_attr("operator") is not None
        self._acted: list[bool] = []

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Begin to count anew."""
        self._acted = []
        return self.env.reset(**kwargs)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step and count."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._acted.append(bool(info[schema.IS_INTERVENTION]))
        if terminated or truncated:
            cost = self._cost(bool(info[schema.NEXT_SUCCESS]))
            self.episodes.append(cost)
            info[HUMAN_COST] = asdict(cost)
        return observation, reward, terminated, truncated, info

    def summary(self) -> dict[str, float]:
        """Return shares and means over `episodes`: `success`, `success_alone`, `rate`, `intervened_s`,
        `watched_s`, `switches`.
        """
        count = max(1, len(self.episodes))
        steps = max(1, sum(cost.steps for cost in self.episodes))
        return {
            "success": sum(cost.success for cost in self.episodes) / count,
            "success_alone": sum(cost.success_alone for cost in self.episodes) / count,
            "rate": sum(cost.intervened_steps for cost in self.episodes) / steps,
            "intervened_s": sum(cost.intervened_s for cost in self.episodes) / count,
            "watched_s": sum(cost.watched_s for cost in self.episodes) / count,
            "switches": sum(cost.switches for cost in self.episodes) / count,
        }

    def _cost(self, success: bool) -> HumanCost:
        acted = self._acted
        interventions = takeovers(acted)
        intervened = sum(acted)
        return HumanCost(
            steps=len(acted),
            interventions=interventions,
            intervened_steps=intervened,
            intervened_s=intervened * self._dt,
            watched_s=(len(acted) - intervened) * self._dt if self._watched else 0.0,
            switches=switches([False, *acted]),
            rate=intervened / len(acted),
            mean_length_s=intervened * self._dt / interventions if interventions else 0.0,
            time_to_takeover_s=acted.index(True) * self._dt if interventions else None,
            success=success,
            success_alone=success and not interventions,
        )
