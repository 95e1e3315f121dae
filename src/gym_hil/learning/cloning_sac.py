"""Soft actor-critic whose actor begins as a clone of the human."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from gym_hil.learning.sac import HilSAC

CLONING_BATCH = 256
"""Number of human transitions in a batch while the actor is cloned."""


class CloningSAC(HilSAC):
    """`HilSAC` whose actor at first only imitates the human, and later imitates while it learns by reinforcement.

    The behaviour cloning loss compares sampled actions instead of mean actions with the human's. It therefore also
    reduces the standard deviation, which in `HilSAC` decreases only with the entropy coefficient.

    After the cloning, the weight of this loss can begin larger and decrease linearly, because the critics at first know
    little about other actions than the human's.

    Args:
        args: arguments of `HilSAC`.
        imitation: final weight of the behaviour cloning loss.
        cloning_updates: number of gradient steps of the critics at the beginning. Meanwhile, the actor takes as many
            gradient steps on the behaviour cloning loss alone.
        first_imitation: weight of the behaviour cloning loss at the first update after the cloning, as a multiple of
            `imitation`.
        decay_updates: number of gradient steps of the critics after the cloning in which the weight decreases to
            `imitation`.
        kwargs: keyword arguments of `HilSAC`.

    Attributes:
        cloning: whether the actor only imitated in the latest update.
    """

    cloning = False

    def __init__(
        self,
        *args: Any,
        imitation: float = 0.0,
        cloning_updates: int = 0,
        first_imitation: float = 1.0,
        decay_updates: int = 0,
        **kwargs: Any,
    ) -> None:
        self.cloning_updates, self.decay_updates = cloning_updates, decay_updates
        self.first_imitation, self.final_imitation = first_imitation, imitation
        super().__init__(*args, imitation=imitation, **kwargs)

    def _imitating(self, mean: torch.Tensor, log_std: torch.Tensor) -> torch.Tensor:
        return torch.tanh(mean + log_std.exp() * torch.randn_like(mean))

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        """Update the critics and the actor; see `HilSAC.train`."""
        self.cloning = self.updates < self.cloning_updates
        if self.updates == self.cloning_updates:
            # Adam's moment estimates come from the small gradients at the end of the cloning, and would make the first
            # steps of reinforcement learning too large.
            self.actor.optimizer.state.clear()
        self.imitation = self.final_imitation * self._decay()
        super().train(gradient_steps, batch_size)
        if self.cloning and self.demonstration_buffer.prior.size():
            for _ in range(gradient_steps):
                drawn = self.demonstration_buffer.sample_prior(CLONING_BATCH)
                self._clone(drawn.observations, drawn.actions)

    def _train_actor(self, features: torch.Tensor, human_actions: torch.Tensor) -> None:
        if not self.cloning:
            super()._train_actor(features, human_actions)

    def _decay(self) -> float:
        """Return the weight of the behaviour cloning loss as a multiple of the final one."""
        left = max(0, self.cloning_updates + self.decay_updates - self.updates)
        return 1.0 + (self.first_imitation - 1.0) * min(1.0, left / max(1, self.decay_updates))

    def _clone(self, observations: torch.Tensor, human_actions: torch.Tensor) -> None:
        copied = self._imitating(*self._distribution(self._noisy(observations)))
        self._update_actor(functional.mse_loss(copied, human_actions))
