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
from numpy.typing import NDArray

from gym_hil.learning.methods.weighted_imitation import (
    INTERVENTIONS,
    Kind,
    WeightedImitation,
    WeightedImitationLearner,
)


class SiriusLearner(WeightedImitationLearner):
    """Samples steps by the weights of their kinds."""

    before_s = 1.0

    def other_weights(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weights of demonstrations and of the policy's steps."""
        weights = np.zeros_like(counts)
        demonstrations = counts[Kind.DEMONSTRATION] / counts.sum()
        weights[Kind.DEMONSTRATION] = min(demonstrations, 1.0 - INTERVENTIONS)
        weights[Kind.POLICY] = 1.0 - INTERVENTIONS - weights[Kind.DEMONSTRATION]
        return weights


class SiriusImitation(WeightedImitation):
    """Imitation of all steps, weighted by trust in them."""

    description = "imitation of all executed actions, weighted by trust (as in Sirius)"
    learner_class = SiriusLearner


SIRIUS_IMITATION = SiriusImitation()
