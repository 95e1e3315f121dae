"""The learning side of a run: takes what happened, gives weights. Knows no robot and no simulator."""

from __future__ import annotations

import abc
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.logger import configure

from gym_hil.core import schema
from gym_hil.core.archives import pack, unpack
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.files import write_atomically
from gym_hil.learning.checkpoint import CHECKPOINT
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Steps
from gym_hil.learning.model_state import restore_state, state_arrays
from gym_hil.learning.policy import LEARNER, Weights
from gym_hil.learning.presets import device_of
from gym_hil.learning.sac import HilPolicy, HilReplayBuffer, HilSAC, gaussian_weights


@dataclass(frozen=True)
class Experience:
    """What the acting side tells: steps of an episode, in order."""

    steps: Steps | None = None
    learn: bool = False
    """Whether to update for them; demonstrations are only stored."""
    rehearse: int = 0
    """Control steps' worth of learning from what is stored already."""
    forget: int = 0
    """Stored steps to drop, from the newest: those of an episode that is recorded again."""
    ends_episode: int | None = None
    """Number of the episode that they complete."""


@dataclass(frozen=True)
class Progress:
    """What the learning side tells."""

    done: int
    """Messages that have been learned from."""
    weights: Weights
    updates: int
    """Gradient steps of the critic so far."""
    updates_per_s: float
    """Gradient steps per second of learning, measured."""
    episodes: int
    """Whole episodes that have been learned from."""


class Learner(abc.ABC):
    """One way to learn from experience."""

    @abc.abstractmethod
    def add(self, steps: Steps) -> None:
        """Store steps."""

    @abc.abstractmethod
    def forget(self, count: int) -> None:
        """Drop the newest `count` steps."""

    @abc.abstractmethod
    def update(self) -> None:
        """Learn as much as one control step pays for."""

    @abc.abstractmethod
    def weights(self) -> Weights:
        """Return what the acting side's policy loads."""

    @property
    @abc.abstractmethod
    def updates(self) -> int:
        """Gradient steps so far."""

    @abc.abstractmethod
    def save(self, path: Path, facts: dict[str, Any]) -> None:
        """Write everything that learning depends on, stored experience aside, in one atomic step."""

    @abc.abstractmethod
    def load(self, path: Path) -> dict[str, Any]:
        """Continue from what `save` wrote, and return its `facts`."""


class SacLearner(Learner):
    """Soft actor-critic with half of every batch from humans."""

    def __init__(self, config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box) -> None:
        self._config = config
        buffer: type[HilReplayBuffer] = HilReplayBuffer
        networks: dict[str, Any] = {
            "net_arch": [config.width, config.width],
            "optimizer_kwargs": {"fused": True},
        }
        if config.pixels:
            from gym_hil.learning.encoders import Encoder, ShiftingReplayBuffer

            buffer = ShiftingReplayBuffer
            networks["features_extractor_class"] = Encoder
        self.model = HilSAC(
            HilPolicy,
            _Spaces(observation_space, action_space),
            learning_rate=annealed(config.learning_rate, config.annealing),
            buffer_size=config.total_steps + SLACK,
            replay_buffer_class=buffer,
            replay_buffer_kwargs={"seed": config.seed},
            batch_size=config.batch_size,
            gamma=config.gamma,
            learning_starts=0,
            ent_coef=f"auto_{config.entropy}",
            tau=config.tau,
            returns=RETURNS,
            imitation=config.imitation,
            jitter=0.0 if config.pixels else JITTER,
            policy_kwargs=networks,
            seed=config.seed,
            device=device_of(config.device, images=config.pixels > 0),
        )
        self.model.set_logger(configure(None, []))
        assert isinstance(self.model.replay_buffer, HilReplayBuffer)
        self.buffer = self.model.replay_buffer

    def add(self, steps: Steps) -> None:
        """Store steps."""
        for row in range(len(steps)):
            self.buffer.add(
                steps.observations[row : row + 1],
                steps.next_observations[row : row + 1],
                steps.actions[row : row + 1],
                steps.rewards[row : row + 1],
                steps.terminated[row : row + 1] | steps.truncated[row : row + 1],
                [
                    {
                        schema.IS_INTERVENTION: bool(steps.interventions[row]),
                        "TimeLimit.truncated": bool(steps.truncated[row]),
                    }
                ],
            )

    def forget(self, count: int) -> None:
        """Drop the newest `count` steps."""
        self.buffer.forget(count)

    def update(self) -> None:
        """Update the critic `updates_per_step` times, and the actor once."""
        done = self.updates / (self._config.updates_per_step * self._config.total_steps)
        self.model._current_progress_remaining = 1.0 - done
        self.model.train(self._config.updates_per_step, self._config.batch_size)

    def weights(self) -> Weights:
        """Return the actor's weights as `GaussianPolicy` takes them."""
        return gaussian_weights(self.model.actor.state_dict())

    @property
    def updates(self) -> int:
        """Gradient steps of the critic so far."""
        return self.model._n_updates

    def save(self, path: Path, facts: dict[str, Any]) -> None:
        """Write a checkpoint: the policy as `TrainedPolicy.load` reads it, and the state of learning."""
        counters = {"updates": self.model._n_updates, "batch_rng": self.buffer.rng.bit_generator.state}
        state = {**state_arrays(self.model), _TORCH_RNG: torch.get_rng_state().numpy()}
        arrays = {**self.weights(), **{f"{LEARNER}{name}": array for name, array in state.items()}}
        write_atomically(path, pack({**facts, "learner": counters}, arrays))

    def load(self, path: Path) -> dict[str, Any]:
        """Continue from what `save` wrote, bit for bit.

        Raises:
            InvalidArgumentError: it cannot be read.
        """
        try:
            facts, arrays = unpack(path.read_bytes())
            state = {
                name.removeprefix(LEARNER): array
                for name, array in arrays.items()
                if name.startswith(LEARNER)
            }
            torch_rng = torch.from_numpy(state.pop(_TORCH_RNG).astype(np.uint8))
            restore_state(self.model, state)
            self.model._n_updates = int(facts["learner"]["updates"])
            self.buffer.rng.bit_generator.state = facts["learner"]["batch_rng"]
            torch.set_rng_state(torch_rng)
            return dict(facts)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise InvalidArgumentError(f"{path} cannot be read as a checkpoint: {error}") from error


