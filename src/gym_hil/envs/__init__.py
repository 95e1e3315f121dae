"""The environment class, and its action and observation terms."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gym_hil.envs.manipulation import ManipulationEnv as ManipulationEnv


def __getattr__(name: str) -> Any:
    """Return an environment class of gym-hil 0.1.14."""
    if name in ("PandaPickCubeGymEnv", "PandaArrangeBoxesGymEnv"):
        return getattr(import_module("gym_hil.integrations.legacy.environments"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
