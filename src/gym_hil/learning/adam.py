"""Adam for few and large parameters, with less overhead per step than the optimizers of PyTorch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch

MEAN_DECAY, SQUARE_DECAY, EPSILON = 0.9, 0.999, 1e-8
"""Settings of Adam, which are those of the paper and of PyTorch."""


class PlainAdam(torch.optim.Optimizer):
    """Adam (Kingma and Ba 2015, arXiv:1412.6980), with the same state as `torch.optim.Adam`.

    Args:
        parameters: the parameters.
        lr: learning rate.
    """

    def __init__(self, parameters: Iterable[torch.nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Update all parameters that have a gradient. The argument `closure` is ignored."""
        for group in self.param_groups:
            for weight in group["params"]:
                gradient = weight.grad
                if gradient is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["step"] = torch.zeros(())
                    state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(weight), torch.zeros_like(weight)
                state["step"] += 1.0
                count, mean, square = state["step"].item(), state["exp_avg"], state["exp_avg_sq"]
                mean.lerp_(gradient, 1.0 - MEAN_DECAY)
                square.mul_(SQUARE_DECAY).addcmul_(gradient, gradient, value=1.0 - SQUARE_DECAY)
                scale = square.sqrt().div_(math.sqrt(1.0 - SQUARE_DECAY**count)).add_(EPSILON)
                weight.addcdiv_(mean, scale, value=-group["lr"] / (1.0 - MEAN_DECAY**count))
