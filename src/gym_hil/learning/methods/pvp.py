"""PVP: proxy value propagation (Peng et al. 2023, "Learning from Active Human Involvement through Proxy Value
Propagation", NeurIPS 2023).

There is no reward. In steps in which a human acted, the critics are trained to the value 1 for the human's action and
-1 for the policy's action. Temporal differences without a reward propagate these values to all other states.

Differences from the paper: soft actor-critic with LayerNorm instead of TD3, half of every batch from human steps, and
the value -1 for the action of the present policy instead of the overridden one. Demonstrations are treated as human
steps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gym_hil.learning.actor_critic_learner import ActorCriticLearner
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Transitions
from gym_hil.learning.methods.actor_critic import ActorCriticMethod
from gym_hil.learning.methods.rlpd import plain_settings

VALUES = (-1.0, 1.0)
"""Lower and upper bounds of proxy values."""


class PvpLearner(ActorCriticLearner):
    """Learns proxy values of actions."""

    def settings(self, config: TrainConfig) -> dict[str, Any]:
        """Return the keyword arguments of `gym_hil.learning.sac.make_hil_sac`."""
        from gym_hil.learning.ensemble_sac import ProxyValueSAC

        plain = plain_settings(super().settings(config), config)
        return {**plain, "algorithm": ProxyValueSAC, "returns": VALUES}

    def add(self, transitions: Transitions) -> None:
        """Store transitions without their rewards."""
        super().add(replace(transitions, rewards=np.zeros(len(transitions), np.float32)))


class Pvp(ActorCriticMethod):
    """Proxy values instead of rewards."""

    description = "reinforcement learning with values of human actions instead of rewards (PVP)"
    learner_class = PvpLearner


PVP = Pvp()
