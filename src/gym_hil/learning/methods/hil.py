"""HIL: soft actor-critic from demonstrations, interventions and the policy's own experience.

The algorithm is RLPD with the interventions of HIL-SERL; `gym_hil.learning.sac` gives the references. In
addition, the actor imitates the human, and the learning rate decreases towards the end of a run.
"""

from __future__ import annotations

from gym_hil.learning.actor_critic_learner import ActorCriticLearner
from gym_hil.learning.methods.actor_critic import ActorCriticMethod


class HilLearner(ActorCriticLearner):
    """Trains `HilSAC` with all settings of the configuration."""


class Hil(ActorCriticMethod):
    """Reinforcement learning with a human in the loop."""

    description = "reinforcement learning with a human in the loop"
    learner_class = HilLearner


HIL = Hil()
