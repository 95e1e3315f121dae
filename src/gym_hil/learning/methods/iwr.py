"""IWR: intervention weighted regression (Mandlekar et al. 2020, arXiv:2012.06733).

All executed actions are imitated: demonstrations, interventions, and the policy's own actions, which keeps the policy
close to what it can already do. Interventions are rare and happen in difficult states; half of every batch is therefore
from them.

Differences from the paper: the policy is a network with two layers and one observation instead of a recurrent Gaussian
mixture, it learns after every step instead of in rounds, and the policy's actions in failed episodes are also imitated.
"""

from __future__ import annotations

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.learning.config import TrainConfig
from gym_hil.learning.methods.bc import BehaviourCloning
from gym_hil.learning.methods.weighted_imitation import PRETRAINING_STEPS, Kind, WeightedImitationLearner

INTERVENTIONS = 0.5
"""Share of interventions in every batch."""


class IwrLearner(WeightedImitationLearner):
    """Samples half of every batch from interventions, and the rest uniformly from all other steps."""

    def shares(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of each kind of step in a batch."""
        others = counts.copy()
        others[Kind.INTERVENTION] = 0.0
        shares = (1.0 - INTERVENTIONS) * others / max(1.0, others.sum())
        shares[Kind.INTERVENTION] = INTERVENTIONS
        return shares


class Iwr(BehaviourCloning):
    """Imitation of everything, with interventions weighted."""

    description = "imitation of all executed actions, half of them interventions (IWR)"
    acts_online = True
    pretraining_steps = PRETRAINING_STEPS

    def make_learner(
        self, config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box
    ) -> IwrLearner:
        """Return a new learner."""
        return IwrLearner(config, observation_space, action_space)


IWR = Iwr()
