"""A replay buffer that samples half of each batch from human transitions and half from all transitions.

The symmetric sampling is that of RLPD (Ball et al. 2023, arXiv:2302.02948).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.type_aliases import ReplayBufferSamples

from gym_hil.core import schema
from gym_hil.learning.episode_store import Transitions

Augmentation = Callable[[torch.Tensor], torch.Tensor]
"""A random augmentation of a batch of observations."""


class HilReplayBuffer(ReplayBuffer):
    """Stores all transitions. Those in which a human acted are stored in `prior` as well.

    Args:
        buffer_size: largest number of transitions.
        observation_space: observation space of the environment.
        action_space: action space of the environment.
        args: further arguments of `stable_baselines3.common.buffers.ReplayBuffer`.
        seed: seed of the generator that samples batches.
        augment: augmentation of the observations of every batch; None for no augmentation.
        kwargs: further arguments of `stable_baselines3.common.buffers.ReplayBuffer`. Only one environment is
            supported.

    Attributes:
        prior: the transitions in which a human acted.
        rng: the generator that samples batches.
    """

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        *args: Any,
        seed: int | None = None,
        augment: Augmentation | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(buffer_size, observation_space, action_space, *args, **kwargs)
        self.rng = np.random.default_rng(seed)
        self.prior = ReplayBuffer(buffer_size, observation_space, action_space, *args, **kwargs)
        self._augment = augment
        self._by_human: list[bool] = []

    def add(
        self,
        obs: NDArray[Any],
        next_obs: NDArray[Any],
        action: NDArray[Any],
        reward: NDArray[Any],
        done: NDArray[Any],
        infos: list[dict[str, Any]],
    ) -> None:
        """Store a transition; one in which a human acted is stored in `prior` as well."""
        super().add(obs, next_obs, action, reward, done, infos)
        self._by_human.append(bool(infos[0].get(schema.IS_INTERVENTION, False)))
        if self._by_human[-1]:
            self.prior.add(obs, next_obs, action, reward, done, infos)

    def add_transitions(self, transitions: Transitions) -> None:
        """Store consecutive transitions of one episode."""
        ended = transitions.terminated | transitions.truncated
        for row in range(len(transitions)):
            this_row = slice(row, row + 1)
            info = {
                schema.IS_INTERVENTION: bool(transitions.interventions[row]),
                "TimeLimit.truncated": bool(transitions.truncated[row]),
            }
            self.add(
                transitions.observations[this_row],
                transitions.next_observations[this_row],
                transitions.actions[this_row],
                transitions.rewards[this_row],
                ended[this_row],
                [info],
            )

    def forget(self, count: int) -> None:
        """Remove the newest `count` transitions."""
        first = len(self._by_human) - count
        humans = sum(self._by_human[first:])
        del self._by_human[first:]
        for buffer, dropped in ((self, count), (self.prior, humans)):
            buffer.full = buffer.full and buffer.pos >= dropped
            buffer.pos = (buffer.pos - dropped) % buffer.buffer_size

    def sample(self, batch_size: int, env: Any = None) -> ReplayBufferSamples:
        """Return a batch: first half from `prior`, unless it is empty, and the rest from all transitions."""
        by_human = batch_size // 2 if self.prior.size() else 0
        everything = self._draw(self, batch_size - by_human)
        if not by_human:
            return everything
        halves = zip(self._draw(self.prior, by_human), everything, strict=True)
        return ReplayBufferSamples(
            *(None if first is None else torch.cat((first, second)) for first, second in halves)
        )

    def sample_prior(self, batch_size: int) -> ReplayBufferSamples:
        """Return a batch of transitions in which a human acted."""
        return self._draw(self.prior, batch_size)

    def _draw(self, buffer: ReplayBuffer, size: int) -> ReplayBufferSamples:
        """Return a batch from one buffer. The value after a time limit is bootstrapped."""
        rows = self.rng.integers(buffer.size(), size=size)
        ends = buffer.dones[rows, 0] * (1.0 - buffer.timeouts[rows, 0])
        observations = buffer.to_torch(buffer.observations[rows, 0])
        next_observations = buffer.to_torch(buffer.next_observations[rows, 0])
        if self._augment is not None:
            observations, next_observations = self._augment(observations), self._augment(next_observations)
        return ReplayBufferSamples(
            observations,
            buffer.to_torch(buffer.actions[rows, 0]),
            next_observations,
            buffer.to_torch(ends.reshape(-1, 1)),
            buffer.to_torch(buffer.rewards[rows, 0].reshape(-1, 1)),
        )
