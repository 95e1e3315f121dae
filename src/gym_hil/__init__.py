"""Human-in-the-loop robot learning in MuJoCo. Importing this package registers its ids, and does not import
MuJoCo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gym_hil.core.lazy_names import lazy_names
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
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        ".integrations.legacy.environments": ("FrankaGymEnv", "MujocoGymEnv"),
        ".integrations.legacy.wrappers": ("PassiveViewerWrapper",),
        ".simulation.rendering": ("GymRenderingSpec",),
        ".stacks.build": ("make_env", "wrap_env"),
    },
)

aliases.install()
register_all()
