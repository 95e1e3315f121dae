"""The base class of methods with actor and critics, which differ in the settings and the data of their learner."""

from __future__ import annotations

from gym_hil.learning.actor_critic_learner import ActorCriticLearner
from gym_hil.learning.methods.base import LearningMethod
from gym_hil.learning.policy import GaussianPolicy


class ActorCriticMethod(LearningMethod):
    """A method that trains `gym_hil.learning.sac.HilSAC` or a subclass of it.

    Attributes:
        learner_class: class of the learner.
    """

    description = "soft actor-critic with a human in the loop"
    learner_class = ActorCriticLearner
    policy_class = GaussianPolicy
    supports_images = True
