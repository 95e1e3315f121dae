"""Tasks. A new task is a new file here and a line below."""

from __future__ import annotations

from gym_hil.tasks.arrange_boxes import ArrangeBoxes
from gym_hil.tasks.base import Intent as Intent
from gym_hil.tasks.base import Task as Task
from gym_hil.tasks.insert_peg import InsertPeg
from gym_hil.tasks.pick_cube import PickCube

TASKS: dict[str, Task] = {task.name: task for task in (PickCube(), ArrangeBoxes(), InsertPeg())}
