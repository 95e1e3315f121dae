"""A trained policy as numbers: what acts needs NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.archives import pack, unpack
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.files import write_atomically

Weights = Mapping[str, NDArray[Any]]
ENCODER = "features_extractor."
"""Begins the name of every weight of what turns pixels into features; only policies that see have them."""
LEARNER = "learner/"
"""Begins the name of every array of a checkpoint that only learning needs."""
LOG_STD_MIN, LOG_STD_MAX = -20.0, 2.0
"""Bounds of the logarithm of the action's spread, as in Stable-Baselines3."""


class ActingPolicy(Protocol):
    """What the acting side of a run needs of a policy."""

    def load(self, weights: Weights) -> None:
        """Act by `weights` from now on."""

    def act(self, observation: NDArray[Any]) -> NDArray[np.float32]:
        """Return the best action in [-1, 1]."""

    def explore(self, observation: NDArray[Any], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return an action drawn from the policy."""


class GaussianPolicy:
    """Layers with ReLU, then mean and spread of an action that tanh keeps in [-1, 1]. One that sees pixels
    has an encoder before them, and needs PyTorch.

    `weights` are ``w0, b0, w1, b1, ...`` of the hidden layers, ``mean_w, mean_b``, ``spread_w, spread_b``; a
    ``w`` is (inputs, outputs). The encoder's begin with `ENCODER`.
    """

    def __init__(self, weights: Weights | None = None) -> None:
        self._weights: Weights = {}
        if weights is not None:
            self.load(weights)

    def load(self, weights: Weights) -> None:
        """Act by `weights` from now on."""
        if weights is self._weights:
            return
        self._weights = weights
        seeing = {name[len(ENCODER) :]: weights[name] for name in weights if name.startswith(ENCODER)}
        self._see = _sight(seeing) if seeing else None
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
        hidden = observation if self._see is None else self._see(observation)
        for w, b in self._layers:
            hidden = np.maximum(hidden @ w + b, 0.0)
        return hidden


def _sight(weights: Weights) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
    """Return what turns an observation (bytes) into features (floats), one or a batch of them."""
    import torch

    from gym_hil.learning.encoders import encoder_of, one_thread

    encoder = None

    def see(observation: NDArray[Any]) -> NDArray[np.float32]:
        nonlocal encoder
        if encoder is None:
            encoder = encoder_of(weights, observation.shape[-1])
        rows = torch.from_numpy(np.atleast_2d(observation))
        with torch.no_grad(), one_thread():
            features = encoder(rows).numpy()
        return features if observation.ndim == 2 else features[0]

    return see


@dataclass(frozen=True, kw_only=True)
class Interface:
    """What a policy takes and gives; two environments with the same are interchangeable for it."""

    task: str
    """Name of the task."""
    observation_size: int
    """Features; see `gym_hil.learning.policy_env.features`."""
    action_size: int
    ee_step_m: tuple[float, ...]
    """Metres per unit of x, y and z."""
    control_dt: float
    """Seconds per step."""

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Interface:
        """Return what was written as JSON."""
        return cls(**{**facts, "ee_step_m": tuple(facts["ee_step_m"])})

    def require_same(self, other: Interface, name: object) -> None:
        """Raise `InvalidArgumentError` that says what differs; `name` is the policy's."""
        mine, others = asdict(self), asdict(other)
        wrong = [f"{key} {mine[key]}, not {others[key]}" for key in mine if mine[key] != others[key]]
        if wrong:
            raise InvalidArgumentError(f"{name} was trained for {'; '.join(wrong)}")


@dataclass(frozen=True)
class TrainedPolicy:
    """A policy on disk."""

    interface: Interface
    config: dict[str, Any]
    """Of the run that made it."""
    weights: Weights

    def save(self, path: Path) -> None:
        """Write as one ``.npz``."""
        facts = {"interface": asdict(self.interface), "config": self.config}
        write_atomically(path, pack(facts, self.weights, compress=True))

    @classmethod
    def load(cls, path: Path) -> TrainedPolicy:
        """Read what `save` wrote, or the policy in a learner's checkpoint.

        Raises:
            InvalidArgumentError: there is no such file, or it is no policy.
        """
        try:
            facts, arrays = unpack(path.read_bytes())
            weights = {name: array for name, array in arrays.items() if not name.startswith(LEARNER)}
            return cls(Interface.of(facts["interface"]), facts["config"], weights)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidArgumentError(f"{path} cannot be read as a policy: {error}") from error
