"""A Gaussian policy in NumPy, so that policies with state observations do not need PyTorch to act."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.learning.methods.base import Weights

ENCODER = "features_extractor."
"""Prefix of the names of the image encoder's weights."""
LOG_STD_MIN, LOG_STD_MAX = -20.0, 2.0
"""Bounds of the logarithm of the standard deviation, as in Stable-Baselines3."""


class GaussianPolicy:
    """A network with ReLU layers that outputs a Gaussian distribution, whose samples are mapped to [-1, 1] by tanh.

    A policy for images has a convolutional encoder before these layers, and needs PyTorch.

    Args:
        weights: ``w0, b0, w1, b1, ...`` of the hidden layers, ``mean_w, mean_b``, and ``spread_w, spread_b`` for
            the logarithm of the standard deviation. Each ``w`` has the shape (inputs, outputs). The names of the
            encoder's weights begin with `ENCODER`. If None, `load` must be called before the policy acts.
    """

    def __init__(self, weights: Weights | None = None) -> None:
        self._weights: Weights = {}
        if weights is not None:
            self.load(weights)

    def load(self, weights: Weights) -> None:
        """Replace the weights."""
        if weights is self._weights:
            return
        self._weights = weights
        encoder = {name[len(ENCODER) :]: weights[name] for name in weights if name.startswith(ENCODER)}
        self._encode = _make_encoder(encoder) if encoder else None
        depth = sum(name.startswith("w") for name in weights)
        self._layers = [(weights[f"w{number}"], weights[f"b{number}"]) for number in range(depth)]
        self._mean = weights["mean_w"], weights["mean_b"]
        self._spread = weights["spread_w"], weights["spread_b"]

    def act(self, observation: NDArray[Any]) -> NDArray[np.float32]:
        """Return the mean action in [-1, 1], for one observation (size,) or a batch (batch, size)."""
        hidden = self._hidden(observation)
        return np.tanh(hidden @ self._mean[0] + self._mean[1])

    def explore(self, observation: NDArray[Any], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return an action sampled from the policy, in [-1, 1]."""
        hidden = self._hidden(observation)
        spread = np.exp(np.clip(hidden @ self._spread[0] + self._spread[1], LOG_STD_MIN, LOG_STD_MAX))
        noise = rng.standard_normal(spread.shape, np.float32)
        return np.tanh(hidden @ self._mean[0] + self._mean[1] + spread * noise)

    def _hidden(self, observation: NDArray[Any]) -> NDArray[np.float32]:
        hidden = observation if self._encode is None else self._encode(observation)
        for w, b in self._layers:
            hidden = np.maximum(hidden @ w + b, 0.0)
        return hidden


def _make_encoder(weights: Weights) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
    """Return a function from one observation (bytes,) or a batch of them (batch, bytes) to features."""
    import torch

    from gym_hil.learning.encoders import make_encoder
    from gym_hil.learning.torch_setup import one_thread

    encoder = None

    def encode(observation: NDArray[Any]) -> NDArray[np.float32]:
        nonlocal encoder
        if encoder is None:
            encoder = make_encoder(weights, observation.shape[-1])
        rows = torch.from_numpy(np.atleast_2d(observation))
        with torch.no_grad(), one_thread():
            features = encoder(rows).numpy()
        return features if observation.ndim == 2 else features[0]

    return encode
