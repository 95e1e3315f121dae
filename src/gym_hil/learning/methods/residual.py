"""Residual reinforcement learning on a frozen cloned policy (after Ankile et al. 2025, arXiv:2509.19301).

A clone of the demonstrations is trained first and then frozen. A second policy learns small corrections of the clone's
actions by reinforcement learning, from demonstrations, interventions and its own steps. In interventions, the
correction is the difference between the human's and the clone's action.

Differences from the paper: both policies are small networks with state observations. The correction does not observe
the clone's action, which is a function of the state. A human can take over, and corrections are learned as in `hil`,
including imitation and annealing. A human's action whose difference from the clone's exceeds the largest correction is
stored as the largest correction in its direction.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.learning.actor_critic_learner import ActorCriticLearner
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Transitions
from gym_hil.learning.imitation_learner import ImitationLearner
from gym_hil.learning.methods.base import Learner, LearningMethod, Weights
from gym_hil.learning.policy import GaussianPolicy

MAX_CORRECTION = 0.5
"""Largest correction of an entry of an action, which is in [-1, 1]."""
CLONE, CORRECTION = "clone.", "correction."
"""Prefixes of the names of the two policies' weights."""


class ResidualPolicy:
    """The sum of the clone's action and a correction."""

    def __init__(self) -> None:
        self._clone, self._correction = GaussianPolicy(), GaussianPolicy()
        self._weights: Weights | None = None

    def load(self, weights: Weights) -> None:
        """Replace the weights."""
        if weights is not self._weights:
            self._weights = weights
            self._clone.load(_part(weights, CLONE))
            self._correction.load(_part(weights, CORRECTION))

    def act(self, observation: NDArray[Any]) -> NDArray[np.float32]:
        """Return the best action in [-1, 1]."""
        return _corrected(self._clone.act(observation), self._correction.act(observation))

    def explore(self, observation: NDArray[Any], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return the clone's action with a sampled correction."""
        return _corrected(self._clone.act(observation), self._correction.explore(observation, rng))


class ResidualLearner(Learner):
    """Trains the clone in the first `clone_updates` updates, and then the correction."""

    def __init__(self, config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box) -> None:
        self.clone_updates = Residual.pretraining_steps * config.updates_per_step
        self._clone = ImitationLearner(config, observation_space, action_space)
        self._correction = ActorCriticLearner(config, observation_space, action_space)
        self._waiting: list[Transitions] = []

    @property
    def updates(self) -> int:
        """Gradient steps so far, including those of the clone."""
        return self._clone.updates + self._correction.updates

    def add(self, transitions: Transitions) -> None:
        """Store transitions. Their corrections are computed when the clone is trained."""
        if transitions.demonstration:
            self._clone.add(transitions)
        self._waiting.append(transitions)

    def forget(self, count: int) -> None:
        """Remove the newest `count` transitions, which are not demonstrations."""
        self._store()
        self._correction.forget(count)

    def update(self) -> None:
        """Perform the updates for one control step."""
        if self._clone.updates < self.clone_updates:
            self._clone.update()
        else:
            self._store()
            self._correction.update()

    def policy_weights(self) -> Weights:
        """Return the weights of both policies."""
        parts = ((CLONE, self._clone), (CORRECTION, self._correction))
        return {f"{part}{name}": w for part, policy in parts for name, w in policy.policy_weights().items()}

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the state of both learners."""
        facts: dict[str, Any] = {}
        arrays: dict[str, NDArray[Any]] = {}
        for part, learner in ((CLONE, self._clone), (CORRECTION, self._correction)):
            facts[part], learner_arrays = learner.state()
            arrays |= {f"{part}{name}": array for name, array in learner_arrays.items()}
        return facts, arrays

    def load_state(self, facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Restore the result of `state` exactly.

        Raises:
            ValueError: the state belongs to networks with a different architecture.
        """
        for part, learner in ((CLONE, self._clone), (CORRECTION, self._correction)):
            learner.load_state(facts[part], dict(_part(arrays, part)))

    def metrics(self) -> dict[str, float]:
        """Return the losses of clone and correction."""
        return {**self._clone.metrics(), **self._correction.metrics()}

    def _store(self) -> None:
        """Store the waiting transitions as corrections of the clone."""
        if not self._waiting:
            return
        clone = GaussianPolicy(self._clone.policy_weights())
        for transition in self._waiting:
            corrections = np.clip(
                (transition.actions - clone.act(transition.observations)) / MAX_CORRECTION, -1.0, 1.0
            )
            self._correction.add(replace(transition, actions=corrections.astype(np.float32)))
        self._waiting.clear()


class Residual(LearningMethod):
    """Corrections of a frozen cloned policy."""

    description = "small corrections of a frozen cloned policy by reinforcement learning with a human"
    learner_class = ResidualLearner
    policy_class = ResidualPolicy
    needs_demonstrations = True
    pretraining_steps = 500


RESIDUAL = Residual()


def _corrected(action: NDArray[Any], correction: NDArray[Any]) -> NDArray[np.float32]:
    return np.clip(action + MAX_CORRECTION * correction, -1.0, 1.0).astype(np.float32)


def _part(weights: Weights, part: str) -> Weights:
    return {name.removeprefix(part): array for name, array in weights.items() if name.startswith(part)}
