"""Selects the device and the number of threads of PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gym_hil.core.errors import InvalidArgumentError


def select_device(device: str, *, images: bool) -> str:
    """Return the device for a learner's networks.

    Args:
        device: a device of PyTorch, or ``"auto"`` for a GPU if there is one and the networks process images.
            Networks for states are too small to gain from a GPU.
        images: whether the networks process images.

    Raises:
        InvalidArgumentError: PyTorch does not know the device, or it is not available.
    """
    if device == "auto":
        return "cuda" if images and torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InvalidArgumentError(f"device={device!r} cannot be used: {error}") from error
    return device


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch use one thread within the context. For one or two images, several threads mostly wait for
    each other, in particular if another process is busy.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
