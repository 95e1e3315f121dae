"""Imitation of all executed steps, with a share for each kind of step, as in IWR and Sirius."""

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
"""Number of control steps whose updates are done with the demonstrations before the policy acts."""


class Kind(IntEnum):
    """The kind of an executed step."""

    DEMONSTRATION = 0
    INTERVENTION = 1
    POLICY = 2
    BEFORE_INTERVENTION = 3
    """A step of the policy shortly before a takeover."""


class WeightedImitationLearner(ImitationLearner):
    """Imitates the human and the policy itself, with a given share of each kind of step in every batch.

    Sampling a kind with a share P instead of its frequency F multiplies the weight of its loss by P / F.

    Args:
        config: configuration of the run.
        observation_space: observation space of the policy.
        action_space: action space of the policy.
        before_steps: number of steps before a takeover that are `Kind.BEFORE_INTERVENTION`.
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
        """Kind of every stored step, oldest first."""
        self._episode_start = 0
        self._by_kind: list[NDArray[np.int64]] | None = None

    @abc.abstractmethod
    def shares(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of each kind of step in a batch.

        Args:
            counts: number of stored steps of each kind (4,).

        Returns:
            Shares (4,), at least 0. They are normalised over the kinds that have steps.
        """

    def add(self, transitions: Transitions) -> None:
        """Store all steps with their kinds."""
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
        """Remove the newest `count` transitions."""
        super().forget(count)
        del self.kinds[len(self.kinds) - count :]
        self._episode_start, self._by_kind = len(self.kinds), None

    def draw(self, size: int) -> NDArray[np.int64]:
        """Return the indices of `size` steps, sampled according to the shares of the kinds."""
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
    """Return the share of each kind in the stored steps."""
    return counts / counts.sum()
