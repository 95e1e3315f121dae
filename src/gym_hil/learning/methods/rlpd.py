"""RLPD: reinforcement learning with prior data (Ball et al. 2023, arXiv:2302.02948), without a human during
training.

Soft actor-critic uses batches of which half is from demonstrations, and a discount of 0.99. The target is the smaller
value of two critics, which are sampled from ten critics with LayerNorm.

Differences from the paper: four updates per control step instead of twenty (`updates_per_step`), two hidden layers of
128 units instead of 256, an initial entropy coefficient of 0.01 instead of 1, and one update of the targets, of the
entropy coefficient and of the actor per control step. The paper updates the targets with the critics.
"""

from __future__ import annotations

import math
from typing import Any

from gym_hil.learning.actor_critic_learner import ActorCriticLearner
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.methods.actor_critic import ActorCriticMethod

CRITICS = 10
GAMMA = 0.99
UNBOUNDED = (-math.inf, math.inf)
"""Bounds of the return in methods without clipped targets."""


def plain_settings(settings: dict[str, Any], config: TrainConfig) -> dict[str, Any]:
    """Return the settings of a method without imitation, annealing and clipping."""
    plain = {"imitation": 0.0, "returns": UNBOUNDED, "learning_rate": config.learning_rate}
    return {**settings, **plain}


class RlpdLearner(ActorCriticLearner):
    """Updates ten critics."""

    def settings(self, config: TrainConfig) -> dict[str, Any]:
        """Return the keyword arguments of `gym_hil.learning.sac.make_hil_sac`."""
        from gym_hil.learning.ensemble_sac import EnsembleSAC

        plain = plain_settings(super().settings(config), config)
        return {**plain, "algorithm": EnsembleSAC, "critics": CRITICS, "gamma": GAMMA}


class Rlpd(ActorCriticMethod):
    """RLPD without a human."""

    description = "reinforcement learning from demonstrations and experience without takeovers (RLPD)"
    learner_class = RlpdLearner
    help = "none"


RLPD = Rlpd()
