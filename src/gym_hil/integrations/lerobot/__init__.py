"""Integration with Hugging Face LeRobot: a robot, a teleoperator, an environment configuration and a launcher.

LeRobot looks up the class of a robot or teleoperator in the package of its configuration class, which is this.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_MODULES = {"GymHilRobot": "robot", "GymHilTeleoperator": "teleoperator"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
