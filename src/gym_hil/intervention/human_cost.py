"""The cost of an episode for the human."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import gymnasium as gym

from gym_hil.core import schema

HUMAN_COST = "human_cost"
"""Info key of the cost in the last step of an episode."""


@dataclass(frozen=True)
class HumanCost:
    """Human cost of one episode."""

    steps: int
    interventions: int
    """Number of takeovers."""
    intervened_steps: int
    intervened_s: float
    """Time in which the human acted (s)."""
    watched_s: float
    """Time in which the policy acted and the human watched (s); 0 without an operator."""
    switches: int
    """Number of changes of control: takeovers and releases."""
    rate: float
    """Fraction of steps in which the human acted, in [0, 1]."""
    mean_length_s: float
    """Mean duration of a takeover (s); 0 without takeovers."""
    time_to_takeover_s: float | None
    """Time before the first takeover (s); None without takeovers."""
    success: bool
    success_alone: bool
    """Whether the episode succeeded without a takeover."""


def takeovers(acted: Sequence[bool]) -> int:
    """Return the number of takeovers in an episode.

    Args:
        acted: whether the human acted in each step.
    """
    return sum(now and not before for before, now in zip([False, *acted], acted, strict=False))


def switches(acted: Sequence[bool]) -> int:
    """Return the number of changes of control in an episode. Acting from the first step on does not count as
    a change, unless `acted` begins with an additional False.

    Args:
        acted: whether the human acted in each step.
    """
    return sum(before != now for before, now in pairwise(acted))


class RecordHumanCost(gym.Wrapper):
    """Adds ``info["human_cost"]``, the fields of `HumanCost` as a dictionary, to the last step of every
    episode.

    It must wrap everything that can end an episode, including the time limit.

    Args:
        env: the environment.
        buffer_length: number of episodes in `episodes`.

    Attributes:
        episodes: the costs of the latest episodes, oldest first.
    """

    def __init__(self, env: gym.Env, buffer_length: int = 100) -> None:
        super().__init__(env)
        self.episodes: deque[HumanCost] = deque(maxlen=buffer_length)
        self._dt = float(env.get_wrapper_attr("control_dt"))
        self._watched = env.has_wrapper_attr("operator") and env.get_wrapper_attr("operator") is not None
        self._acted: list[bool] = []

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset the environment and the counters."""
        self._acted = []
        return self.env.reset(**kwargs)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the environment and count."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._acted.append(bool(info[schema.IS_INTERVENTION]))
        if terminated or truncated:
            cost = self._cost(bool(info[schema.NEXT_SUCCESS]))
            self.episodes.append(cost)
            info[HUMAN_COST] = asdict(cost)
        return observation, reward, terminated, truncated, info

    def summary(self) -> dict[str, float]:
        """Return rates and means over `episodes`: `success`, `success_alone`, `rate`, `intervened_s`,
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
