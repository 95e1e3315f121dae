"""Replay buffers that sample half of each batch from examples and half from all transitions.

An example is a transition in which a human acted and which may be imitated. The symmetric sampling is that of RLPD
(Ball et al. 2023, arXiv:2302.02948).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    """Stores all transitions. Those in which a human acted are examples, which are stored in `prior` as well.

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
        prior: the examples.
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
        self._in_prior: list[bool] = []

    def add(
        self,
        obs: NDArray[Any],
        next_obs: NDArray[Any],
        action: NDArray[Any],
        reward: NDArray[Any],
        done: NDArray[Any],
        infos: list[dict[str, Any]],
    ) -> None:
        """Store a transition, and the transitions that become examples with it in `prior`.

        Args:
            obs: observation (1, size).
            next_obs: next observation (1, size).
            action: executed action (1, size).
            reward: reward (1,).
            done: whether the episode ended (1,).
            infos: the info, with the keys ``is_intervention``, ``is_success`` and ``TimeLimit.truncated``.
        """
        super().add(obs, next_obs, action, reward, done, infos)
        number = len(self._in_prior)
        self._in_prior.append(False)
        human_acted = bool(infos[0].get(schema.IS_INTERVENTION, False))
        succeeds = bool(reward[0] >= 1.0 or infos[0].get(schema.IS_SUCCESS, False))
        for example in self._new_examples(number, human_acted, succeeds, bool(done[0])):
            row = (self.pos - 1 - number + example) % self.buffer_size
            self.prior.add(
                self.observations[row],
                self.next_observations[row],
                self.actions[row],
                self.rewards[row],
                self.dones[row],
                [{"TimeLimit.truncated": bool(self.timeouts[row, 0])}],
            )
            self._in_prior[example] = True

    def _new_examples(self, number: int, human_acted: bool, succeeds: bool, done: bool) -> Sequence[int]:
        """Return the numbers of the transitions to be stored in `prior` when the newest transition is stored.

        Args:
            number: number of the newest transition, counted from the first one that was stored.
            human_acted: whether a human acted in it.
            succeeds: whether the task, or a subtask, succeeds with it.
            done: whether the episode ended with it.
        """
        return (number,) if human_acted else ()

    def add_transitions(self, transitions: Transitions) -> None:
        """Store transitions.

        Args:
            transitions: consecutive transitions of one episode.
        """
        ended = transitions.terminated | transitions.truncated
        last = len(transitions) - 1
        for row in range(len(transitions)):
            this_row = slice(row, row + 1)
            info = {
                schema.IS_INTERVENTION: bool(transitions.interventions[row]),
                schema.IS_SUCCESS: transitions.success and row == last,
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
        """Remove the newest transitions, also from the examples.

        Args:
            count: number of transitions.
        """
        first = len(self._in_prior) - count
        examples = sum(self._in_prior[first:])
        del self._in_prior[first:]
        for buffer, dropped in ((self, count), (self.prior, examples)):
            buffer.full = buffer.full and buffer.pos >= dropped
            buffer.pos = (buffer.pos - dropped) % buffer.buffer_size

    def sample(self, batch_size: int, env: Any = None) -> ReplayBufferSamples:
        """Return a random batch whose first half are examples, if there are any.

        Args:
            batch_size: number of transitions.
            env: not used.

        Returns:
            Tensors whose first dimension is the batch.
        """
        examples = batch_size // 2 if self.prior.size() else 0
        others = self._draw(self, batch_size - examples)
        if not examples:
            return others
        halves = zip(self._draw(self.prior, examples), others, strict=True)
        return ReplayBufferSamples(
            *(None if first is None else torch.cat((first, second)) for first, second in halves)
        )

    def sample_prior(self, batch_size: int) -> ReplayBufferSamples:
        """Return a random batch of examples.

        Args:
            batch_size: number of transitions.

        Returns:
            Tensors whose first dimension is the batch.
        """
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


class SuccessfulHelpBuffer(HilReplayBuffer):
    """Transitions in which a human acted become examples when a success follows in the same episode.

    The success of a subtask counts as well. If a human cannot rescue an episode, for example because an object is out
    of reach, what they tried should not be imitated.

    Args:
        args: arguments of `HilReplayBuffer`.
        kwargs: keyword arguments of `HilReplayBuffer`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._undecided: list[int] = []

    def _new_examples(self, number: int, human_acted: bool, succeeds: bool, done: bool) -> Sequence[int]:
        if human_acted:
            self._undecided.append(number)
        examples = self._undecided if succeeds else []
        if succeeds or done:
            self._undecided = []
        return examples

    def forget(self, count: int) -> None:
        """Remove the newest transitions; see `HilReplayBuffer.forget`."""
        super().forget(count)
        self._undecided = [number for number in self._undecided if number < len(self._in_prior)]
