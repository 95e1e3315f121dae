"""HIL: soft actor-critic from demonstrations, interventions and the policy's own experience.

The algorithm is RLPD with the interventions of HIL-SERL; `gym_hil.learning.sac` gives the references. In
addition, the policy begins as a clone of the demonstrations, the actor goes on imitating the human, and the learning
rate decreases towards the end of a run. With camera images, the policy does not begin as a clone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from gymnasium import spaces

from gym_hil.learning.actor_critic_learner import ActorCriticLearner
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.methods.actor_critic import ActorCriticMethod
from gym_hil.learning.policy_env import time_limit

if TYPE_CHECKING:
    from gym_hil.learning.cloning_sac import CloningSAC

CLONING_STEPS = 500
"""Number of control steps whose updates fit the policy to the demonstrations before it acts."""
STATE_DEFAULTS = {"imitation": 2.0, "batch_size": 128}
"""Defaults of some fields of the configuration for state observations."""
HORIZON = 0.2
"""Horizon of the discounted return, 1 / (1 - gamma), as a fraction of the time limit of an episode."""
SHORTEST_HORIZON = 20
"""Smallest horizon, in control steps."""


class HilLearner(ActorCriticLearner):
    """Clones the demonstrations, and then trains `CloningSAC`. With images, it trains `HilSAC` from the beginning."""

    def __init__(self, config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box) -> None:
        super().__init__(config, observation_space, action_space)
        self.pretraining_updates = HIL.pretraining_steps_of(config) * config.updates_per_step

    def settings(self, config: TrainConfig) -> dict[str, Any]:
        """Return the keyword arguments of `gym_hil.learning.sac.make_hil_sac`."""
        from gym_hil.learning.cloning_sac import CloningSAC

        settings = super().settings(config)
        return settings if config.pixels else {**settings, "algorithm": CloningSAC}

    def update(self) -> None:
        """Update the critics `updates_per_step` times, and the actor as often during cloning, otherwise once."""
        cloning_updates = self.pretraining_updates
        if self.updates < cloning_updates:
            cast("CloningSAC", self.model).cloning = True
        elif self.updates == cloning_updates > 0:
            cast("CloningSAC", self.model).begin_reinforcement()
        super().update()


class Hil(ActorCriticMethod):
    """Reinforcement learning with a human in the loop."""

    description = "reinforcement learning with a human in the loop"
    learner_class = HilLearner
    pretraining_steps = CLONING_STEPS

    def defaults(self, env_id: str, obs: str) -> dict[str, Any]:
        """Return the defaults of this method: a discount that suits the time limit, and `STATE_DEFAULTS` for states."""
        horizon = max(SHORTEST_HORIZON, HORIZON * time_limit(env_id))
        return {"gamma": round(1.0 - 1.0 / horizon, 4), **(STATE_DEFAULTS if obs == "state" else {})}

    def pretraining_steps_of(self, config: TrainConfig) -> int:
        """Return `CLONING_STEPS`, or 0 with images, without demonstrations or without imitation."""
        return CLONING_STEPS if config.demos and config.imitation and not config.pixels else 0


HIL = Hil()
