"""Imitation of all executed steps, with a share for each kind of step, as in IWR and Sirius."""

from __future__ import annotations

import abc
from enum import IntEnum
from typing import ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Transitions
from gym_hil.learning.imitation_learner import ImitationLearner
from gym_hil.learning.methods.bc import BehaviourCloning

PRETRAINING_STEPS = 500
"""Number of control steps whose updates are done with the demonstrations before the policy acts."""
INTERVENTIONS = 0.5
"""Share of interventions in every batch."""


class Kind(IntEnum):
    """The kind of an executed step."""

    DEMONSTRATION = 0
    INTERVENTION = 1
    POLICY = 2
    BEFORE_INTERVENTION = 3
    """A step of the policy shortly before a takeover."""


class WeightedImitationLearner(ImitationLearner):
    """Imitates the human and the policy itself, with a given share of each kind of step in every batch.

    Half of every batch is from interventions. Sampling a kind with a share P instead of its frequency F multiplies the
    weight of its loss by P / F.

    Attributes:
        before_s: duration before a takeover in which the policy's steps are `Kind.BEFORE_INTERVENTION` (s).
    """

    before_s: ClassVar[float] = 0.0

    def __init__(self, config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box) -> None:
        super().__init__(config, observation_space, action_space)
        self._before_steps = round(self.before_s / config.control_dt)
        self.kinds: list[Kind] = []
        """Kind of every stored step, oldest first."""
        self._episode_start = 0
        self._by_kind: list[NDArray[np.int64]] | None = None

    @abc.abstractmethod
    def other_weights(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the relative weights of the kinds of steps other than interventions.

        Args:
            counts: number of stored steps of each kind (4,).

        Returns:
            Weights (4,), at least 0, which need not be normalised. That of interventions is ignored.
        """

    def add(self, transitions: Transitions) -> None:
        """Store all steps with their kinds."""
        self._keep(transitions, np.ones(len(transitions), np.bool_))
        ended = transitions.terminated | transitions.truncated
        for human, ends in zip(transitions.interventions.tolist(), ended.tolist(), strict=True):
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
        others = np.where(counts > 0, self.other_weights(counts), 0.0)
        others[Kind.INTERVENTION] = 0.0
        shares = (1.0 - INTERVENTIONS) * others / (others.sum() or 1.0)
        shares[Kind.INTERVENTION] = INTERVENTIONS * (counts[Kind.INTERVENTION] > 0)
        count_by_kind = self._rng.multinomial(size, shares / shares.sum())
        drawn = [
            numbers[self._rng.integers(len(numbers), size=count)]
            for numbers, count in zip(self._by_kind, count_by_kind, strict=True)
            if count
        ]
        return np.concatenate(drawn)

    def _mark_before(self) -> None:
        """If a takeover begins with the next step, mark the policy's steps before it."""
        first = max(self._episode_start, len(self.kinds) - self._before_steps)
        for number in range(len(self.kinds) - 1, first - 1, -1):
            if self.kinds[number] != Kind.POLICY:
                break
            self.kinds[number] = Kind.BEFORE_INTERVENTION


class WeightedImitation(BehaviourCloning):
    """Imitation of all executed steps, before and while the policy acts."""

    acts_online = True
    pretraining_steps = PRETRAINING_STEPS
