"""Tasks. A new task is a new module and an entry in this registry, or a package with an entry point. After a
change here, write the file of `gym_hil.stacks.robot_tasks` again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gym_hil.core.lazy_names import lazy_names
from gym_hil.core.registry import Registry

if TYPE_CHECKING:
    from gym_hil.tasks.base import Intent as Intent
    from gym_hil.tasks.base import Task as Task
    from gym_hil.tasks.needs import Needs as Needs
    from gym_hil.tasks.needs import fits as fits

__getattr__, __dir__ = lazy_names(__name__, {".base": ("Intent", "Task"), ".needs": ("Needs", "fits")})

TASKS: Registry[type[Task]] = Registry(
    "task",
    "gym_hil.tasks",
    {
        "PickCube": "gym_hil.tasks.pick_cube:PickCube",
        "ArrangeBoxes": "gym_hil.tasks.arrange_boxes:ArrangeBoxes",
        "InsertPeg": "gym_hil.tasks.insert_peg:InsertPeg",
        "StackCubes": "gym_hil.tasks.stack_cubes:StackCubes",
        "PushT": "gym_hil.tasks.push_t:PushT",
        "OpenDrawerAndPlace": "gym_hil.tasks.open_drawer_and_place:OpenDrawerAndPlace",
        "TurnKey": "gym_hil.tasks.turn_key:TurnKey",
        "FlipObject": "gym_hil.tasks.flip_object:FlipObject",
        "FlipObjectEasy": "gym_hil.tasks.easy:FlipObjectEasy",
        "ClipCable": "gym_hil.tasks.clip_cable:ClipCable",
        "ClipCableEasy": "gym_hil.tasks.easy:ClipCableEasy",
        "SeatRAM": "gym_hil.tasks.seat_ram:SeatRAM",
        "InsertUSB": "gym_hil.tasks.insert_usb:InsertUSB",
        "HandOver": "gym_hil.tasks.hand_over:HandOver",
        "HandOverEasy": "gym_hil.tasks.easy:HandOverEasy",
    },
)
"""Task classes by name. An instance is created for a robot: ``TASKS["PickCube"](robot)``."""
