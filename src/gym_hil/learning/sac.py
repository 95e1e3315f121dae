"""Soft actor-critic with demonstrations and interventions, as an algorithm of Stable-Baselines3.

As in RLPD (Ball et al. 2023, arXiv:2302.02948), the critics have LayerNorm, and half of every batch is sampled
from human transitions and half from all transitions. As in HIL-SERL (arXiv:2410.21845), human transitions include
interventions. The actor's loss has an additional behaviour cloning term (Nair et al. 2018, arXiv:1709.10089,
without their Q filter).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import SAC
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.policies import BaseModel
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from stable_baselines3.sac.policies import SACPolicy
from torch import nn
from torch.nn import functional

from gym_hil.core import schema
from gym_hil.learning.adam import PlainAdam
from gym_hil.learning.critics import CriticEnsemble
from gym_hil.learning.policy import ENCODER, LOG_STD_MAX, LOG_STD_MIN
from gym_hil.learning.replay_buffer import HilReplayBuffer

HALF_LOG_2_PI = 0.5 * math.log(2.0 * math.pi)
TANH_EPSILON = 1e-6
"""Added for numerical stability of the logarithm, as in Stable-Baselines3."""


def encode(network: BaseModel, observations: torch.Tensor) -> torch.Tensor:
    """Return the features (batch, features) of observations (batch, size)."""
    return network.extract_features(observations, network.features_extractor)


class HilPolicy(SACPolicy):
    """The policy class of `HilSAC`, with `CriticEnsemble`. The actor uses the critics' features extractor."""

    def make_critic(self, features_extractor: Any = None) -> CriticEnsemble:
        """Return critics on the policy's device."""
        kwargs = self._update_features_extractor(self.critic_kwargs, features_extractor)
        return CriticEnsemble(**kwargs).to(self.device)

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        self.actor.features_extractor = self.critic.features_extractor
        self.critic.optimizer = PlainAdam(self.critic.parameters(), lr=lr_schedule(1))
        shared = set(self.critic.features_extractor.parameters())
        acting = [weight for weight in self.actor.parameters() if weight not in shared]
        self.actor.optimizer = self.optimizer_class(acting, lr=lr_schedule(1), **self.optimizer_kwargs)


