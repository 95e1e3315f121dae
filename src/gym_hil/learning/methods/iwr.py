"""IWR: intervention weighted regression (Mandlekar et al. 2020, arXiv:2012.06733).

All executed actions are imitated: demonstrations, interventions, and the policy's own actions, which keeps the policy
close to what it can already do. Interventions are rare and happen in difficult states; half of every batch is therefore
from them.

Differences from the paper: the policy is a network with two layers and one observation instead of a recurrent Gaussian
mixture, it learns after every step instead of in rounds, and the policy's actions in failed episodes are also imitated.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gym_hil.learning.methods.weighted_imitation import WeightedImitation, WeightedImitationLearner


class IwrLearner(WeightedImitationLearner):
    """Samples half of every batch from interventions, and the rest uniformly from all other steps."""

    def other_weights(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the number of steps of each kind."""
        return counts


class Iwr(WeightedImitation):
    """Imitation of everything, with interventions weighted."""

    description = "imitation of all executed actions, half of them interventions (IWR)"
    learner_class = IwrLearner


IWR = Iwr()
