"""Conditions under which a simulated human takes over, in addition to disagreement with the policy.

A gate opens in the steps in which its condition is met. It is immutable; `start_episode` returns a function, which has
the memory of one episode. Numbers of steps are control steps.
"""

from __future__ import annotations

import abc
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.intervention.operator import View

StepCondition = Callable[[View, np.random.Generator], bool]
"""A function that is called once per step and returns whether the human should act. It can be copied with its
memory."""


class Gate(abc.ABC):
    """A condition for taking over."""

    @abc.abstractmethod
    def start_episode(self) -> StepCondition:
        """Return the condition for the steps of one episode."""


@dataclass(frozen=True, kw_only=True)
class NoProgress(Gate):
    """Opens when the TCP has not come closer to the expert's goal for some time, while that goal has not
    changed.
    """

    seconds: float = 2.0
    """Time without progress (s)."""
    metres: float = 0.02
    """Smallest distance within `seconds` that counts as progress (m)."""

    def __post_init__(self) -> None:
        """Validate the fields."""
        _require(self.seconds > 0, f"seconds={self.seconds!r} must be positive")
        _require(self.metres > 0, f"metres={self.metres!r} must be positive")

    def start_episode(self) -> StepCondition:
        """Return the condition for the steps of one episode."""
        return partial(self._is_stuck, deque())

    def _is_stuck(
        self, past: deque[tuple[NDArray[np.float64], float]], view: View, rng: np.random.Generator
    ) -> bool:
        goal = view.env.expert_goal()
        distance = float(np.linalg.norm(goal - view.env.tcp_pos_w))
        past.append((goal.copy(), distance))
        steps = max(1, round(self.seconds / view.env.control_dt))
        while len(past) > steps + 1:
            past.popleft()
        first_goal, first_distance = past[0]
        full = len(past) == steps + 1
        same_goal = float(np.linalg.norm(goal - first_goal)) < self.metres
        return full and same_goal and first_distance - distance < self.metres


@dataclass(frozen=True, kw_only=True)
class LeavingWorkspace(Gate):
    """Opens when the policy's motion would move the TCP out of the task's workspace within `lookahead` steps."""

    lookahead: int = 3

    def __post_init__(self) -> None:
        """Validate the field."""
        _require(self.lookahead >= 1, f"lookahead={self.lookahead!r} must be at least 1")

    def start_episode(self) -> StepCondition:
        """Return the condition for the steps of one episode."""
        return self._is_leaving

    def _is_leaving(self, view: View, rng: np.random.Generator) -> bool:
        env = view.env
        motion = env.translation(view.policy_action)
        ahead = env.tcp_pos_w + self.lookahead * motion
        out_below = (ahead < env.workspace.low) & (motion < 0.0)
        out_above = (ahead > env.workspace.high) & (motion > 0.0)
        return bool((out_below | out_above).any())


@dataclass(frozen=True, kw_only=True)
class Schedule(Gate):
    """Opens in steps `start` to `start + length - 1` of every `every` steps, counted from the beginning of
    the episode.
    """

    start: int = 20
    length: int = 10
    every: int = 50

    def __post_init__(self) -> None:
        """Validate the fields."""
        _require(
            self.start >= 0 and 1 <= self.length <= self.every,
            f"start={self.start!r} must be at least 0, and 1 <= length={self.length!r} <= "
            f"every={self.every!r}",
        )

    def start_episode(self) -> StepCondition:
        """Return the condition for the steps of one episode."""
        return partial(self._is_due, [0])

    def _is_due(self, counter: list[int], view: View, rng: np.random.Generator) -> bool:
        step, counter[0] = counter[0], counter[0] + 1
        return step >= self.start and (step - self.start) % self.every < self.length


@dataclass(frozen=True, kw_only=True)
class Chance(Gate):
    """Opens with a fixed probability in every step."""

    probability: float = 0.02

    def __post_init__(self) -> None:
        """Validate the field."""
        _require(
            0.0 <= self.probability <= 1.0,
            f"probability={self.probability!r} must be in [0, 1]",
        )

    def start_episode(self) -> StepCondition:
        """Return the condition for the steps of one episode."""
        return self._happens

    def _happens(self, view: View, rng: np.random.Generator) -> bool:
        return bool(rng.random() < self.probability)


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise InvalidArgumentError(message)
