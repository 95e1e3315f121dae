"""Base classes of learning methods: a method provides a learner and the policy that it trains.

The trainer collects transitions with the policy and the human, passes them to the learner, and asks the policy
for actions. It is independent of the method otherwise. A new method is one module with a subclass of
`LearningMethod`, whose instance is registered in `gym_hil.learning.methods.METHODS`.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Transitions

Help = Literal["watching", "on request", "none"]
"""The human who may act during training: one who watches and takes over, one who is called by the policy, or none."""
Weights = Mapping[str, NDArray[Any]]
"""Parameters of a policy by name, as a learner sends them to the acting process and as files contain them."""


class Policy(Protocol):
    """A policy. It runs in the process that controls the robot. If possible, it should import no package but NumPy."""

    def load(self, weights: Weights) -> None:
        """Replace the weights.

        Args:
            weights: the result of `Learner.policy_weights`.
        """

    def act(self, observation: NDArray[Any]) -> NDArray[np.float32]:
        """Return the deterministic action for evaluation.

        Args:
            observation: observation (size,), or a batch of observations (batch, size).

        Returns:
            The action in [-1, 1], of shape (actions,) or (batch, actions).
        """

    def explore(self, observation: NDArray[Any], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return an action for training, which may be random.

        Args:
            observation: observation (size,).
            rng: the only source of randomness, so that runs are reproducible.

        Returns:
            The action in [-1, 1], of shape (actions,).
        """


class AskingPolicy(Policy, Protocol):
    """A policy that calls a human, for methods whose `help` is ``"on request"``."""

    def asks_for_help(self, observation: NDArray[Any], step: int) -> bool:
        """Return whether a human should act in a step. It is called once per step, whoever acts.

        Args:
            observation: the observation (size,).
            step: number of the step in the episode, from 0.
        """


class Learner(abc.ABC):
    """Learns from transitions. It may run in another process than the policy, without an environment.

    Args:
        config: configuration of the run, whose `seed` seeds the learner.
        observation_space: observation space of the policy: a vector of features, or of bytes with images.
        action_space: action space of the policy, with bounds -1 and 1.
    """

    @abc.abstractmethod
    def __init__(
        self, config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box
    ) -> None: ...

    @abc.abstractmethod
    def add(self, transitions: Transitions) -> None:
        """Store transitions in chronological order.

        Args:
            transitions: the transitions.
        """

    @abc.abstractmethod
    def forget(self, count: int) -> None:
        """Remove the newest `count` transitions, which belong to an episode that is recorded again."""

    @abc.abstractmethod
    def update(self) -> None:
        """Perform the updates that the configuration defines for one control step."""

    @property
    @abc.abstractmethod
    def updates(self) -> int:
        """Number of gradient steps so far."""

    @abc.abstractmethod
    def policy_weights(self) -> Weights:
        """Return the weights for the method's policy. Later updates must not change these arrays."""

    @abc.abstractmethod
    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the state that is needed to continue learning, except for the stored transitions.

        Returns:
            Values that JSON can represent, and arrays, both by name. A checkpoint contains nothing else, so that
            reading it never executes code.
        """

    @abc.abstractmethod
    def load_state(self, facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Restore the result of `state` exactly.

        Args:
            facts: the values.
            arrays: the arrays.

        Raises:
            ValueError: the state belongs to a learner with a different architecture.
        """

    def metrics(self) -> dict[str, float]:
        """Return losses and other metrics of the latest update, by the name under which they are logged."""
        return {}


class LearningMethod(abc.ABC):
    """A learning method, which creates a learner and a policy.

    Attributes:
        description: one line for the command's help.
        learner_class: class of the learner.
        policy_class: class of the policy, which is created without arguments.
        needs_demonstrations: whether the method requires demonstrations.
        acts_online: whether the policy acts during training and a human may intervene. Otherwise the method
            learns from the demonstrations alone, with as many updates as online training would have.
        supports_images: whether the method can learn from camera images.
        help: the human who may act during training.
        revision: number of changes of this method by which a saved configuration gives a different run. It is added to
            `gym_hil.learning.config.VERSION`.
        pretraining_steps: number of control steps whose updates are done with the demonstrations before the
            policy acts.
    """

    description: ClassVar[str]
    learner_class: ClassVar[type[Learner]]
    policy_class: ClassVar[type[Policy]]
    needs_demonstrations: ClassVar[bool] = False
    acts_online: ClassVar[bool] = True
    supports_images: ClassVar[bool] = False
    help: ClassVar[Help] = "watching"
    revision: ClassVar[int] = 0
    pretraining_steps: ClassVar[int] = 0

    def make_learner(
        self, config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box
    ) -> Learner:
        """Return a new learner; see `Learner` for the arguments."""
        return self.learner_class(config, observation_space, action_space)

    def make_policy(self) -> Policy:
        """Return a policy without weights."""
        return self.policy_class()

    def load_policy(self, weights: Weights) -> Policy:
        """Return a policy with the given weights.

        Args:
            weights: the result of `Learner.policy_weights`.
        """
        policy = self.make_policy()
        policy.load(weights)
        return policy

    def defaults(self, env_id: str, obs: str) -> dict[str, Any]:
        """Return the defaults of this method that differ from those of `TrainConfig`, by the names of the fields.

        Args:
            env_id: id of the environment.
            obs: name of the policy's observation.
        """
        return {}

    def pretraining_steps_of(self, config: TrainConfig) -> int:
        """Return the number of control steps of pretraining in a run, which is `pretraining_steps` by default.

        Args:
            config: the configuration of the run.
        """
        return self.pretraining_steps

    def check(self, config: TrainConfig) -> None:
        """Require that the method supports a configuration.

        Args:
            config: the configuration.

        Raises:
            InvalidArgumentError: demonstrations are required but missing, or images are not supported.
        """
        if self.needs_demonstrations and config.demos == 0:
            raise InvalidArgumentError(f"method={config.method!r} needs demonstrations, not demos=0")
        if config.observation.has_images and not self.supports_images:
            raise InvalidArgumentError(
                f'method={config.method!r} does not support obs="pixels"; use obs="state"'
            )
