"""Variants of `HilSAC` for other methods: an ensemble of critics, and proxy values of human actions."""

from __future__ import annotations

import torch

from gym_hil.learning.sac import HilSAC


class EnsembleSAC(HilSAC):
    """Soft actor-critic with any number of critics. The target is the smaller value of two of them, which are
    sampled in every update; the actor maximises the mean of all (as in REDQ, Chen et al. 2021,
    arXiv:2101.05982, and RLPD).
    """

    def _target_value(self, next_q: torch.Tensor) -> torch.Tensor:
        return super()._target_value(next_q[torch.randperm(len(next_q))[:2]])


class ProxyValueSAC(HilSAC):
    """Soft actor-critic whose values in human steps are trained to 1 for the human's action and to -1 for the
    policy's.
    """

    def _examples(
        self, features: torch.Tensor, actions: torch.Tensor, targets: torch.Tensor, humans: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | float]:
        if not humans:
            return super()._examples(features, actions, targets, humans)
        human_features = features[:humans]
        with torch.no_grad():
            policy_actions, _ = self._sample_actions(human_features)
        ones = targets.new_ones(humans, 1)
        return (
            torch.cat((features, human_features, human_features)),
            torch.cat((actions, actions[:humans], policy_actions)),
            torch.cat((targets, ones, -ones)),
            torch.cat((torch.full_like(targets, 1.0 / len(targets)), ones / humans, ones / humans)),
        )
