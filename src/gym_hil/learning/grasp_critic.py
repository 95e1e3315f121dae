"""Soft actor-critic with a separate critic for the gripper, as in HIL-SERL's code."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from torch import nn
from torch.nn import functional

from gym_hil.learning.sac import HilPolicy, HilSAC

UNCHANGED, CHANGED = 1.0, 0.5
"""Absolute value of the stored gripper entry, depending on whether the command changed. Its sign is the command."""


class GraspPolicy(HilPolicy):
    """Actor and critics for all entries of an action except the last, and Q-networks that choose the last
    one.
    """

    def __init__(
        self, observation_space: spaces.Box, action_space: spaces.Box, *args: Any, **kwargs: Any
    ) -> None:
        motion = spaces.Box(action_space.low[:-1], action_space.high[:-1], dtype=np.float32)
        super().__init__(observation_space, motion, *args, **kwargs)

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        assert isinstance(self.net_arch, list)
        size, width = self.critic.features_extractor.features_dim, self.net_arch[0]
        self.grasp_critic, self.grasp_target = (
            nn.Sequential(
                nn.Linear(size, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2)
            )
            for _ in range(2)
        )
        self.grasp_target.load_state_dict(self.grasp_critic.state_dict())
        self.grasp_optimizer = torch.optim.Adam(self.grasp_critic.parameters(), lr=lr_schedule(1), fused=True)


class GraspSAC(HilSAC):
    """Learns motion like `HilSAC`, and the gripper by double Q-learning.

    Stored actions end with the gripper command: negative to close, and with the absolute value `CHANGED` if the command
    changes, which costs `change_penalty`.

    Args:
        args: as for `HilSAC`.
        change_penalty: added to the grasp critic's reward if the gripper command changes.
        kwargs: as for `HilSAC`.
    """

    policy: GraspPolicy

    def __init__(self, *args: Any, change_penalty: float, **kwargs: Any) -> None:
        self.change_penalty = change_penalty
        self._drawn: ReplayBufferSamples | None = None
        super().__init__(*args, **kwargs)

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        """Update critics, actor and grasp critic."""
        super().train(gradient_steps, batch_size)
        for number in range(gradient_steps):
            self._train_grasp_critic(slice(number, None, gradient_steps))

    def _prepared(self, drawn: ReplayBufferSamples) -> ReplayBufferSamples:
        self._drawn = drawn
        return drawn._replace(actions=drawn.actions[:, :-1])

    def _train_grasp_critic(self, rows: slice) -> None:
        batch, policy = self._drawn, self.policy
        assert batch is not None
        command = batch.actions[rows, -1:]
        chosen = (command < 0.0).long()
        rewards = batch.rewards[rows] + self.change_penalty * (command.abs() < UNCHANGED)
        with torch.no_grad():
            following = batch.next_observations[rows]
            best = policy.grasp_critic(following).argmax(dim=1, keepdim=True)
            value = policy.grasp_target(following).gather(1, best)
            targets = rewards + (1.0 - batch.dones[rows]) * self.gamma * value
        predicted = policy.grasp_critic(batch.observations[rows]).gather(1, chosen)
        loss = functional.mse_loss(predicted, targets)
        policy.grasp_optimizer.zero_grad()
        loss.backward()
        policy.grasp_optimizer.step()
        with torch.no_grad():
            pair = (list(net.parameters()) for net in (policy.grasp_target, policy.grasp_critic))
            torch._foreach_lerp_(*pair, self.tau)
        self.logger.record("train/grasp_loss", loss.item())

    def _get_torch_save_params(self) -> tuple[list[str], list[str]]:
        parts, variables = super()._get_torch_save_params()
        return [*parts, "policy.grasp_optimizer"], variables
