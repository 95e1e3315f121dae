"""The learning side of a run: it receives transitions, updates the learner and writes checkpoints."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gymnasium import spaces

from gym_hil.core.archives import pack, unpack
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.files import write_atomically
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Transitions
from gym_hil.learning.methods import METHODS
from gym_hil.learning.methods.base import Learner, Weights
from gym_hil.learning.policy_file import CHECKPOINT, LEARNER


@dataclass(frozen=True, kw_only=True)
class LearnerMessage:
    """A message from the acting process to the learner."""

    transitions: Transitions | None = None
    """Consecutive transitions of one episode."""
    learn: bool = False
    """Whether to update the learner once per transition. Demonstrations are only stored."""
    pretraining_steps: int = 0
    """Number of control steps whose updates are performed with the transitions that are already stored."""
    forget: int = 0
    """Number of newest transitions to remove, which belong to an episode that is recorded again."""
    completed_episode: int | None = None
    """Number of the episode that ends with the transitions."""


@dataclass(frozen=True, kw_only=True)
class LearnerProgress:
    """The learner's answer to a message."""

    messages: int
    """Number of messages that are processed completely."""
    weights: Weights
    """Weights of the policy."""
    updates: int
    """Number of gradient steps so far."""
    updates_per_s: float
    """Measured gradient steps per second of learning."""
    episodes: int
    """Number of complete episodes that are learned from."""
    metrics: dict[str, float] = field(default_factory=dict)
    """Losses and other metrics of the latest update."""


class LearnerService:
    """Processes messages in order, with the updates of one control step at a time.

    Args:
        config: configuration of the run.
        folder: folder of the checkpoint, which is loaded if it exists.
        observation_space: observation space of the policy.
        action_space: action space of the policy.
        about: JSON values that are stored in the checkpoint: the policy's interface and the configuration.
    """

    def __init__(
        self,
        config: TrainConfig,
        folder: Path,
        observation_space: spaces.Box,
        action_space: spaces.Box,
        about: dict[str, Any],
    ) -> None:
        import torch  # imported here, because the acting process only needs the messages

        torch.set_num_threads(1)
        self.learner = METHODS.get(config.method).make_learner(config, observation_space, action_space)
        self._path, self._about = folder / CHECKPOINT, about
        self._learning_s, self._measured_updates = 0.0, 0
        self._episodes = self._saved_episodes = 0
        self._messages = 0
        self._pending: deque[_PendingMessage] = deque()
        if self._path.is_file():
            self._episodes = self._saved_episodes = load_checkpoint(self._path, self.learner)["episodes"]

    @property
    def has_work(self) -> bool:
        """Whether a message is not processed completely."""
        return bool(self._pending)

    def receive(self, message: LearnerMessage) -> None:
        """Store the transitions of a message and schedule its updates."""
        if message.forget:
            self.learner.forget(message.forget)
        steps = message.pretraining_steps
        if message.transitions is not None:
            self.learner.add(message.transitions)
            steps += len(message.transitions) if message.learn else 0
        self._pending.append(_PendingMessage(steps, message))

    def learn_one_step(self) -> LearnerProgress | None:
        """Perform the updates of one control step.

        Returns:
            The progress if this completes a message, else None.
        """
        pending = self._pending[0]
        if pending.steps > 0:
            start, before = time.perf_counter(), self.learner.updates
            self.learner.update()
            self._learning_s += time.perf_counter() - start
            self._measured_updates += self.learner.updates - before
            pending.steps -= 1
        if pending.steps > 0:
            return None
        self._pending.popleft()
        self._messages += 1
        if pending.message.completed_episode is not None:
            self._episodes = pending.message.completed_episode + 1
        if pending.message.pretraining_steps:
            self._saved_episodes = -1
        return self.progress()

    def progress(self) -> LearnerProgress:
        """Return the current progress."""
        learner = self.learner
        rate = self._measured_updates / self._learning_s if self._measured_updates else 0.0
        return LearnerProgress(
            messages=self._messages,
            weights=learner.policy_weights(),
            updates=learner.updates,
            updates_per_s=rate,
            episodes=self._episodes,
            metrics=learner.metrics(),
        )

    def save(self) -> None:
        """Write a checkpoint if the last one contains fewer episodes."""
        if self._saved_episodes != self._episodes:
            save_checkpoint(self._path, self.learner, {**self._about, "episodes": self._episodes})
            self._saved_episodes = self._episodes


@dataclass
class _PendingMessage:
    steps: int
    """Number of control steps whose updates are still to be performed."""
    message: LearnerMessage


def save_checkpoint(path: Path, learner: Learner, facts: dict[str, Any]) -> None:
    """Write the state of a learner. The file is a policy file at the same time.

    Args:
        path: the file to write.
        learner: what to save.
        facts: JSON values that `load_checkpoint` returns, including the policy's interface and the configuration.
    """
    own_facts, state = learner.state()
    arrays = {**learner.policy_weights(), **{f"{LEARNER}{name}": array for name, array in state.items()}}
    write_atomically(path, pack({**facts, "learner": own_facts}, arrays))


def load_checkpoint(path: Path, learner: Learner) -> dict[str, Any]:
    """Restore a learner from the result of `save_checkpoint`, and return the stored JSON values.

    Raises:
        InvalidArgumentError: the file cannot be read, or belongs to a learner with a different architecture.
    """
    try:
        facts, arrays = unpack(path.read_bytes())
        state = {
            name.removeprefix(LEARNER): array for name, array in arrays.items() if name.startswith(LEARNER)
        }
        learner.load_state(dict(facts["learner"]), state)
        return dict(facts)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise InvalidArgumentError(f"{path} cannot be read as a checkpoint: {error}") from error
