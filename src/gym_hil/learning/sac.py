"""Soft actor-critic as RLPD runs it, on Stable-Baselines3: LayerNorm critics, half of every batch from
demonstrations and interventions, half from all experience (Ball et al. 2023, arXiv:2302.02948; HIL-SERL,
arXiv:2410.21845, adds the interventions). The actor is also drawn to what the human did (a behaviour cloning
loss beside the critics' values, as in Nair et al. 2018, arXiv:1709.10089, without their filter).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import SAC
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.policies import BaseModel, ContinuousCritic
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from stable_baselines3.sac.policies import SACPolicy
from torch import nn
from torch.nn import functional

from gym_hil.core import schema
from gym_hil.learning.policy import ENCODER, LOG_STD_MAX, LOG_STD_MIN
from gym_hil.learning.policy_env import EXECUTED

HALF_LOG_2_PI = 0.5 * math.log(2.0 * math.pi)
TANH_EPSILON = 1e-6
"""Keeps the logarithm finite, as in Stable-Baselines3."""


class LayerNormCritic(ContinuousCritic):
    """Q-networks with a LayerNorm before every activation: it bounds what they extrapolate."""

    def __init__(self, *args: Any, net_arch: list[int], **kwargs: Any) -> None:
        super().__init__(*args, net_arch=net_arch, **kwargs)
        for number, network in enumerate(self.q_networks):
            layers: list[nn.Module] = []
            for layer in network:
                layers.append(layer)
                if isinstance(layer, nn.Linear) and layer.out_features != 1:
                    layers.append(nn.LayerNorm(layer.out_features))
            normed = nn.Sequential(*layers)
            self.q_networks[number] = normed
            self.add_module(f"qf{number}", normed)

    def values(self, features: torch.Tensor, actions: torch.Tensor) -> list[torch.Tensor]:
        """Return each network's values (batch, 1) of actions, from what `see` returned."""
        return [network(torch.cat((features, actions), dim=1)) for network in self.q_networks]


def see(network: BaseModel, observations: torch.Tensor) -> torch.Tensor:
    """Return the features (batch, features) that `network` sees in observations."""
    return network.extract_features(observations, network.features_extractor)


class HilPolicy(SACPolicy):
    """SAC's policy with `LayerNormCritic`s, whose features extractor the actor borrows."""

    def make_critic(self, features_extractor: Any = None) -> LayerNormCritic:
        """Return a critic on the policy's device."""
        kwargs = self._update_features_extractor(self.critic_kwargs, features_extractor)
        return LayerNormCritic(**kwargs).to(self.device)

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        self.actor.features_extractor = self.critic.features_extractor
        seeing = set(self.critic.features_extractor.parameters())
        acting = [weight for weight in self.actor.parameters() if weight not in seeing]
        self.actor.optimizer = self.optimizer_class(acting, lr=lr_schedule(1), **self.optimizer_kwargs)


