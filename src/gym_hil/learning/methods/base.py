"""What a learning method is: a learner, the policy that it trains, and what both of them need.

The trainer collects transitions with the policy and the human, hands them to the learner, and asks the
policy for actions. It knows nothing else about a method. A new method is one module with a subclass of
`LearningMethod`, whose instance is registered in `gym_hil.learning.methods.METHODS`.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Transitions

Weights = Mapping[str, NDArray[Any]]
"""A policy's parameters, as named arrays: what a learner sends to the acting process, and what a file
holds."""


class Policy(Protocol):
    """What acts. It runs in the process that controls the robot, so it should need NumPy only where it
    can.
    """

    def load(self, weights: Weights) -> None:
        """Use other weights from now on.

        Args:
            weights: what `Learner.policy_weights` returned.
        """

    def act(self, observation: NDArray[Any]) -> NDArray[np.float32]:
        """Return the best action.

        Args:
            observation: of shape (size,), or a batch of shape (batch, size).

        Returns:
            The action in [-1, 1], of shape (actions,), or (batch, actions).
        """

    def explore(self, observation: NDArray[Any], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return an action for collecting experience, which may be random.

        Args:
            observation: of shape (size,).
            rng: the only source of randomness, so that a run can be repeated.

        Returns:
            The action in [-1, 1], of shape (actions,).
        """


class Learner(abc.ABC):
    """Learns from transitions. It may run in another process than the policy, and never sees the
    environment.
    """

    @abc.abstractmethod
    def add(self, transitions: Transitions) -> None:
        """Store transitions, in the order in which they happened."""

    @abc.abstractmethod
    def forget(self, count: int) -> None:
        """Drop the newest `count` transitions: those of an episode that is recorded again."""

    @abc.abstractmethod
    def update(self) -> None:
        """Learn as much as the configuration allows for one control step."""

    @property
    @abc.abstractmethod
    def updates(self) -> int:
        """Gradient steps so far."""

    @abc.abstractmethod
    def policy_weights(self) -> Weights:
        """Return the weights that the method's policy loads. Later updates must not change these arrays."""

    @abc.abstractmethod
    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return everything that further learning depends on, except for the stored transitions.

        Returns:
            Facts that JSON can express, and arrays by name. Nothing else is allowed, so that a checkpoint
            can be read without running any code in it.
        """

    @abc.abstractmethod
    def load_state(self, facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Continue from what `state` returned, bit for bit.

        Raises:
            ValueError: it is the state of a learner with other networks.
        """

    def metrics(self) -> dict[str, float]:
        """Return losses and other figures of the latest update, by the name under which they are plotted."""
        return {}


class LearningMethod(abc.ABC):
    """A learning method: what it needs, its learner and its policy.

    Attributes:
        description: one line for the command's help.
        needs_demonstrations: it cannot learn without demonstrations.
        acts_online: its policy acts while it learns, and a human may intervene. A method that does not only
            learns from the demonstrations, for as many updates as learning online would have had.
        supports_images: it can learn from camera images.
    """

    description: ClassVar[str]
    needs_demonstrations: ClassVar[bool] = False
    acts_online: ClassVar[bool] = True
    supports_images: ClassVar[bool] = False

    @abc.abstractmethod
    def make_learner(
        self, config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box
    ) -> Learner:
        """Return a new learner.

        Args:
            config: of the run; the learner's randomness comes from its `seed`.
            observation_space: of the policy: features, or with images rows of bytes.
            action_space: of the policy, from -1 to 1.
        """

    @abc.abstractmethod
    def make_policy(self) -> Policy:
        """Return a policy that has no weights yet."""

    def load_policy(self, weights: Weights) -> Policy:
        """Return a policy with the weights of a policy file."""
        policy = self.make_policy()
        policy.load(weights)
        return policy

    def check(self, config: TrainConfig) -> None:
        """Refuse a configuration that the method cannot learn from.

        Raises:
            InvalidArgumentError: a demonstration or images are missing or not supported.
        """
        if self.needs_demonstrations and config.demos == 0:
            raise InvalidArgumentError(f"method={config.method!r} needs demonstrations, not demos=0")
        if config.pixels and not self.supports_images:
            raise InvalidArgumentError(
                f'method={config.method!r} does not support obs="pixels"; use obs="state"'
            )
