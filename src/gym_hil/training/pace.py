"""Where networks are, and how much learning that pays for."""

from __future__ import annotations

import torch

from gym_hil.errors import InvalidArgumentError

PIXELS_ON_CPU = {"updates_per_step": 1, "batch_size": 64}
PIXELS_ON_GPU = {"updates_per_step": 2, "batch_size": 128}
"""Fields of the configuration for images, where the usual updates take too long."""


def usual_pace(obs: str, device: str) -> dict[str, int]:
    """Return how much is learned per control step unless somebody asks for more, where that is not the
    default: fields of the configuration.

    Raises:
        InvalidArgumentError: `device` cannot be used.
    """
    if obs != "pixels":
        return {}
    return PIXELS_ON_CPU if device_of(device, images=True) == "cpu" else PIXELS_ON_GPU


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
