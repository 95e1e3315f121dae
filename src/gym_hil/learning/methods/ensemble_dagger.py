"""Ensemble DAgger: the policy calls a human when its members disagree (after Menda et al. 2019,
arXiv:1807.08364).

Several networks imitate human actions, each with its own batches. The policy executes their mean action, and calls a
human while they disagree. The human does not watch.

Differences from the paper: the human's action is not known in every step, so that the rule about the distance to the
expert's action is omitted, as in ThriftyDAgger (Hoque et al. 2021, arXiv:2109.08273). As there, the threshold of
disagreement is a quantile of the latest steps, so that calls are rare, and the human acts until the disagreement is
half of it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Transitions
from gym_hil.learning.imitation_learner import FEATURE_NOISE, ImitationLearner
from gym_hil.learning.methods.base import Weights
from gym_hil.learning.methods.bc import BehaviourCloning
from gym_hil.learning.methods.weighted_imitation import PRETRAINING_STEPS

MEMBERS = 5
CALL_SHARE = 0.1
"""Share of the latest steps whose disagreement exceeds the threshold."""
LATEST = 500
"""Number of the latest steps from which the threshold is computed."""
LEAST_DISAGREEMENT = 0.05
"""Smallest threshold: mean standard deviation of the members' actions, which are in [-1, 1]."""


class EnsemblePolicy:
    """Networks with two hidden layers that act by their mean action, in NumPy."""

    def __init__(self) -> None:
        self._calling = False

    def load(self, weights: Weights) -> None:
        """Replace the weights: ``w0, b0, w1, b1, w2, b2`` with a row per member, and ``threshold``."""
        self._weights = weights

    def members(self, observation: NDArray[Any]) -> NDArray[np.float32]:
        """Return the members' actions, of shape (members, ..., actions)."""
        weights, hidden = self._weights, np.atleast_2d(observation)
        for layer in range(2):
            hidden = np.maximum(hidden @ weights[f"w{layer}"] + weights[f"b{layer}"], 0.0)
        actions = np.tanh(hidden @ weights["w2"] + weights["b2"])
        return actions if observation.ndim == 2 else actions[:, 0]

    def act(self, observation: NDArray[Any]) -> NDArray[np.float32]:
        """Return the members' mean action."""
        return self.members(observation).mean(axis=0)

    def explore(self, observation: NDArray[Any], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return the members' mean action, as for an evaluation."""
        return self.act(observation)

    def asks_for_help(self, observation: NDArray[Any], step: int) -> bool:
        """Return whether a human should act: from a disagreement above the threshold until it is half of that."""
        self._calling = self._calling and step > 0
        disagreement, threshold = (
            float(disagreements(self.members(observation))),
            float(self._weights["threshold"]),
        )
        self._calling = disagreement > (0.5 * threshold if self._calling else threshold)
        return self._calling


class EnsembleLearner(ImitationLearner):
    """Trains several networks at the same time."""

    def __init__(self, config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box) -> None:
        import torch
        from torch import nn

        super().__init__(config, observation_space, action_space)
        sizes = [(layer.in_features, layer.out_features) for layer in self.layers]
        self._matrices = nn.ParameterList(
            [
                nn.Parameter((2.0 * torch.rand(MEMBERS, rows, out) - 1.0) / math.sqrt(size))
                for size, out in sizes
                for rows in (size, 1)
            ]
        )
        self._networks = self._matrices.to(self._device)
        self._optimizer = torch.optim.Adam(self._networks.parameters(), lr=config.learning_rate, fused=True)
        self._latest: list[NDArray[Any]] = []

    def add(self, transitions: Transitions) -> None:
        """Store human steps, and the observations of the latest online steps."""
        super().add(transitions)
        if not transitions.demonstration:
            self._latest = [*self._latest, *transitions.observations][-LATEST:]

    def policy_weights(self) -> Weights:
        """Return the members' weights, and the threshold of disagreement."""
        names = ("w0", "b0", "w1", "b1", "w2", "b2")
        arrays = (matrix.detach().cpu().numpy().copy() for matrix in self._matrices)
        weights: dict[str, NDArray[Any]] = dict(zip(names, arrays, strict=True))
        policy, seen = EnsemblePolicy(), self._latest or self.observations
        policy.load(weights)
        values = disagreements(policy.members(np.stack(seen))) if seen else np.zeros(1)
        threshold = max(LEAST_DISAGREEMENT, float(np.quantile(values, 1.0 - CALL_SHARE)))
        return {**weights, "threshold": np.array(threshold)}

    def _batch_loss(self) -> Any:
        import torch

        config = self._config
        drawn = self.draw(MEMBERS * config.batch_size).reshape(MEMBERS, config.batch_size)
        observations, targets = (rows.to(self._device) for rows in self.rows(drawn))
        hidden = observations + FEATURE_NOISE * torch.randn_like(observations)
        for layer in range(3):
            hidden = torch.baddbmm(self._matrices[2 * layer + 1], hidden, self._matrices[2 * layer])
            hidden = hidden.relu() if layer < 2 else hidden.tanh()
        return MEMBERS * torch.nn.functional.mse_loss(hidden, targets)


class EnsembleDagger(BehaviourCloning):
    """Imitation of demonstrations and of requested help."""

    description = "imitation of demonstrations and of help that an uncertain ensemble requests"
    learner_class = EnsembleLearner
    policy_class = EnsemblePolicy
    needs_demonstrations = False
    acts_online = True
    supports_images = False
    help = "on request"
    pretraining_steps = PRETRAINING_STEPS


ENSEMBLE_DAGGER = EnsembleDagger()


def disagreements(members: NDArray[Any]) -> NDArray[np.float64]:
    """Return the disagreement of members: the standard deviation of their actions (members, ..., actions),
    averaged over the entries of an action.
    """
    return members.std(axis=0, dtype=np.float64).mean(axis=-1)
