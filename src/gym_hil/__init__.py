"""Human-in-the-loop robot learning in MuJoCo. Importing registers the ids and loads no simulator."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gym_hil.stacks.ids import register_all

if TYPE_CHECKING:
    from gym_hil.envs.manipulation import ManipulationEnv as FrankaGymEnv
    from gym_hil.envs.manipulation import ManipulationEnv as MujocoGymEnv
    from gym_hil.simulation.rendering import GymRenderingSpec
    from gym_hil.stacks.build import make_env, wrap_env
    from gym_hil.viewers.passive_viewer import PassiveViewerWrapper

__version__ = "0.1.15"
__all__ = [
    "FrankaGymEnv",
    "GymRenderingSpec",
    "MujocoGymEnv",
    "PassiveViewerWrapper",
    "make_env",
    "wrap_env",
]

_HOMES = {
    "FrankaGymEnv": ("gym_hil.envs.manipulation", "ManipulationEnv"),
    "GymRenderingSpec": ("gym_hil.simulation.rendering", "GymRenderingSpec"),
    "MujocoGymEnv": ("gym_hil.envs.manipulation", "ManipulationEnv"),
    "PassiveViewerWrapper": ("gym_hil.viewers.passive_viewer", "PassiveViewerWrapper"),
    "make_env": ("gym_hil.stacks.build", "make_env"),
    "wrap_env": ("gym_hil.stacks.build", "wrap_env"),
}

register_all()


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
