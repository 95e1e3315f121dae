"""HIL-SERL (Luo et al. 2024, arXiv:2410.21845) as in its published code: RLPD with a human who takes over.

Soft actor-critic has two critics, a discount of 0.97, batches of which half is from demonstrations and interventions,
and a target entropy of half the number of actions. The actor does not control the gripper: a separate critic evaluates
each gripper command and is trained by double Q-learning from the reward and a penalty of 0.02 for every change. The
better command is executed. Nothing is imitated, and the learning rate is constant.

Differences: observations are states instead of images. The gripper keeps its command, so that there are two commands
(open and close) instead of three. There are four critic updates per control step instead of as many as a second machine
can perform. The method needs tasks whose robot has a gripper.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.learning.actor_critic_learner import ActorCriticLearner
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Transitions
from gym_hil.learning.methods.actor_critic import ActorCriticMethod
from gym_hil.learning.methods.base import Weights
from gym_hil.learning.methods.rlpd import plain_settings
from gym_hil.learning.policy import GaussianPolicy
from gym_hil.stacks.ids import is_external

GAMMA = 0.97
CHANGE_PENALTY = -0.02
GRASP = "grasp_"
"""Prefix of the names of the grasp critic's weights."""


class GraspingPolicy(GaussianPolicy):
    """A Gaussian policy for motion, and the gripper command with the higher value."""

    def act(self, observation: NDArray[Any]) -> NDArray[np.float32]:
        """Return the best action in [-1, 1]."""
        return np.concatenate([super().act(observation), self._gripper(observation)], axis=-1)

    def explore(self, observation: NDArray[Any], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return a motion sampled from the policy, and the better gripper command."""
        return np.concatenate([super().explore(observation, rng), self._gripper(observation)], axis=-1)

    def _gripper(self, observation: NDArray[Any]) -> NDArray[np.float32]:
        """Return the gripper command (..., 1): -1 closes, 1 opens."""
        hidden, weights = observation, self._weights
        for layer in range(3):
            hidden = hidden @ weights[f"{GRASP}m{layer}"] + weights[f"{GRASP}b{layer}"]
            hidden = np.maximum(hidden, 0.0) if layer < 2 else hidden
        return np.where(hidden.argmax(axis=-1, keepdims=True) == 1, -1.0, 1.0).astype(np.float32)


class HilSerlLearner(ActorCriticLearner):
    """Updates actor, critics and grasp critic."""

    _closing = False
    """Whether the last gripper command of the episode was to close."""

    def settings(self, config: TrainConfig) -> dict[str, Any]:
        """Return the keyword arguments of `gym_hil.learning.sac.make_hil_sac`."""
        from gym_hil.learning.grasp_critic import GraspPolicy, GraspSAC

        plain = plain_settings(super().settings(config), config)
        kinds = {"algorithm": GraspSAC, "policy": GraspPolicy}
        return {**plain, **kinds, "gamma": GAMMA, "target_entropy": -1.5, "change_penalty": CHANGE_PENALTY}

    def add(self, transitions: Transitions) -> None:
        """Store transitions, and whether the gripper command changes in each."""
        from gym_hil.learning.grasp_critic import CHANGED, UNCHANGED

        actions = transitions.actions.copy()
        over = transitions.terminated | transitions.truncated
        for row, ends in enumerate(over.tolist()):
            closing = bool(actions[row, -1] < 0.0)
            size = UNCHANGED if closing == self._closing else CHANGED
            actions[row, -1] = -size if closing else size
            self._closing = closing and not ends
        super().add(replace(transitions, actions=actions))

    def forget(self, count: int) -> None:
        """Remove the newest `count` transitions."""
        super().forget(count)
        self._closing = False

    def policy_weights(self) -> Weights:
        """Return the weights of actor and grasp critic in the format of `GraspingPolicy`."""
        weights = dict(super().policy_weights())
        layers = [layer for layer in self.model.policy.grasp_critic if hasattr(layer, "weight")]
        for number, layer in enumerate(layers):
            weights[f"{GRASP}m{number}"] = layer.weight.detach().cpu().numpy().T.copy()
            weights[f"{GRASP}b{number}"] = layer.bias.detach().cpu().numpy().copy()
        return weights


class HilSerl(ActorCriticMethod):
    """The algorithm of HIL-SERL, with state observations."""

    description = "reinforcement learning with a human and a separate critic for the gripper (HIL-SERL)"
    learner_class = HilSerlLearner
    policy_class = GraspingPolicy
    supports_images = False

    def check(self, config: TrainConfig) -> None:
        """Check that actions end with a gripper entry."""
        super().check(config)
        if is_external(config.env_id):
            raise InvalidArgumentError(
                f"method={config.method!r} needs actions that end with a gripper, not {config.env_id!r}"
            )


HIL_SERL = HilSerl()
