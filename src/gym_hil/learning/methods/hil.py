"""HIL: soft actor-critic from demonstrations, interventions and the policy's own experience.

The algorithm is RLPD with the interventions of HIL-SERL; `gym_hil.learning.sac` gives the references. In addition,
the policy begins as a clone of the demonstrations, and the actor goes on imitating the human, except in failed
episodes, with a weight that decreases at first. The learning rate decreases towards the end of a run. The policy that
acts, and that is the result, has the moving average of the actor's weights. With camera images, the policy does not
begin as a clone, and the weight of imitation is constant.
"""

from __future__ import annotations

from typing import Any

from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.learning.actor_critic_learner import ActorCriticLearner
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.methods.actor_critic import ActorCriticMethod
from gym_hil.learning.methods.base import Weights
from gym_hil.learning.policy_env import time_limit

CLONING_STEPS = 500
"""The policy is fitted to the demonstrations with the number of updates of this many control steps before it acts."""
FIRST_IMITATION = 30.0
"""Weight of imitation after the cloning, as a multiple of its final value."""
DECAY_STEPS = 1000
"""Number of control steps after the cloning in which the weight of imitation decreases."""
STATE_DEFAULTS = {"imitation": 2.0, "batch_size": 128}
"""Defaults of fields of the configuration without images."""
IMAGE_DEFAULTS = {"imitation": 1.0, "annealing": 1.0}
"""Defaults of fields of the configuration for images."""
HORIZON = 0.2
"""Horizon of the discounted return, 1 / (1 - gamma), as a fraction of the time limit of an episode."""
SHORTEST_HORIZON = 20
"""Smallest horizon, in control steps."""
AVERAGE_DECAY = 0.995
"""Share of the average of the actor's weights that a control step retains."""
_AVERAGE = "average/"


class HilLearner(ActorCriticLearner):
    """Clones the demonstrations, and then trains `CloningSAC`. With images, it trains `HilSAC` from the beginning."""

    def __init__(self, config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box) -> None:
        from gym_hil.learning.weight_average import WeightAverage

        self.pretraining_updates = HIL.pretraining_steps_of(config) * config.updates_per_step
        super().__init__(config, observation_space, action_space)
        self._average = WeightAverage(self.model.actor, AVERAGE_DECAY)

    def settings(self, config: TrainConfig) -> dict[str, Any]:
        """Return the keyword arguments of `gym_hil.learning.sac.make_hil_sac`."""
        from gym_hil.learning.cloning_sac import CloningSAC
        from gym_hil.learning.replay_buffer import SuccessfulHelpBuffer

        settings = {**super().settings(config), "replay_buffer_class": SuccessfulHelpBuffer}
        if config.observation.has_images:
            return settings
        decay_updates = DECAY_STEPS * config.updates_per_step if self.pretraining_updates else 0
        return {
            **settings,
            "algorithm": CloningSAC,
            "cloning_updates": self.pretraining_updates,
            "first_imitation": FIRST_IMITATION,
            "decay_updates": decay_updates,
        }

    def update(self) -> None:
        """Update the critics, the actor and the average of the actor's weights."""
        super().update()
        self._average.update()

    def policy_weights(self) -> Weights:
        """Return the average of the actor's weights in the format of `GaussianPolicy`."""
        from gym_hil.learning.sac import gaussian_weights

        return gaussian_weights(self._average.weights())

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the state; see `Learner.state`. It includes the average of the actor's weights."""
        facts, arrays = super().state()
        return facts, {**arrays, **self._average.state(_AVERAGE)}

    def load_state(self, facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Restore the result of `state` exactly; see `Learner.load_state`.

        Raises:
            ValueError: the state belongs to networks with a different architecture.
            KeyError: the state contains no average.
        """
        super().load_state(facts, arrays)
        self._average.load_state(arrays, _AVERAGE)


class Hil(ActorCriticMethod):
    """Reinforcement learning with a human in the loop."""

    description = "reinforcement learning with a human in the loop"
    learner_class = HilLearner
    pretraining_steps = CLONING_STEPS
    revision = 3

    def defaults(self, env_id: str, obs: str) -> dict[str, Any]:
        """Return the defaults of this method: a discount that suits the time limit, and those for the observation."""
        horizon = max(SHORTEST_HORIZON, HORIZON * time_limit(env_id))
        by_observation = IMAGE_DEFAULTS if obs == "pixels" else STATE_DEFAULTS
        return {"gamma": round(1.0 - 1.0 / horizon, 4), **by_observation}

    def pretraining_steps_of(self, config: TrainConfig) -> int:
        """Return `CLONING_STEPS`, or 0 with images, without demonstrations or without imitation."""
        return CLONING_STEPS if config.demos and config.imitation and not config.observation.has_images else 0


HIL = Hil()
