"""A Gaussian policy in NumPy, so that acting from states does not need PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.learning.methods.base import Weights

ENCODER = "features_extractor."
"""Begins the name of every weight of the image encoder."""
LOG_STD_MIN, LOG_STD_MAX = -20.0, 2.0
"""Bounds of the logarithm of the action's spread, as in Stable-Baselines3."""


class GaussianPolicy:
    """Layers with ReLU, then mean and standard deviation of an action that tanh keeps in [-1, 1]. A policy
    from images has an encoder before them, and needs PyTorch.

    Args:
        weights: ``w0, b0, w1, b1, ...`` of the hidden layers, ``mean_w, mean_b``, and ``spread_w,
            spread_b`` for the logarithm of the standard deviation. Each ``w`` is of shape (inputs,
            outputs). Names of the encoder's weights begin with `ENCODER`. None: `load` follows.
    """

    def __init__(self, weights: Weights | None = None) -> None:
        self._weights: Weights = {}
        if weights is not None:
            self.load(weights)

    def load(self, weights: Weights) -> None:
        """Use other weights from now on."""
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
        """Return the best action in [-1, 1]."""
        hidden = self._hidden(observation)
        return np.tanh(hidden @ self._mean[0] + self._mean[1])

    def explore(self, observation: NDArray[Any], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return an action drawn from the policy."""
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
    """Return a function that encodes one observation (bytes) or a batch of them as features."""
    import torch

    from gym_hil.learning.encoders import encoder_of
    from gym_hil.learning.torch_setup import one_thread

    encoder = None

    def encode(observation: NDArray[Any]) -> NDArray[np.float32]:
        nonlocal encoder
        if encoder is None:
            encoder = encoder_of(weights, observation.shape[-1])
        rows = torch.from_numpy(np.atleast_2d(observation))
        with torch.no_grad(), one_thread():
            features = encoder(rows).numpy()
        return features if observation.ndim == 2 else features[0]

    return encode
