"""Fits a policy to human actions by least squares, for all methods that imitate.

The network has two hidden layers, and an image encoder before them for images. Noise on the features, or random
shifts of the images, prevent overfitting.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Transitions
from gym_hil.learning.methods.base import Learner, Weights
from gym_hil.learning.policy import ENCODER

DETERMINISTIC = -20.0
"""Logarithm of the standard deviation of actions, which makes the policy practically deterministic."""
FEATURE_NOISE = 0.1
"""Standard deviation of the noise on the features in the imitation loss; images are shifted instead. The noise
prevents overfitting: with 20 demonstrations of InsertPeg and 10,000 updates, behaviour cloning succeeded in 10 of 20
episodes without noise and in 20 with it."""


class ImitationLearner(Learner):
    """Fits a network to human actions from demonstrations and interventions.

    Args:
        config: configuration of the run.
        observation_space: observation space of the policy.
        action_space: action space of the policy.

    Attributes:
        observations: observations in which a human acted, oldest first.
        actions: the human's actions for these observations, in [-1, 1].
    """

    def __init__(self, config: TrainConfig, observation_space: spaces.Box, action_space: spaces.Box) -> None:
        import torch
        from torch import nn

        from gym_hil.learning.encoders import Encoder
        from gym_hil.learning.torch_setup import select_device

        assert observation_space.shape is not None and action_space.shape is not None
        torch.manual_seed(config.seed)
        self._config, self._rng = config, np.random.default_rng(config.seed)
        self._stacked: tuple[NDArray[Any], NDArray[np.float32]] | None = None
        self._device = select_device(config.device, images=config.observation.has_images)
        self.encoder: nn.Module = nn.Identity()
        size, width = observation_space.shape[0], config.width
        if config.observation.has_images:
            self.encoder = encoder = Encoder(observation_space)
            size = encoder.features_dim
        self.layers = nn.ModuleList(
            [nn.Linear(size, width), nn.Linear(width, width), nn.Linear(width, action_space.shape[0])]
        )
        self._networks = nn.ModuleList([self.encoder, self.layers]).to(self._device)
        self._optimizer = torch.optim.Adam(self._networks.parameters(), lr=config.learning_rate, fused=True)
        self.observations: list[NDArray[Any]] = []
        self.actions: list[NDArray[np.float32]] = []
        self._kept: list[bool] = []
        self._updates, self._loss = 0, float("nan")

    def add(self, transitions: Transitions) -> None:
        """Store the transitions in which the human acted."""
        self._keep(transitions, transitions.interventions)

    def _keep(self, transitions: Transitions, which: NDArray[np.bool_]) -> None:
        self.observations.extend(transitions.observations[which])
        self.actions.extend(transitions.actions[which])
        self._kept.extend(which.tolist())
        self._stacked = None

    def forget(self, count: int) -> None:
        """Remove the newest `count` transitions."""
        first = len(self._kept) - count
        kept = len(self.actions) - sum(self._kept[first:])
        del self._kept[first:], self.observations[kept:], self.actions[kept:]
        self._stacked = None

    def draw(self, size: int) -> NDArray[np.int64]:
        """Return the indices of `size` stored transitions for a batch."""
        return self._rng.integers(len(self.actions), size=size)

    def rows(self, numbers: NDArray[np.int64]) -> tuple[Any, Any]:
        """Return observations and actions of stored transitions as tensors, for an index array of any shape."""
        import torch

        if self._stacked is None:
            self._stacked = np.stack(self.observations), np.stack(self.actions)
        return torch.from_numpy(self._stacked[0][numbers]), torch.from_numpy(self._stacked[1][numbers])

    def update(self) -> None:
        """Fit the network to `updates_per_step` batches."""
        if not self.actions:
            return
        config = self._config
        for _ in range(config.updates_per_step):
            loss = self._batch_loss()
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
        self._updates += config.updates_per_step
        self._loss = loss.item()

    def _batch_loss(self) -> Any:
        """Return the loss of a batch, as a tensor."""
        import torch

        from gym_hil.learning.encoders import randomly_shifted

        config = self._config
        observations, targets = self.rows(self.draw(config.batch_size))
        observations, targets = observations.to(self._device), targets.to(self._device)
        features = self.encoder(
            randomly_shifted(observations) if config.observation.has_images else observations
        )
        if not config.observation.has_images:
            features = features + FEATURE_NOISE * torch.randn_like(features)
        return torch.nn.functional.mse_loss(self._actions(features), targets)

    @property
    def updates(self) -> int:
        """Gradient steps so far."""
        return self._updates

    def metrics(self) -> dict[str, float]:
        """Return the imitation loss of the latest batch."""
        return {"imitation_loss": self._loss} if self._updates else {}

    def policy_weights(self) -> Weights:
        """Return the weights in the format of `GaussianPolicy`, with a negligible standard deviation."""
        weights = {f"{ENCODER}{name}": _array(value) for name, value in self.encoder.state_dict().items()}
        for layer, (matrix, offset) in zip(
            self.layers, (("w0", "b0"), ("w1", "b1"), ("mean_w", "mean_b")), strict=True
        ):
            weights[matrix], weights[offset] = _array(layer.weight).T.copy(), _array(layer.bias)
        weights["spread_w"] = np.zeros_like(weights["mean_w"])
        weights["spread_b"] = np.full_like(weights["mean_b"], DETERMINISTIC)
        return weights

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the state of networks, optimizer, counter and random generators."""
        import torch

        arrays = {f"network/{name}": _array(value) for name, value in self._networks.state_dict().items()}
        for number, moments in self._optimizer.state_dict()["state"].items():
            arrays |= {f"adam/{number}/{name}": _array(value) for name, value in moments.items()}
        arrays["torch_rng"] = torch.get_rng_state().numpy()
        return {"updates": self._updates, "batch_rng": self._rng.bit_generator.state}, arrays

    def load_state(self, facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Restore the result of `state` exactly.

        Raises:
            ValueError: the state belongs to networks with a different architecture.
        """
        import torch

        tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        rng = tensors.pop("torch_rng")
        network = {n.removeprefix("network/"): t for n, t in tensors.items() if n.startswith("network/")}
        try:
            self._networks.load_state_dict(network)
        except RuntimeError as error:
            raise ValueError(f"it belongs to a model with a different architecture: {error}") from error
        optimizer = self._optimizer.state_dict()
        for name, tensor in tensors.items():
            if name.startswith("adam/"):
                _, number, moment = name.split("/")
                optimizer["state"].setdefault(int(number), {})[moment] = tensor
        self._optimizer.load_state_dict(optimizer)
        self._updates = int(facts["updates"])
        self._rng.bit_generator.state = facts["batch_rng"]
        torch.set_rng_state(rng)

    def _actions(self, features: Any) -> Any:
        """Return actions (batch, actions) in [-1, 1] for features (batch, features)."""
        for layer in self.layers[:-1]:
            features = layer(features).relu()
        return self.layers[-1](features).tanh()


def _array(tensor: Any) -> NDArray[Any]:
    return tensor.detach().cpu().numpy().copy()