def annealed(rate: float, share: float) -> Callable[[float], float]:
    """Return a schedule of Stable-Baselines3: from what is left of a run, in [0, 1], to the learning rate."""

    def schedule(left: float) -> float:
        return rate * max(FINALLY, min(1.0, left / share)) if share else rate

    return schedule


FINALLY = 0.05
"""Share of the learning rate that annealing ends with."""
RETURNS = (0.0, 1.0)
"""Of a sparse reward: 1 with success, which ends the episode."""
JITTER = 0.1
"""Standard deviation of noise on the features while imitating; images are shifted instead. Without it the
actor learns its few examples by heart: 20 demonstrations of InsertPeg and 10,000 updates of nothing else gave
10 of 20 insertions without it, 20 with it."""
_TORCH_RNG = "torch_rng"
SLACK = 2000
"""Room in the buffer beyond the run's steps: an episode that runs over, or is recorded again."""


class _Spaces(gym.Env):
    """Spaces, and nothing to do: a learner never steps."""

    def __init__(self, observation_space: spaces.Box, action_space: spaces.Box) -> None:
        self.observation_space, self.action_space = observation_space, action_space


def make_learner(config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box) -> Learner:
    """Return the learner of the configuration's `method`."""
    if config.method == "hil":
        return SacLearner(config, observation_space, action_space)
    from gym_hil.learning.imitation import ImitationLearner

    return ImitationLearner(config, observation_space, action_space)


class Service:
    """Learns from messages in order, and answers with weights.

    Args:
        folder: where the checkpoint is.
        about: kept in the checkpoint; JSON.
    """

    def __init__(
        self,
        config: TrainConfig,
        folder: Path,
        observation_space: spaces.Box,
        action_space: spaces.Box,
        about: dict[str, Any],
    ) -> None:
        torch.set_num_threads(1)
        self.learner = make_learner(config, observation_space, action_space)
        self._path, self._about = folder / CHECKPOINT, about
        self._learning_s, self._learned = 0.0, 0
        self._episodes = self._saved = 0
        self._done = 0
        self._todo: deque[_Owed] = deque()
        if self._path.is_file():
            self._episodes = self._saved = int(self.learner.load(self._path)["episodes"])

    @property
    def owes(self) -> bool:
        """Whether there is something to learn from."""
        return bool(self._todo)

    def hear(self, message: Experience) -> None:
        """Store what happened."""
        if message.forget:
            self.learner.forget(message.forget)
        if message.steps is not None:
            self.learner.add(message.steps)
        owed = message.rehearse
        if message.steps is not None and message.learn:
            owed += len(message.steps)
        self._todo.append(_Owed(owed, message.ends_episode, message.rehearse > 0))

    def work(self) -> Progress | None:
        """Learn for one control step. Return progress when everything for a message is done, else None."""
        owed = self._todo[0]
        if owed.steps > 0:
            start, before = time.perf_counter(), self.learner.updates
            self.learner.update()
            self._learning_s += time.perf_counter() - start
            self._learned += self.learner.updates - before
            owed.steps -= 1
        if owed.steps > 0:
            return None
        self._todo.popleft()
        self._done += 1
        if owed.ends_episode is not None:
            self._episodes = owed.ends_episode + 1
        if owed.rehearsal:
            self._saved = -1
        return self.progress()

    def progress(self) -> Progress:
        """Return where learning is."""
        learner = self.learner
        rate = self._learned / self._learning_s if self._learned else 0.0
        return Progress(self._done, learner.weights(), learner.updates, rate, self._episodes)

    def save(self) -> None:
        """Write a checkpoint, unless the one on disk has as many episodes."""
        if self._saved != self._episodes:
            self.learner.save(self._path, {**self._about, "episodes": self._episodes})
            self._saved = self._episodes


@dataclass
class _Owed:
    steps: int
    ends_episode: int | None
    rehearsal: bool
