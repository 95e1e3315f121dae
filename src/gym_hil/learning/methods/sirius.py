"""Weighted imitation as in Sirius (Liu et al. 2022, arXiv:2211.08416).

All executed steps are imitated, with weights that depend on their kind. Interventions have half of the total weight.
The policy's steps in the second before a takeover have no weight, because the human judged them as wrong.
Demonstrations have a weight equal to their share of the stored steps, and the policy's other steps have the rest.

Differences from the paper: the policy is a network with two layers and one observation instead of a recurrent Gaussian
mixture, it learns after every step instead of in rounds of deployment, and nothing is removed from the memory, which is
not filled in runs of this length.
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
"""Share of interventions in the total weight."""
BEFORE_S = 1.0
"""Duration before an intervention in which the policy's steps have no weight (s)."""


class SiriusLearner(WeightedImitationLearner):
    """Samples steps by the weights of their kinds."""

    def shares(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of each kind of step in a batch."""
        shares = frequencies(counts)
        shares[Kind.INTERVENTION] = INTERVENTIONS
        shares[Kind.BEFORE_INTERVENTION] = 0.0
        shares[Kind.DEMONSTRATION] = min(shares[Kind.DEMONSTRATION], 1.0 - INTERVENTIONS)
        shares[Kind.POLICY] = 1.0 - INTERVENTIONS - shares[Kind.DEMONSTRATION]
        return shares


class SiriusImitation(BehaviourCloning):
    """Imitation of all steps, weighted by trust in them."""

    description = "imitation of all executed actions, weighted by trust (as in Sirius)"
    acts_online = True
    pretraining_steps = PRETRAINING_STEPS

    def make_learner(
        self, config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box
    ) -> SiriusLearner:
        """Return a new learner."""
        before = round(BEFORE_S / config.control_dt)
        return SiriusLearner(config, observation_space, action_space, before_steps=before)


SIRIUS_IMITATION = SiriusImitation()
