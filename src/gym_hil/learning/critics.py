"""An ensemble of critics whose networks are computed together, with explicit formulas for the gradients.

One matrix product per layer serves all networks, and all weights are one vector, so that optimizer and target update
are single operations. With networks of this size, autograd, optimizer and target update would otherwise take longer
than the matrix products.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import BaseModel
from torch import nn

EPSILON = 1e-5
"""Added to variances for numerical stability, as in PyTorch's LayerNorm."""


class Layer(NamedTuple):
    """Views of the weights of one hidden layer of all networks, or of their gradients.

    An offset before LayerNorm, and a scale after it, would be redundant with the shift and with the next layer.
    """

    matrix: torch.Tensor
    """Shape (networks, inputs, outputs)."""
    shift: torch.Tensor
    """Added to the normalised values (networks, 1, outputs)."""


class _Pass(NamedTuple):
    """Intermediate results of a hidden layer, from which its gradient is computed."""

    inputs: torch.Tensor
    linear: torch.Tensor
    mean: torch.Tensor
    deviation: torch.Tensor
    active: torch.Tensor


class CriticEnsemble(BaseModel):
    """Q-networks with a LayerNorm before every activation, which limits extrapolation.

    Autograd differentiates values with respect to features and actions only. `fit` sets the gradients with respect to
    the weights.

    Args:
        observation_space: observation space.
        action_space: action space.
        net_arch: number of units of each hidden layer.
        features_extractor: maps observations to features.
        features_dim: number of features.
        n_critics: number of networks.
        normalize_images: whether Stable-Baselines3 scales images.
        unused: further arguments of Stable-Baselines3's critics.

    Attributes:
        weights: all weights of all networks, as one vector.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Box,
        net_arch: list[int],
        features_extractor: nn.Module,
        features_dim: int,
        n_critics: int = 2,
        normalize_images: bool = True,
        **unused: Any,
    ) -> None:
        super().__init__(
            observation_space,
            action_space,
            features_extractor=features_extractor,
            normalize_images=normalize_images,
        )
        assert action_space.shape is not None
        sizes = [features_dim + action_space.shape[0], *net_arch, 1]
        self._shapes = []
        for inputs, outputs in itertools.pairwise(sizes):
            self._shapes += [(n_critics, inputs, outputs), (n_critics, 1, outputs)]
        self.weights = nn.Parameter(torch.empty(sum(map(math.prod, self._shapes))))
        self._views: dict[int, tuple[list[Layer], Layer]] = {}
        layers, head = self._split(self.weights.detach())
        for matrix, shift in (*layers, head):
            bound = 1.0 / math.sqrt(matrix.shape[1])  # as in PyTorch's Linear
            matrix.uniform_(-bound, bound)
            shift.zero_()
        width = max(net_arch)
        self.register_buffer("_one", torch.ones(width), persistent=False)
        self.register_buffer("_zero", torch.zeros(width), persistent=False)

    def forward(self, observations: torch.Tensor, actions: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the values (batch, 1) of each network, as critics of Stable-Baselines3 do."""
        with torch.no_grad():
            features = self.extract_features(observations, self.features_extractor)
        return tuple(self.values(features, actions))

    def values(self, features: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """Return the values (networks, batch, 1) for features (batch, features) and actions (batch, actions)."""
        return self._values(torch.cat((features, actions), dim=1), None)

    @torch.no_grad()
    def fit(
        self,
        features: torch.Tensor,
        actions: torch.Tensor,
        targets: torch.Tensor,
        weight: torch.Tensor | float,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Set the gradients of the weights to those of the loss: the weighted sum of squared errors of all values.

        Args:
            features: encoded observations (batch, features).
            actions: actions (batch, actions).
            targets: targets (batch, 1).
            weight: weight of each row (batch, 1), or of all.

        Returns:
            The loss, and its gradient with respect to the features (batch, features) if they require one.
        """
        passes: list[_Pass] = []
        errors = self._values(torch.cat((features, actions), dim=1), passes) - targets
        layers, (matrix, _) = self._split(self.weights.detach())
        if self.weights.grad is None:
            self.weights.grad = torch.empty_like(self.weights)
        gradients, (head, head_offset) = self._split(self.weights.grad)
        weighted = errors * weight
        loss = (weighted * errors).sum()
        gradient = weighted * 2.0
        torch.bmm(passes[-1].active.transpose(1, 2), gradient, out=head)
        torch.sum(gradient, 1, keepdim=True, out=head_offset)
        gradient = gradient * matrix.transpose(1, 2)
        for number in reversed(range(len(layers))):
            layer, layer_gradient, layer_pass = layers[number], gradients[number], passes[number]
            gradient = torch.ops.aten.threshold_backward(gradient, layer_pass.active, 0)
            torch.sum(gradient, 1, keepdim=True, out=layer_gradient.shift)
            gradient = torch.ops.aten.native_layer_norm_backward(
                gradient,
                layer_pass.linear,
                gradient.shape[-1:],
                layer_pass.mean,
                layer_pass.deviation,
                None,
                None,
                (True, False, False),
            )[0]
            torch.bmm(layer_pass.inputs.transpose(1, 2), gradient, out=layer_gradient.matrix)
            if number:
                gradient = torch.bmm(gradient, layer.matrix.transpose(1, 2))
        if not features.requires_grad:
            return loss, None
        by_features = layers[0].matrix[:, : features.shape[1]].transpose(1, 2)
        return loss, torch.bmm(gradient, by_features).sum(dim=0)

    def _values(self, inputs: torch.Tensor, passes: list[_Pass] | None) -> torch.Tensor:
        layers, (matrix, offset) = self._split(self.weights.detach())
        hidden = inputs.expand(len(matrix), *inputs.shape)
        for layer in layers:
            linear = torch.bmm(hidden, layer.matrix)
            size = linear.shape[-1:]
            one, zero = self._one[: size[0]], self._zero[: size[0]]
            normalized, mean, deviation = torch.native_layer_norm(linear, size, one, zero, EPSILON)
            active = normalized.add_(layer.shift).relu_()
            if passes is not None:
                passes.append(_Pass(hidden, linear, mean, deviation, active))
            hidden = active
        return torch.bmm(hidden, matrix).add_(offset)

    def _split(self, vector: torch.Tensor) -> tuple[list[Layer], Layer]:
        """Return views of a vector with the layout of `weights`: one per hidden layer, and one of the last layer."""
        split = self._views.get(vector.data_ptr())
        if split is None:
            if len(self._views) > 1:  # the vectors have been replaced, for example on another device
                self._views.clear()
            parts = vector.split([math.prod(shape) for shape in self._shapes])
            views = [part.view(shape) for part, shape in zip(parts, self._shapes, strict=True)]
            *layers, head = map(Layer._make, zip(views[::2], views[1::2], strict=True))
            split = self._views[vector.data_ptr()] = layers, head
        return split
