"""Variants of `HilSAC` for other methods: an ensemble of critics, and proxy values of human actions."""

from __future__ import annotations

import torch
from torch.nn import functional

from gym_hil.learning.sac import HilSAC


class EnsembleSAC(HilSAC):
    """Soft actor-critic with any number of critics. The target is the smaller value of two of them, which are
    sampled in every update; the actor maximises the mean of all (as in REDQ, Chen et al. 2021,
    arXiv:2101.05982, and RLPD).
    """

    def _target_value(self, next_q: list[torch.Tensor]) -> torch.Tensor:
        one, two = torch.randperm(len(next_q))[:2].tolist()
        return torch.minimum(next_q[one], next_q[two])

    def _critic_loss(
        self, features: torch.Tensor, actions: torch.Tensor, wanted: torch.Tensor, humans: int
    ) -> torch.Tensor:
        values = torch.stack(self.critic.values(features, actions))
        return functional.mse_loss(values, wanted.expand_as(values)) * len(values)

    def _actor_value(self, features: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        return torch.stack(self.critic.values(features, actions)).mean(dim=0)


class ProxyValueSAC(HilSAC):
    """Soft actor-critic whose values in human steps are trained to 1 for the human's action and to -1 for the
    policy's.
    """

    def _critic_loss(
        self, features: torch.Tensor, actions: torch.Tensor, wanted: torch.Tensor, humans: int
    ) -> torch.Tensor:
        loss = super()._critic_loss(features, actions, wanted, humans)
        if not humans:
            return loss
        there = features[:humans]
        with torch.no_grad():
            policy, _ = self._sample_actions(there)
        for sign, done in ((1.0, actions[:humans]), (-1.0, policy)):
            for value in self.critic.values(there, done):
                loss = loss + functional.mse_loss(value, torch.full_like(value, sign))
        return loss