class HilReplayBuffer(ReplayBuffer):
    """All experience, and beside it `prior`: what humans did."""

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        *args: Any,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(buffer_size, observation_space, action_space, *args, **kwargs)
        self.rng = np.random.default_rng(seed)
        self.prior = ReplayBuffer(buffer_size, observation_space, action_space, *args, **kwargs)
        self._by_human: list[bool] = []

    def add(
        self,
        obs: np.ndarray,
        next_obs: np.ndarray,
        action: np.ndarray,
        reward: np.ndarray,
        done: np.ndarray,
        infos: list[dict[str, Any]],
    ) -> None:
        """Store a step; one that a human did is stored in both."""
        super().add(obs, next_obs, action, reward, done, infos)
        self._by_human.append(bool(infos[0][schema.IS_INTERVENTION]))
        if self._by_human[-1]:
            self.prior.add(obs, next_obs, action, reward, done, infos)

    def sample(self, batch_size: int, env: Any = None) -> ReplayBufferSamples:
        """Return a batch: half from `prior`, once it has something, and half from everything."""
        prior = batch_size // 2 if self.prior.size() else 0
        everything = self._drawn(self, batch_size - prior, env)
        if not prior:
            return everything
        halves = self._drawn(self.prior, prior, env), everything
        joined = [None if one is None else torch.cat((one, two)) for one, two in zip(*halves, strict=True)]
        return ReplayBufferSamples(*joined)

    def forget(self, count: int) -> None:
        """Drop the newest `count` steps, which must be the last that were added."""
        humans = sum(self._by_human[len(self._by_human) - count :])
        del self._by_human[len(self._by_human) - count :]
        for buffer, dropped in ((self, count), (self.prior, humans)):
            buffer.full = buffer.full and buffer.pos >= dropped
            buffer.pos = (buffer.pos - dropped) % buffer.buffer_size

    def _drawn(self, buffer: ReplayBuffer, size: int, env: Any) -> ReplayBufferSamples:
        return buffer._get_samples(self.rng.integers(buffer.size(), size=size), env)


