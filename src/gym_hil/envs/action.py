"""The raw action: what it is made of and what is refused."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from gym_hil.core.errors import InvalidActionError

Bounds = tuple[list[float], list[float]]
"""Least and greatest values of an action's entries."""

MAX_TRANSLATION = 0.1
"""Largest step of the target per action and axis (m): 1 m/s at 10 Hz."""
MAX_ROTATION = 0.5
"""The same about an axis (rad)."""
RAW_LIMITS = [MAX_TRANSLATION] * 3 + [MAX_ROTATION] * 3 + [1.0]
RAW_BOUNDS: Bounds = [-limit for limit in RAW_LIMITS], RAW_LIMITS
"""Of dx, dy, dz (m), drx, dry, drz (rad) and the gripper."""


def clipped_values(action: Any, bounds: Bounds) -> list[float]:
    """Return the numbers of `action`, clipped to `bounds`.

    Plain numbers: for so few of them Python is faster than NumPy.

    Raises:
        InvalidActionError: wrong shape, or a value that is not a finite number.
    """
    low, high = bounds
    try:
        values = action.tolist() if isinstance(action, np.ndarray) else list(action)
        if len(values) == len(low) and all(map(isfinite, values)):
            return list(map(min, map(max, values, low), high))
    except (TypeError, ValueError, OverflowError):
        pass
    raise InvalidActionError(_complaint(action, len(low)))


def _complaint(action: Any, size: int) -> str:
    try:
        array = np.asarray(action, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return f"action {action!r} is not made of numbers"
    if array.shape != (size,):
        return f"action has shape {array.shape}, this environment takes ({size},)"
    return f"action {array.tolist()} has values that are not finite"
