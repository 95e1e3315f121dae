"""Imitation: do as the human did, whatever it was good for.

Behaviour cloning does so from demonstrations alone. HG-DAgger (Kelly et al. 2019, arXiv:1810.02890) lets the
policy act meanwhile, a human takes over when it is wrong, and what the human does then is imitated as well.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from gym_hil.training.learner import SacLearner
from gym_hil.training.sight import SightedActor

JITTER = 0.1
"""Standard deviation of noise on the features while fitting. Without it the actor learns its few examples by
heart: 20 demonstrations of InsertPeg and 10,000 updates gave 10 of 20 insertions without it, 20 with it."""
CERTAIN = -20.0
"""Logarithm of the spread of actions: imitators do not explore."""


class ImitationLearner(SacLearner):
    """The actor of `SacLearner` alone, fitted to what humans did by least squares."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        spread = self.model.actor.log_std
        assert isinstance(spread, torch.nn.Linear)
        with torch.no_grad():
            spread.weight.zero_()
            spread.bias.fill_(CERTAIN)
        actor, self._jitter = self.model.actor, JITTER
        if isinstance(actor, SightedActor):
            actor.learns_to_see, self._jitter = True, 0.0  # images are shifted instead
            actor.optimizer.add_param_group({"params": list(actor.features_extractor.parameters())})

    def update(self) -> None:
        """Fit the actor to `updates_per_step` batches."""
        actor, human, config = self.model.actor, self.buffer.prior, self._config
        if human.size() == 0:
            return
        for _ in range(config.updates_per_step):
            batch = self.buffer._drawn(human, config.batch_size, None)
            seen = batch.observations
            if self._jitter:
                seen = seen + self._jitter * torch.randn_like(seen)
            mean, _, _ = actor.get_action_dist_params(seen)
            loss = functional.mse_loss(torch.tanh(mean), batch.actions)
            actor.optimizer.zero_grad()
            loss.backward()
            actor.optimizer.step()
        self.model._n_updates += config.updates_per_step