class HilSAC(SAC):
    """SAC that stores the executed action, whoever decided on it, and learns as RLPD does: several critic
    updates for one of the actor, and no entropy in the critic's target.

    A features extractor that has weights learns from the critics' errors and from imitation; actor and target
    critics use it as it is (as in DrQ-v2, Yarats et al. 2022, arXiv:2107.09645).

    Args:
        returns: the least and the greatest return that there can be; the critic's targets stay within.
        imitation: weight of doing as the human did, beside the critics' values.
        jitter: standard deviation of noise on the features while imitating.
    """

    def __init__(
        self,
        *args: Any,
        returns: tuple[float, float] = (-math.inf, math.inf),
        imitation: float = 0.0,
        jitter: float = 0.0,
        **kwargs: Any,
    ) -> None:
        self.returns, self.imitation, self.jitter = returns, imitation, jitter
        super().__init__(*args, **kwargs)

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        """Update the critic `gradient_steps` times, then actor and entropy coefficient once."""
        assert isinstance(self.replay_buffer, HilReplayBuffer) and self.ent_coef_optimizer is not None
        self.policy.set_training_mode(True)
        self._update_learning_rate([self.actor.optimizer, self.critic.optimizer, self.ent_coef_optimizer])
        drawn = self.replay_buffer.sample(gradient_steps * batch_size)
        with torch.no_grad():  # the actor is the same for all of them
            next_seen = see(self.critic, drawn.next_observations)
            next_actions = self._sample_actions(next_seen)[0]
        humans = batch_size // 2 if self.replay_buffer.prior.size() else 0
        online, target = list(self.critic.parameters()), list(self.critic_target.parameters())
        for number in range(gradient_steps):
            rows = slice(number, None, gradient_steps)
            with torch.no_grad():
                next_q = self.critic_target.values(next_seen[rows], next_actions[rows])
                worst = torch.minimum(*next_q).clamp(*self.returns)
                wanted = drawn.rewards[rows] + (1.0 - drawn.dones[rows]) * self.gamma * worst
            seen = see(self.critic, drawn.observations[rows])
            found = self.critic.values(seen, drawn.actions[rows])
            loss = functional.mse_loss(found[0], wanted) + functional.mse_loss(found[1], wanted)
            if seen.requires_grad:
                loss = loss + self._imitation_loss(seen, drawn.actions[rows][:humans])
            self.critic.optimizer.zero_grad()
            loss.backward(inputs=online)
            self.critic.optimizer.step()
            with torch.no_grad():
                torch._foreach_lerp_(target, online, self.tau)
        self._train_actor(seen.detach(), drawn.actions[rows][:humans])
        self._n_updates += gradient_steps
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/critic_loss", loss.item())

    def _distribution(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and log of the spread of actions before tanh, (batch, action) each."""
        hidden = self.actor.latent_pi(features)
        assert isinstance(self.actor.log_std, nn.Linear)
        return self.actor.mu(hidden), self.actor.log_std(hidden).clamp(LOG_STD_MIN, LOG_STD_MAX)

    def _sample_actions(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return actions drawn from the policy, in [-1, 1], and the logarithm of their density (batch, 1)."""
        mean, log_std = self._distribution(features)
        noise = torch.randn_like(mean)
        action = torch.tanh(mean + log_std.exp() * noise)
        density = -0.5 * noise**2 - log_std - HALF_LOG_2_PI - torch.log(1.0 - action**2 + TANH_EPSILON)
        return action, density.sum(dim=1, keepdim=True)

    def _train_actor(self, features: torch.Tensor, by_human: torch.Tensor) -> None:
        """Update the actor where `features` are seen; in the first of them the human did `by_human`."""
        assert self.ent_coef_optimizer is not None and self.log_ent_coef is not None
        actions, log_prob = self._sample_actions(features)
        assert isinstance(self.target_entropy, float)
        entropy_loss = -(self.log_ent_coef * (log_prob + self.target_entropy).detach()).mean()
        self.ent_coef_optimizer.zero_grad()
        entropy_loss.backward()
        self.ent_coef_optimizer.step()
        weight = self.log_ent_coef.detach().exp()
        one, two = self.critic.values(features, actions)
        loss = (weight * log_prob - 0.5 * (one + two)).mean()
        loss = loss + self._imitation_loss(features, by_human)
        self.actor.optimizer.zero_grad()
        trained = [weight for group in self.actor.optimizer.param_groups for weight in group["params"]]
        loss.backward(inputs=trained)
        self.actor.optimizer.step()
        self.logger.record("train/ent_coef", weight.item())
        self.logger.record("train/actor_loss", loss.item())

    def _imitation_loss(self, features: torch.Tensor, by_human: torch.Tensor) -> torch.Tensor:
        """Return `distance_to_human`, weighted, where the first `features` are seen; 0 without `by_human`."""
        if not self.imitation or not len(by_human):
            return features.new_zeros(())
        return self.imitation * self.distance_to_human(features[: len(by_human)], by_human)

    def distance_to_human(self, features: torch.Tensor, by_human: torch.Tensor) -> torch.Tensor:
        """Return the mean squared distance of the policy's best actions from `by_human` (batch, action), in
        [-1, 1], where `features` are seen, with `jitter` on them.
        """
        if self.jitter:
            features = features + self.jitter * torch.randn_like(features)
        mean, _ = self._distribution(features)
        return functional.mse_loss(torch.tanh(mean), by_human)

    def _store_transition(
        self,
        replay_buffer: Any,
        buffer_action: np.ndarray,
        new_obs: Any,
        reward: np.ndarray,
        dones: np.ndarray,
        infos: list[dict[str, Any]],
    ) -> None:
        executed = np.stack([info[EXECUTED] for info in infos])
        super()._store_transition(replay_buffer, executed, new_obs, reward, dones, infos)


def gaussian_weights(actor: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Return the weights of an actor's state dict as `gym_hil.learning.policy.GaussianPolicy` takes them."""
    layers = sorted({int(key.split(".")[1]) for key in actor if key.startswith("latent_pi.")})
    names = {f"latent_pi.{layer}": (f"w{number}", f"b{number}") for number, layer in enumerate(layers)}
    names |= {"mu": ("mean_w", "mean_b"), "log_std": ("spread_w", "spread_b")}
    weights = {name: actor[name].detach().cpu().numpy().copy() for name in actor if name.startswith(ENCODER)}
    for source, (matrix, offset) in names.items():
        weights[matrix] = actor[f"{source}.weight"].detach().cpu().numpy().T.copy()
        weights[offset] = actor[f"{source}.bias"].detach().cpu().numpy().copy()
    return weights
