"""Weighted imitation as in Sirius (Liu et al. 2022, arXiv:2211.08416).

Every executed step is imitated, with a weight by its kind. Interventions make up half of the weight. The policy's
steps in the second before a human took over have none: the human's intervention says that they were wrong.
Demonstrations keep their share of what is stored, and the policy's other steps have what is left.

Differences from the paper: the policy is a network of two layers that sees one observation instead of a recurrent
Gaussian mixture, it learns after every step instead of in rounds of deployment, and nothing is ever removed from the
memory, which a run of this length does not fill.
"""

from __future__ import annotations

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.learning.config import TrainConfig
from gym_hil.learning.methods.bc import BehaviourCloning
from gym_hil.learning.methods.weighted_imitation import (
    PRETRAINING_STEPS,
    Kind,
    WeightedImitationLearner,
    frequencies,
)

INTERVENTIONS = 0.5
"""Share of the weight."""
BEFORE_S = 1.0
"""The policy's steps in so many seconds before an intervention have no weight (s)."""


class SiriusLearner(WeightedImitationLearner):
    """Draws steps by the weights of their kinds."""

    def shares(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how much of a batch comes from each kind."""
        shares = frequencies(counts)
        shares[Kind.INTERVENTION] = INTERVENTIONS
        shares[Kind.BEFORE_INTERVENTION] = 0.0
        shares[Kind.DEMONSTRATION] = min(shares[Kind.DEMONSTRATION], 1.0 - INTERVENTIONS)
        shares[Kind.POLICY] = 1.0 - INTERVENTIONS - shares[Kind.DEMONSTRATION]
        return shares


class SiriusImitation(BehaviourCloning):
    """Imitation of everything, weighted by trust."""

    description = "imitation of everything that was executed, weighted by trust (as in Sirius)"
    acts_online = True
    pretraining_steps = PRETRAINING_STEPS

    def make_learner(
        self, config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box
    ) -> SiriusLearner:
        """Return a new learner."""
        before = round(BEFORE_S / config.control_dt)
        return SiriusLearner(config, observation_space, action_space, before_steps=before)


SIRIUS_IMITATION = SiriusImitation()
