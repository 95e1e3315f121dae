"""Integration with Hugging Face LeRobot: a robot, a teleoperator, an environment configuration and a launcher.

LeRobot looks up the class of a robot or teleoperator in the package of its configuration class, which is this.
"""

from __future__ import annotations

from gym_hil.core.lazy_names import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__, {".robot": ("GymHilRobot",), ".teleoperator": ("GymHilTeleoperator",)}
)
