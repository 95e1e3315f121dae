"""The environment class, and its action and observation terms."""

from __future__ import annotations

from gym_hil.core.lazy_names import lazy_names
from gym_hil.envs.manipulation import ManipulationEnv as ManipulationEnv

# Environment classes of gym-hil 0.1.14.
__getattr__, __dir__ = lazy_names(
    __name__,
    {"gym_hil.integrations.legacy.environments": ("PandaPickCubeGymEnv", "PandaArrangeBoxesGymEnv")},
)
