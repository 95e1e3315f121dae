"""On which device and on how many threads PyTorch computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gym_hil.core.errors import InvalidArgumentError


def select_device(device: str, *, images: bool) -> str:
    """Return the device for a learner's networks.

    Args:
        device: as PyTorch names it, or ``"auto"``: a GPU for images, if there is one. Networks for states are
            too small to gain from a GPU.
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
    """Let PyTorch compute on one thread inside. For one or two images, several threads would mostly wait
    for each other when another process is busy: on 2 cores, 59 ms per image instead of 3.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
