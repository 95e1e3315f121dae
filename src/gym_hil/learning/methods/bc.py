"""Behaviour cloning: a policy is fitted to the actions of demonstrations by least squares."""

from __future__ import annotations

from typing import ClassVar

from gym_hil.learning.imitation_learner import ImitationLearner
from gym_hil.learning.methods.base import LearningMethod, Policy
from gym_hil.learning.policy import GaussianPolicy


class BehaviourCloning(LearningMethod):
    """Imitation of demonstrations."""

    description = "imitation of demonstrations alone"
    learner_class = ImitationLearner
    policy_class: ClassVar[type[Policy]] = GaussianPolicy
    needs_demonstrations = True
    acts_online = False
    supports_images = True


BC = BehaviourCloning()
