"""Reasons for a simulated human to take over, besides disagreeing with the policy.

A gate is data; `judge` starts its memory of one episode. Counts are control steps (0.1 s at 10 Hz).
"""

from __future__ import annotations

import abc
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.intervention.operator import View

Judge = Callable[[View, np.random.Generator], bool]
"""Asked once per step, whoever acts: whether the human should act now."""


class Gate(abc.ABC):
    """A reason to take over."""

    @abc.abstractmethod
    def judge(self) -> Judge:
        """Begin an episode."""


@dataclass(frozen=True, kw_only=True)
class NoProgress(Gate):
    """For a while the TCP has come no closer to where the expert wants it, nor has the expert changed its
    mind about where that is.
    """

    steps: int = 20
    metres: float = 0.02
    """Less than this within `steps` is no progress."""

    def __post_init__(self) -> None:
        """Refuse what cannot be measured."""
        _require(self.steps >= 1, f"steps={self.steps!r} must be at least 1")
        _require(self.metres > 0, f"metres={self.metres!r} must be positive")

    def judge(self) -> Judge:
        """Begin an episode."""
        past: deque[tuple[NDArray[np.float64], float]] = deque(maxlen=self.steps + 1)

        def stuck(view: View, rng: np.random.Generator) -> bool:
            goal, _ = view.env.expert_intent()
            distance = float(np.linalg.norm(goal - view.env.simulation.tcp_pos_w))
            past.append((goal.copy(), distance))
            first_goal, first_distance = past[0]
            full = len(past) == self.steps + 1
            same_goal = float(np.linalg.norm(goal - first_goal)) < self.metres
            return full and same_goal and first_distance - distance < self.metres

        return stuck


@dataclass(frozen=True, kw_only=True)
class LeavingWorkspace(Gate):
    """The policy's motion, kept up for `lookahead` steps, takes the TCP out of the task's workspace."""

    lookahead: int = 3

    def __post_init__(self) -> None:
        """Refuse what is no outlook."""
        _require(self.lookahead >= 1, f"lookahead={self.lookahead!r} must be at least 1")

    def judge(self) -> Judge:
        """Begin an episode."""

        def leaving(view: View, rng: np.random.Generator) -> bool:
            workspace = view.env.task.workspace
            motion = np.asarray(view.policy_action[:3], np.float64) * view.scale
            ahead = view.env.simulation.tcp_pos_w + self.lookahead * motion
            out_below = (ahead < workspace.low) & (motion < 0.0)
            out_above = (ahead > workspace.high) & (motion > 0.0)
            return bool((out_below | out_above).any())

        return leaving


@dataclass(frozen=True, kw_only=True)
class Schedule(Gate):
    """Steps `start` to `start + length - 1` of every `every`, counted from the episode's beginning."""

    start: int = 20
    length: int = 10
    every: int = 50

    def __post_init__(self) -> None:
        """Refuse what fits into no period."""
        _require(
            self.start >= 0 and 1 <= self.length <= self.every,
            f"start={self.start!r} must be at least 0, and 1 <= length={self.length!r} <= "
            f"every={self.every!r}",
        )

    def judge(self) -> Judge:
        """Begin an episode."""
        step = -1

        def due(view: View, rng: np.random.Generator) -> bool:
            nonlocal step
            step += 1
            return step >= self.start and (step - self.start) % self.every < self.length

        return due


@dataclass(frozen=True, kw_only=True)
class Chance(Gate):
    """With some probability at every step, whatever the policy does."""

    probability: float = 0.02

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        _require(
            0.0 <= self.probability <= 1.0,
            f"probability={self.probability!r} is no probability in [0, 1]",
        )

    def judge(self) -> Judge:
        """Begin an episode."""
        return lambda view, rng: bool(rng.random() < self.probability)


def _require(holds: bool, complaint: str) -> None:
    if not holds:
        raise InvalidArgumentError(complaint)
