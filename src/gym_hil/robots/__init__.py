"""Robots as data. A new robot is a new module and an entry in this registry, or a package with an entry
point. After a change here, write the file of `gym_hil.stacks.robot_tasks` again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gym_hil.core.lazy_names import lazy_names
from gym_hil.core.registry import Registry

if TYPE_CHECKING:
    from gym_hil.robots.base import Arm as Arm
    from gym_hil.robots.base import EndEffector as EndEffector
    from gym_hil.robots.base import Hand as Hand
    from gym_hil.robots.base import Impedance as Impedance
    from gym_hil.robots.base import Robot as Robot

__getattr__, __dir__ = lazy_names(__name__, {".base": ("Arm", "EndEffector", "Hand", "Impedance", "Robot")})

ROBOTS: Registry[Robot] = Registry(
    "robot",
    "gym_hil.robots",
    {
        "panda": "gym_hil.robots.panda:PANDA",
        "panda_robotiq_2f85": "gym_hil.robots.panda:PANDA_ROBOTIQ_2F85",
        "bi_panda": "gym_hil.robots.bi_panda:BI_PANDA",
        "so101": "gym_hil.robots.so101:SO101",
        "so101_backlash": "gym_hil.robots.so101:SO101_BACKLASH",
        "bi_so101": "gym_hil.robots.bi_so101:BI_SO101",
    },
)
"""Robots by name."""
