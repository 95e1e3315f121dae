"""RLPD: reinforcement learning with prior data (Ball et al. 2023, arXiv:2302.02948), without a human while it learns.

Soft actor-critic with half of every batch from demonstrations, ten critics with LayerNorm, of which the target takes
the smaller value of two drawn at random, and a discount of 0.99.

Differences from the paper: four updates per control step instead of twenty (`updates_per_step`), two hidden layers of
128 units instead of 256, an entropy coefficient that begins at 0.01 instead of 1, and as many updates of the entropy
coefficient and the actor as there are control steps, which is the paper's ratio.
"""

from __future__ import annotations

import math
from typing import Any

from gymnasium import spaces

from gym_hil.learning.config import TrainConfig
from gym_hil.learning.methods.hil import HilLearner, HilMethod

CRITICS = 10
DRAWN = 2
"""Critics whose smaller value is the target."""
GAMMA = 0.99
UNBOUNDED = (-math.inf, math.inf)
"""Bounds of the return of methods that do not clip their targets."""


def plain_settings(settings: dict[str, Any], config: TrainConfig) -> dict[str, Any]:
    """Return the settings of a method that neither imitates nor anneals nor clips."""
    plain = {"imitation": 0.0, "returns": UNBOUNDED, "learning_rate": config.learning_rate}
    return {**settings, **plain}


class RlpdLearner(HilLearner):
    """Updates ten critics."""

    def settings(self, config: TrainConfig) -> dict[str, Any]:
        """Return the keyword arguments of `gym_hil.learning.sac.make_hil_sac`."""
        from gym_hil.learning.ensemble_sac import EnsembleSAC

        plain = plain_settings(super().settings(config), config)
        return {**plain, "algorithm": EnsembleSAC, "critics": CRITICS, "gamma": GAMMA}


class Rlpd(HilMethod):
    """RLPD without a human."""

    description = "reinforcement learning from demonstrations and experience, nobody takes over (RLPD)"
    help = "none"

    def make_learner(
        self, config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box
    ) -> RlpdLearner:
        """Return a new learner."""
        return RlpdLearner(config, observation_space, action_space)


RLPD = Rlpd()
