"""An exponential moving average of a network's weights."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

_COUNT = "count"


class WeightAverage:
    """Averages the weights of a network over its latest updates.

    With constant learning rates, the weights fluctuate around an optimum, and their average is nearer to it (Polyak
    and Juditsky 1992, SIAM J. Control Optim. 30). The decay of the n-th update is at most n / (n + 9), similarly
    to that of TensorFlow's ``ExponentialMovingAverage``, so that the initial weights are soon forgotten.

    Args:
        network: the network.
        decay: share of the previous average that an update retains. The average covers approximately the latest
            1 / (1 - decay) updates.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._network, self._decay = network, decay
        self._count = 0
        self._averages = {name: weight.detach().clone() for name, weight in network.named_parameters()}

    @torch.no_grad()
    def update(self) -> None:
        """Include the current weights in the average."""
        self._count += 1
        decay = min(self._decay, self._count / (self._count + 9.0))
        torch._foreach_lerp_(list(self._averages.values()), list(self._network.parameters()), 1.0 - decay)

    def weights(self) -> dict[str, torch.Tensor]:
        """Return the state dictionary of the network with averaged weights."""
        return {**self._network.state_dict(), **self._averages}

    def state(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return the averages and the number of updates.

        Args:
            prefix: beginning of the arrays' names.

        Returns:
            Arrays by name: the average of each parameter, in its shape, under the prefix followed by its name, and
            the number of updates under the prefix followed by ``count``.
        """
        count = torch.tensor(self._count)
        named = itertools.chain(self._averages.items(), [(_COUNT, count)])
        return {f"{prefix}{name}": tensor.cpu().numpy().copy() for name, tensor in named}

    def load_state(self, arrays: Mapping[str, NDArray[Any]], prefix: str) -> None:
        """Restore the result of `state`.

        Args:
            arrays: arrays by name. Other names are ignored.
            prefix: beginning of the arrays' names.

        Raises:
            KeyError: an array is missing.
        """
        self._count = int(arrays[f"{prefix}{_COUNT}"])
        for name, average in self._averages.items():
            average.copy_(torch.from_numpy(arrays[f"{prefix}{name}"]))
