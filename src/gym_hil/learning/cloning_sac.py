"""Soft actor-critic whose actor begins as a clone of the human."""

from __future__ import annotations

import torch
from torch.nn import functional

from gym_hil.learning.sac import HilSAC

CLONING_BATCH = 256
"""Number of human transitions in a batch while the actor is cloned."""


class CloningSAC(HilSAC):
    """`HilSAC` whose actor at first only imitates the human, and later imitates while it learns by reinforcement.

    The behaviour cloning loss compares sampled actions instead of mean actions with the human's. It therefore also
    reduces the standard deviation, which in `HilSAC` decreases only with the entropy coefficient.

    Attributes:
        cloning: whether the actor only imitates, with one gradient step per update of the critics. The critics
            learn the values of its actions meanwhile.
    """

    cloning = False

    def begin_reinforcement(self) -> None:
        """End the cloning. The moment estimates of the actor's optimizer are discarded: they come from the small
        gradients at the end of the cloning, and would make the first steps of reinforcement learning too large.
        """
        self.cloning = False
        self.actor.optimizer.state.clear()

    def _imitating(self, mean: torch.Tensor, log_std: torch.Tensor) -> torch.Tensor:
        return torch.tanh(mean + log_std.exp() * torch.randn_like(mean))

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        """Update critics and actor; see `HilSAC.train`."""
        super().train(gradient_steps, batch_size)
        if self.cloning and self.demonstration_buffer.prior.size():
            for _ in range(gradient_steps):
                drawn = self.demonstration_buffer.sample_prior(CLONING_BATCH)
                self._clone(drawn.observations, drawn.actions)

    def _train_actor(self, features: torch.Tensor, by_human: torch.Tensor) -> None:
        if not self.cloning:
            super()._train_actor(features, by_human)

    def _clone(self, observations: torch.Tensor, by_human: torch.Tensor) -> None:
        copied = self._imitating(*self._distribution(self._noisy(observations)))
        self._update_actor(functional.mse_loss(copied, by_human))
