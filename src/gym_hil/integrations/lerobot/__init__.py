"""What Hugging Face LeRobot needs from us beyond the ids.

LeRobot looks for a device's class in the package of its configuration: here.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {"GymHilRobot": "robot", "GymHilTeleoperator": "teleoperator"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
