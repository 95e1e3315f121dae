"""Imitation of everything that was executed, with shares by kind of step: what IWR and Sirius have in common."""

from __future__ import annotations

import abc
from enum import IntEnum
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Transitions
from gym_hil.learning.methods.bc import ImitationLearner

PRETRAINING_STEPS = 500
"""Control steps' worth of updates from the demonstrations before the policy acts: these methods begin with a clone."""


class Kind(IntEnum):
    """Of an executed step."""

    DEMONSTRATION = 0
    INTERVENTION = 1
    POLICY = 2
    BEFORE_INTERVENTION = 3
    """The policy's, shortly before a human took over."""


class WeightedImitationLearner(ImitationLearner):
    """Imitates humans and the policy itself, and draws a given share of every batch from each kind of step.

    Drawing a kind with a share P instead of its frequency F weights its loss by P / F.

    Args:
        config: of the run.
        observation_space: of the policy.
        action_space: of the policy.
        before_steps: how many steps before a takeover count as `Kind.BEFORE_INTERVENTION`.
    """

    def __init__(
        self,
        config: TrainConfig,
        observation_space: spaces.Box,
        action_space: spaces.Box,
        before_steps: int = 0,
    ) -> None:
        super().__init__(config, observation_space, action_space)
        self._before_steps = before_steps
        self.kinds: list[Kind] = []
        """Of every stored step, oldest first."""
        self._episode_start = 0
        self._by_kind: list[NDArray[np.int64]] | None = None

    @abc.abstractmethod
    def shares(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how much of a batch comes from each kind.

        Args:
            counts: stored steps of each kind, of shape (4,).

        Returns:
            Shares of shape (4,), at least 0; they need not add up to 1. Kinds without steps count for nothing.
        """

    def add(self, transitions: Transitions) -> None:
        """Keep every step, with its kind."""
        self._keep(transitions, np.ones(len(transitions), np.bool_))
        over = transitions.terminated | transitions.truncated
        for human, ends in zip(transitions.interventions.tolist(), over.tolist(), strict=True):
            if not human:
                kind = Kind.POLICY
            else:
                kind = Kind.DEMONSTRATION if transitions.demonstration else Kind.INTERVENTION
                self._mark_before()
            self.kinds.append(kind)
            if ends:
                self._episode_start = len(self.kinds)
        self._by_kind = None

    def forget(self, count: int) -> None:
        """Drop the newest `count` transitions."""
        super().forget(count)
        del self.kinds[len(self.kinds) - count :]
        self._episode_start, self._by_kind = len(self.kinds), None

    def draw(self, size: int) -> NDArray[np.int64]:
        """Return the numbers of `size` steps, so many of each kind as its share says."""
        if self._by_kind is None:
            kinds = np.array(self.kinds)
            self._by_kind = [np.flatnonzero(kinds == kind) for kind in Kind]
        counts = np.array([len(numbers) for numbers in self._by_kind], np.float64)
        shares = np.where(counts > 0, np.maximum(self.shares(counts), 0.0), 0.0)
        if shares.sum() == 0.0:
            shares = counts
        each = self._rng.multinomial(size, shares / shares.sum())
        drawn = [
            numbers[self._rng.integers(len(numbers), size=wanted)]
            for numbers, wanted in zip(self._by_kind, each, strict=True)
            if wanted
        ]
        return np.concatenate(drawn)

    def _mark_before(self) -> None:
        """If a takeover begins with the next step, mark the policy's steps before it."""
        first = max(self._episode_start, len(self.kinds) - self._before_steps)
        for number in range(len(self.kinds) - 1, first - 1, -1):
            if self.kinds[number] != Kind.POLICY:
                break
            self.kinds[number] = Kind.BEFORE_INTERVENTION


def frequencies(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Return the share of each kind in what is stored."""
    return counts / counts.sum()
