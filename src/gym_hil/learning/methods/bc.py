"""Behaviour cloning: a policy is fitted to the actions of demonstrations by least squares."""

from __future__ import annotations

from gym_hil.learning.imitation_learner import ImitationLearner
from gym_hil.learning.methods.base import LearningMethod
from gym_hil.learning.policy import GaussianPolicy


class BehaviourCloning(LearningMethod):
    """Imitation of demonstrations."""

    description = "imitation of demonstrations alone"
    learner_class = ImitationLearner
    needs_demonstrations = True
    acts_online = False
    supports_images = True

    def make_policy(self) -> GaussianPolicy:
        """Return a policy without weights."""
        return GaussianPolicy()


BC = BehaviourCloning()
