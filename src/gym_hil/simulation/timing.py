"""The number of physics steps in a control period."""

from __future__ import annotations

import math

from gym_hil.core.arguments import require_number
from gym_hil.core.errors import InvalidArgumentError

LARGEST_PHYSICS_DT = 0.004
"""Largest default physics step (s), with which grasps are tuned and tested."""
_TOLERANCE_S = 1e-9


def physics_step(control_dt: float) -> float:
    """Return the largest physics step up to `LARGEST_PHYSICS_DT` that divides a control period (s).

    Args:
        control_dt: the control period (s).

    Raises:
        InvalidArgumentError: `control_dt` is not a positive number.
    """
    control_dt = require_number("control_dt", control_dt, above=0, unit="seconds")
    return control_dt / max(1, math.ceil(control_dt / LARGEST_PHYSICS_DT - _TOLERANCE_S))


def substeps(control_dt: float, physics_dt: float) -> int:
    """Return the number of physics steps in a control period.

    Args:
        control_dt: the control period (s).
        physics_dt: the physics step (s).

    Raises:
        InvalidArgumentError: a time is not a positive number, or `control_dt` is not a multiple of
            `physics_dt`. The message proposes valid values.
    """
    control_dt = require_number("control_dt", control_dt, above=0, unit="seconds")
    physics_dt = require_number("physics_dt", physics_dt, above=0, unit="seconds")
    ratio = control_dt / physics_dt
    count = round(ratio)
    if count < 1 or abs(count * physics_dt - control_dt) > _TOLERANCE_S:
        nearest = {max(1, math.floor(ratio)): None, max(1, math.ceil(ratio)): None}
        proposals = " or ".join(f"physics_dt={control_dt / whole!r}" for whole in nearest)
        raise InvalidArgumentError(
            f"control_dt={control_dt!r} s is not a multiple of physics_dt={physics_dt!r} s; "
            f"leave physics_dt out, or use {proposals}"
        )
    return count
