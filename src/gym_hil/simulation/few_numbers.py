"""Reading and writing a few numbers of MuJoCo's arrays, for which plain Python is faster than NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from numpy.typing import NDArray


def reader(array: NDArray[Any], entries: Sequence[int]) -> Callable[[], Sequence[Any]]:
    """Return a function that returns the present values of some entries of an array.

    Args:
        array: the array (n).
        entries: indices of the entries.
    """
    first, count = entries[0], len(entries)
    stride = entries[1] - first if count > 1 else 1
    if stride > 0 and list(entries) == list(range(first, first + count * stride, stride)):
        return array[first : first + count * stride : stride].tolist
    pick = itemgetter(*entries)
    return lambda: pick(array.tolist())


def write(array: NDArray[Any], numbers: Sequence[float]) -> None:
    """Set the entries of an array to a list of as many numbers."""
    for index, number in enumerate(numbers):
        array[index] = number
