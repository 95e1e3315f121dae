"""Human-in-the-loop robot learning in MuJoCo. Importing this package registers its ids, and does not import
MuJoCo.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gym_hil.integrations.legacy import aliases
from gym_hil.stacks.ids import register_all

if TYPE_CHECKING:
    from gym_hil.integrations.legacy.environments import FrankaGymEnv, MujocoGymEnv
    from gym_hil.integrations.legacy.wrappers import PassiveViewerWrapper
    from gym_hil.simulation.rendering import GymRenderingSpec
    from gym_hil.stacks.build import make_env, wrap_env

__version__ = "0.1.16"
__all__ = [
    "FrankaGymEnv",
    "GymRenderingSpec",
    "MujocoGymEnv",
    "PassiveViewerWrapper",
    "make_env",
    "wrap_env",
]

_HOMES = {
    "FrankaGymEnv": ("gym_hil.integrations.legacy.environments", "FrankaGymEnv"),
    "GymRenderingSpec": ("gym_hil.simulation.rendering", "GymRenderingSpec"),
    "MujocoGymEnv": ("gym_hil.integrations.legacy.environments", "MujocoGymEnv"),
    "PassiveViewerWrapper": ("gym_hil.integrations.legacy.wrappers", "PassiveViewerWrapper"),
    "make_env": ("gym_hil.stacks.build", "make_env"),
    "wrap_env": ("gym_hil.stacks.build", "wrap_env"),
}

aliases.install()
register_all()


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
