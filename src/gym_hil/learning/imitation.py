"""Imitation: do as the human did, whatever it was good for.

Behaviour cloning does so from demonstrations alone. HG-DAgger (Kelly et al. 2019, arXiv:1810.02890) lets the
policy act meanwhile, a human takes over when it is wrong, and what the human does then is imitated as well.
"""

from __future__ import annotations

from typing import Any

import torch

from gym_hil.learning.learner import SacLearner
from gym_hil.learning.sac import see

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
        actor = self.model.actor
        if seeing := list(actor.features_extractor.parameters()):
            actor.optimizer.add_param_group({"params": seeing})

    def update(self) -> None:
        """Fit the actor to `updates_per_step` batches."""
        actor, human, config = self.model.actor, self.buffer.prior, self._config
        if human.size() == 0:
            return
        for _ in range(config.updates_per_step):
            batch = self.buffer._drawn(human, config.batch_size, None)
            loss = self.model.distance_to_human(see(actor, batch.observations), batch.actions)
            actor.optimizer.zero_grad()
            loss.backward()
            actor.optimizer.step()
        self.model._n_updates += config.updates_per_step
