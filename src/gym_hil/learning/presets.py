"""Where networks are, and how much is learned per control step."""

from __future__ import annotations

from typing import Any

import torch

from gym_hil.core.errors import InvalidArgumentError

PIXELS = {"updates_per_step": 1, "batch_size": 64, "learning_rate": 1e-3}
"""Fields of the configuration for images, with which two cores of a CPU keep up with a person: fewer samples
than usual, and larger steps."""


def usual_pace(obs: str) -> dict[str, Any]:
    """Return the fields of the configuration, its defaults aside, that go with what the policy sees."""
    return PIXELS if obs == "pixels" else {}


def device_of(device: str, *, images: bool) -> str:
    """Return the device that a configuration means. Without images the networks are too small for a GPU.

    Raises:
        InvalidArgumentError: PyTorch does not know it, or it is not there.
    """
    if device == "auto":
        return "cuda" if images and torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InvalidArgumentError(f"device={device!r} cannot be used: {error}") from error
    return device
