"""RLIF: reinforcement learning with interventions as the reward (Luo et al. 2023, arXiv:2311.12996).

The reward is -1 for a step of the policy after which a human took over, and 0 for all others; the success of the task
is not used. The policy learns to avoid interventions. Half of every batch is from demonstrations and interventions, as
in RLPD.

Differences from the paper: two critics instead of ten, four updates per control step, and returns are clipped to the
possible range. A step gets its reward when the takeover after it arrives, up to ten steps later.
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

PENALTY = -1.0
"""Reward of the step before an intervention."""


class RlifLearner(ActorCriticLearner):
    """Uses interventions as the only reward."""

    _policy_acted = False
    """Whether the policy acted in the newest step of a continuing episode."""

    def settings(self, config: TrainConfig) -> dict[str, Any]:
        """Return the keyword arguments of `gym_hil.learning.sac.make_hil_sac`."""
        plain = plain_settings(super().settings(config), config)
        return {**plain, "returns": (PENALTY / (1.0 - config.gamma), 0.0)}

    def add(self, transitions: Transitions) -> None:
        """Store transitions with the rewards of this method."""
        human = transitions.interventions
        before = np.concatenate(([self._policy_acted], ~human[:-1]))
        begins = np.flatnonzero(human & before)
        rewards = np.zeros(len(transitions), np.float32)
        rewards[begins[begins > 0] - 1] = PENALTY
        if len(begins) and begins[0] == 0:
            buffer = self.buffer
            buffer.rewards[(buffer.pos - 1) % buffer.buffer_size] = PENALTY
        super().add(replace(transitions, rewards=rewards))
        episode_ended = transitions.terminated | transitions.truncated
        self._policy_acted = not bool(human[-1] or episode_ended[-1])

    def forget(self, count: int) -> None:
        """Remove the newest `count` transitions."""
        super().forget(count)
        self._policy_acted = False


class Rlif(ActorCriticMethod):
    """Reinforcement learning that avoids interventions."""

    description = "reinforcement learning with interventions as the only (negative) reward (RLIF)"
    learner_class = RlifLearner


RLIF = Rlif()