class HilSAC(SAC):
    """Soft actor-critic that learns from human transitions as RLPD does.

    It stores executed actions, those of humans included, updates the critics several times per update of their
    targets and of the actor, and has no entropy term in the critics' targets. It supports every environment with
    Box spaces. If the environment has an `InterventionWrapper`, human transitions are recognised as such.

    A features extractor with weights is trained by the critics' loss and the imitation loss, but not by the
    actor's (as in DrQ-v2, Yarats et al. 2022, arXiv:2107.09645).

    Args:
        args: arguments of `stable_baselines3.SAC`.
        returns: smallest and largest possible return, to which the critics' targets are clipped.
        imitation: weight of the behaviour cloning loss.
        feature_noise: standard deviation of the noise on the features in the behaviour cloning loss.
        kwargs: keyword arguments of `stable_baselines3.SAC`.
    """

    def __init__(
        self,
        *args: Any,
        returns: tuple[float, float] = (-math.inf, math.inf),
        imitation: float = 0.0,
        feature_noise: float = 0.0,
        **kwargs: Any,
    ) -> None:
        self.returns, self.imitation, self.feature_noise = returns, imitation, feature_noise
        kwargs.setdefault("replay_buffer_class", HilReplayBuffer)
        super().__init__(*args, **kwargs)

    @property
    def demonstration_buffer(self) -> HilReplayBuffer:
        """The replay buffer, with human transitions in its attribute `prior`."""
        assert isinstance(self.replay_buffer, HilReplayBuffer)
        return self.replay_buffer

    @property
    def updates(self) -> int:
        """Gradient steps of the critics so far."""
        return self._n_updates

    @updates.setter
    def updates(self, count: int) -> None:
        self._n_updates = count

    def set_progress(self, done: float) -> None:
        """Set the completed fraction of the training, in [0, 1], for the learning rate schedule."""
        self._current_progress_remaining = 1.0 - done

    def metrics(self) -> dict[str, float]:
        """Return the values that the latest update logged, by their names without ``train/``."""
        return {name.removeprefix("train/"): value for name, value in self.logger.name_to_value.items()}

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        """Update the critics `gradient_steps` times, then their targets, the actor and the entropy coefficient once."""
        assert self.ent_coef_optimizer is not None
        self.policy.set_training_mode(True)
        self._update_learning_rate([self.actor.optimizer, self.critic.optimizer, self.ent_coef_optimizer])
        buffer = self.demonstration_buffer
        drawn = self._prepared(buffer.sample(gradient_steps * batch_size))
        with torch.no_grad():  # actor and target do not change between these updates
            next_features = encode(self.critic, drawn.next_observations)
            next_q = self.critic_target.values(next_features, self._sample_actions(next_features)[0])
            next_values = self._target_value(next_q).clamp(*self.returns)
            all_targets = drawn.rewards + (1.0 - drawn.dones) * self.gamma * next_values
        humans = batch_size // 2 if buffer.prior.size() else 0
        online, target = list(self.critic.parameters()), list(self.critic_target.parameters())
        encoder = list(self.critic.features_extractor.parameters())
        observed = drawn.observations if encoder else encode(self.critic, drawn.observations)
        batches = (
            rows.unflatten(0, (-1, gradient_steps)).unbind(1)
            for rows in (observed, drawn.actions, all_targets)
        )
        for seen, actions, targets in zip(*batches, strict=True):
            features = encode(self.critic, seen) if encoder else seen
            examples = self._examples(features, actions, targets, humans)
            loss, encoding_gradient = self.critic.fit(*examples)
            if encoding_gradient is not None:
                losses = [examples[0], self._imitation_loss(features, actions[:humans])]
                _set_gradients(losses if losses[1].requires_grad else losses[:1], encoder, encoding_gradient)
            self.critic.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(target, online, 1.0 - (1.0 - self.tau) ** gradient_steps)
        self._train_actor(features.detach(), actions[:humans])
        self._n_updates += gradient_steps
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/critic_loss", loss.item())

    def _prepared(self, drawn: ReplayBufferSamples) -> ReplayBufferSamples:
        """Return a batch in the form that actor and critics use."""
        return drawn

    def _target_value(self, next_q: torch.Tensor) -> torch.Tensor:
        """Return the value (batch, 1) of the next actions from those of the target critics (critics, batch, 1)."""
        return next_q.amin(dim=0)

    def _examples(
        self, features: torch.Tensor, actions: torch.Tensor, targets: torch.Tensor, humans: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | float]:
        """Return the examples to which the critics are fitted, as arguments of `CriticEnsemble.fit`.

        Args:
            features: encoded observations (batch, features).
            actions: executed actions (batch, actions).
            targets: targets (batch, 1).
            humans: number of rows, from the first one, in which a human acted.
        """
        return features, actions, targets, 1.0 / len(features)

    def _distribution(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and logarithmic standard deviation of actions before tanh (batch, actions)."""
        hidden = self.actor.latent_pi(features)
        assert isinstance(self.actor.log_std, nn.Linear)
        return self.actor.mu(hidden), self.actor.log_std(hidden).clamp(LOG_STD_MIN, LOG_STD_MAX)

    def _sample_actions(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return actions sampled from the policy, in [-1, 1], and their log probability (batch, 1)."""
        return self._sample(*self._distribution(features))

    @staticmethod
    def _sample(mean: torch.Tensor, log_std: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        noise = torch.randn_like(mean)
        action = torch.tanh(mean + log_std.exp() * noise)
        density = -0.5 * noise**2 - log_std - HALF_LOG_2_PI - torch.log(1.0 - action**2 + TANH_EPSILON)
        return action, density.sum(dim=1, keepdim=True)

    def _train_actor(self, features: torch.Tensor, human_actions: torch.Tensor) -> None:
        """Update the actor. `human_actions` are the human's actions for the first rows of `features`."""
        assert self.ent_coef_optimizer is not None and self.log_ent_coef is not None
        assert isinstance(self.target_entropy, float)
        imitated = features[: len(human_actions)] if self.imitation else features[:0]
        noisy = bool(self.feature_noise and len(imitated))
        inputs = torch.cat((features, self._noisy(imitated))) if noisy else features
        mean, log_std = self._distribution(inputs)
        actions, log_prob = self._sample(mean[: len(features)], log_std[: len(features)])
        entropy_loss = -(self.log_ent_coef * (log_prob + self.target_entropy).detach()).mean()
        _set_gradients([entropy_loss], [self.log_ent_coef])
        self.ent_coef_optimizer.step()
        weight = self.log_ent_coef.detach().exp()
        loss = weight * log_prob.mean() - self.critic.values(features, actions).mean()
        if len(imitated):
            rows = slice(len(features), None) if noisy else slice(len(imitated))
            imitating = self._imitating(mean[rows], log_std[rows])
            loss = loss + self.imitation * functional.mse_loss(imitating, human_actions)
        self._update_actor(loss)
        self.logger.record("train/ent_coef", weight.item())

    def _update_actor(self, loss: torch.Tensor) -> None:
        """Take a gradient step of the actor."""
        trained = [weight for group in self.actor.optimizer.param_groups for weight in group["params"]]
        _set_gradients([loss], trained)
        self.actor.optimizer.step()
        self.logger.record("train/actor_loss", loss.item())

    def _imitating(self, mean: torch.Tensor, log_std: torch.Tensor) -> torch.Tensor:
        """Return the actions (batch, actions) that the actor's behaviour cloning loss compares with the human's."""
        return torch.tanh(mean)

    def _imitation_loss(self, features: torch.Tensor, human_actions: torch.Tensor) -> torch.Tensor:
        """Return the weighted imitation loss. `human_actions` are the actions for the first rows of `features`."""
        if not self.imitation or not len(human_actions):
            return features.new_zeros(())
        return self.imitation * self.distance_to_human(features[: len(human_actions)], human_actions)

    def distance_to_human(self, features: torch.Tensor, human_actions: torch.Tensor) -> torch.Tensor:
        """Return the mean squared distance of the policy's mean actions from a human's.

        Args:
            features: encoded observations (batch, features); `feature_noise` is added.
            human_actions: the human's actions (batch, actions), in [-1, 1].
        """
        mean, _ = self._distribution(self._noisy(features))
        return functional.mse_loss(torch.tanh(mean), human_actions)

    def _noisy(self, features: torch.Tensor) -> torch.Tensor:
        if not self.feature_noise:
            return features
        return features + self.feature_noise * torch.randn_like(features)

    def _store_transition(
        self,
        replay_buffer: Any,
        buffer_action: np.ndarray,
        new_obs: Any,
        reward: np.ndarray,
        dones: np.ndarray,
        infos: list[dict[str, Any]],
    ) -> None:
        executed = np.stack([executed_action(info, buffer_action[row]) for row, info in enumerate(infos)])
        super()._store_transition(
            replay_buffer, self.policy.scale_action(executed), new_obs, reward, dones, infos
        )


def executed_action(info: dict[str, Any], proposed: np.ndarray) -> np.ndarray:
    """Return the executed action of a step, in the environment's action space.

    Args:
        info: info of the step, with a record if the environment has an `InterventionWrapper`.
        proposed: the policy's action, which is returned if there is no record.
    """
    record = info.get(schema.STEP)
    return proposed if record is None else np.asarray(record.executed_action)


def _set_gradients(
    outputs: list[torch.Tensor], weights: list[torch.Tensor], encoding_gradient: torch.Tensor | None = None
) -> None:
    """Set the gradients of weights to those of the sum of some outputs.

    Args:
        outputs: the outputs, which are scalars except for the first one if `encoding_gradient` is given.
        weights: the weights.
        encoding_gradient: gradient of the loss with respect to the first output; None if that is a loss itself.
    """
    gradients = [encoding_gradient, *(None for _ in outputs[1:])]
    for weight, gradient in zip(weights, torch.autograd.grad(outputs, weights, gradients), strict=True):
        weight.grad = gradient


def make_hil_sac(
    observation_space: spaces.Box,
    action_space: spaces.Box,
    *,
    images: bool,
    width: int,
    seed: int,
    algorithm: type[HilSAC] = HilSAC,
    policy: type[HilPolicy] = HilPolicy,
    critics: int = 2,
    **kwargs: Any,
) -> HilSAC:
    """Return a `HilSAC` without an environment, for a learner that receives transitions.

    Args:
        observation_space: observation space of the policy.
        action_space: action space of the policy, with bounds -1 and 1.
        images: whether observations are vectors of `gym_hil.learning.image_observation`.
        width: number of units in each of the two hidden layers.
        seed: seed of the initial weights and of the batches.
        algorithm: class of the algorithm.
        policy: class of its networks.
        critics: number of Q-networks.
        kwargs: further arguments of `HilSAC`.
    """
    networks: dict[str, Any] = {
        "net_arch": [width, width],
        "n_critics": critics,
        "optimizer_kwargs": {"fused": True},
    }
    buffer: dict[str, Any] = {"seed": seed}
    if images:
        from gym_hil.learning.encoders import Encoder, randomly_shifted

        networks["features_extractor_class"] = Encoder
        buffer["augment"] = randomly_shifted
    model = algorithm(
        policy,
        _SpacesOnly(observation_space, action_space),
        learning_starts=0,
        replay_buffer_kwargs=buffer,
        policy_kwargs=networks,
        seed=seed,
        **kwargs,
    )
    model.set_logger(Logger(None, []))
    return model


class _SpacesOnly(gym.Env):
    """An environment that only has spaces."""

    def __init__(self, observation_space: spaces.Box, action_space: spaces.Box) -> None:
        self.observation_space, self.action_space = observation_space, action_space


def gaussian_weights(actor: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Return the weights in an actor's state dict in the format of `gym_hil.learning.policy.GaussianPolicy`."""
    layers = sorted({int(key.split(".")[1]) for key in actor if key.startswith("latent_pi.")})
    names = {f"latent_pi.{layer}": (f"w{number}", f"b{number}") for number, layer in enumerate(layers)}
    names |= {"mu": ("mean_w", "mean_b"), "log_std": ("spread_w", "spread_b")}
    weights = {name: actor[name].detach().cpu().numpy().copy() for name in actor if name.startswith(ENCODER)}
    for source, (matrix, offset) in names.items():
        weights[matrix] = actor[f"{source}.weight"].detach().cpu().numpy().T.copy()
        weights[offset] = actor[f"{source}.bias"].detach().cpu().numpy().copy()
    return weights
