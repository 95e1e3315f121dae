"""Robots with the tasks that they can do, and the facts about them that the ids of their environments need.

``import gym_hil`` registers these ids. It would take several times as long if it imported all robots and tasks of this
package, and therefore reads these facts from the file `FILE`. After a change to the robots and tasks of this package,
write the file again by the command `WRITE`.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from gym_hil.robots import ROBOTS
from gym_hil.tasks import TASKS

FILE = Path(__file__).with_suffix(".json")
WRITE = 'python -c "from gym_hil.stacks.robot_tasks import write; write()"'


class RobotTask(NamedTuple):
    """A robot and a task that it can do.

    Attributes:
        robot: name of the robot.
        id_prefix: the robot's `id_prefix`.
        task: name of the task.
        action: the task's action term.
        max_episode_steps: the task's time limit in steps.
    """

    robot: str
    id_prefix: str
    task: str
    action: str
    max_episode_steps: int


def robot_tasks() -> Iterator[RobotTask]:
    """Yield every robot with every task that it can do, including those of other packages. Robots without an
    `id_prefix` are left out. If several robots have the same `id_prefix`, only the first one is included.
    """
    builtin = {(pair.robot, pair.task): pair for pair in _read()}
    robots, tasks = dict(ROBOTS.added()), dict(TASKS.added())
    owners: dict[str, str] = {}
    for robot in (*ROBOTS.builtin, *robots):
        for task in (*TASKS.builtin, *tasks):
            is_added = robot in robots or task in tasks
            pair = _robot_task(robot, task) if is_added else builtin.get((robot, task))
            if pair is None:
                continue
            first = owners.setdefault(pair.id_prefix, robot)
            if first != robot:
                warnings.warn(
                    f"robot {robot!r} has no ids, because {first!r} has its id_prefix={pair.id_prefix!r}",
                    stacklevel=2,
                )
                break
            yield pair


def _robot_task(robot: str, task: str) -> RobotTask | None:
    """Return the facts about a robot and a task, or None if the robot cannot do the task, or has no ids."""
    from gym_hil.tasks import fits

    robot_spec, task_class = ROBOTS[robot], TASKS[task]
    if not robot_spec.id_prefix or not fits(task_class, robot_spec):
        return None
    return RobotTask(robot, robot_spec.id_prefix, task, task_class.action, task_class.max_episode_steps)


@cache
def _read() -> list[RobotTask]:
    return [RobotTask(*row) for row in json.loads(FILE.read_text(encoding="utf-8"))]


def text() -> str:
    """Return the content of the file for the robots and tasks of this package."""
    pairs = (_robot_task(robot, task) for robot in ROBOTS.builtin for task in TASKS.builtin)
    return "[\n" + ",\n".join(json.dumps(pair) for pair in pairs if pair) + "\n]\n"


def write() -> None:
    """Write the file."""
    from gym_hil.core.files import write_atomically

    write_atomically(FILE, text())
