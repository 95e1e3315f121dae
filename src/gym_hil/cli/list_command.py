"""``gym-hil list``: lists environments, and explains their ids."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import gymnasium as gym
import tyro
from gymnasium import spaces
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gym_hil.cli.common import write_json
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import ID_NAMESPACE
from gym_hil.datasets.formats.registry import format_names
from gym_hil.envs.observations import OBSERVATION_TERMS
from gym_hil.intervention.named import operator_names
from gym_hil.learning.methods import METHODS
from gym_hil.robots import ROBOTS
from gym_hil.stacks.ids import IdParts, all_parts
from gym_hil.tasks import TASKS

PARTS = {
    "(none)": "actions x, y, z, gripper; without an operator",
    "Base": "actions with rotation; without wrappers",
    "Viewer": "shown in a window",
    "Gamepad, Keyboard, Browser": "a person takes over with this device",
    "SimulatedHuman, SimulatedCoach": "a simulated human takes over",
    "Replay": "resets itself in the step that ends an episode",
    "State": "never renders",
    "v0, v1": "fixed or random initial positions",
}
"""Meaning of the parts of an id."""
EASY = "Easy"
"""Suffix of the names of easier tasks."""


@dataclass(kw_only=True)
class List:
    """Show the tasks, and how ids are composed.

    With a text, show all ids that contain it instead, one per line.
    """

    text: Annotated[str | None, tyro.conf.Positional] = None
    """Show all ids that contain this text, such as PickCube."""
    names: bool = False
    """Show the names of tasks, robots, operators, methods, formats and observation terms instead."""
    json: Path | None = None
    """Also write the ids, with their actions, observations and steps, to this file; with --names, the names."""

    def run(self) -> int:
        """Print the tables, the ids or the names."""
        if self.names:
            names = _names()
            table = Table("option", "names", box=None, pad_edge=False)
            for option, known in names.items():
                table.add_row(option, escape(", ".join(known)))
            Console(highlight=False).print(table)
            write_json(self.json, names)
            return 0
        ids = [parts for parts in all_parts() if (self.text or "").lower() in parts.env_id.lower()]
        if not ids:
            raise InvalidArgumentError(f"no id contains {self.text!r}; `gym-hil list` shows the tasks")
        console = Console(highlight=False)
        if self.text is None:
            console.print(_tasks(ids))
            console.print(_parts())
            console.print("All ids of a task: gym-hil list <task>. Names for options: gym-hil list --names")
        else:
            for parts in ids:
                console.print(parts.env_id, soft_wrap=True)
        if self.json is not None:
            write_json(self.json, [_describe(parts) for parts in ids])
        return 0


def _tasks(ids: list[IdParts]) -> Table:
    robots: dict[str, tuple[str, ...]] = {}
    for parts in ids:
        robots[parts.robot] = tuple(dict.fromkeys((*robots.get(parts.robot, ()), parts.task)))
    by_tasks: dict[tuple[str, ...], list[str]] = {}
    for robot, tasks in robots.items():
        by_tasks.setdefault(tasks, []).append(robot)
    most = max(by_tasks, key=len)
    table = Table("task", "steps", "what to do", box=None, pad_edge=False)
    easy = [name for name in TASKS if name.endswith(EASY) and name.removesuffix(EASY) in TASKS]
    for name in dict.fromkeys(parts.task for parts in ids):
        if name not in easy:
            table.add_row(name, str(TASKS[name].max_episode_steps), escape(TASKS[name].description))
    others = [
        f"{', '.join(names)} ({', '.join(tasks)})" for tasks, names in by_tasks.items() if tasks != most
    ]
    caption = "; ".join([f"Robots: {', '.join(by_tasks[most])}", *others])
    if easy:
        caption += f"\nEasier starts: {', '.join(easy)}"
    table.caption, table.caption_justify = caption, "left"
    return table


def _parts() -> Table:
    table = Table("part", "meaning", box=None, pad_edge=False, show_header=False)
    table.title = escape(f"id: {ID_NAMESPACE}/<robot><task>[State]<suffix>-<version>")
    table.title_justify, table.title_style = "left", "bold"
    for part, meaning in PARTS.items():
        table.add_row(part, meaning)
    return table


def _names() -> dict[str, list[str]]:
    """Return the valid names of options and arguments, including those of other packages."""
    return {
        "task": list(TASKS),
        "robot": list(ROBOTS),
        "operator": list(operator_names()),
        "method": list(METHODS),
        "format": list(format_names()),
        "observation_terms": list(OBSERVATION_TERMS),
    }


def _describe(parts: IdParts) -> dict[str, Any]:
    # Spaces depend neither on operators nor on viewers, so that no devices are opened to list them.
    action, observation = _shapes(replace(parts, suffix="Base" if parts.suffix == "Base" else ""))
    steps = TASKS[parts.task].max_episode_steps
    return {"id": parts.env_id, "action": action, "observation": observation, "steps": steps}


@functools.cache
def _shapes(parts: IdParts) -> tuple[str, str]:
    """Return the shapes of actions and observations, as text."""
    env = gym.make(parts.env_id)
    observation = env.observation_space
    assert isinstance(observation, spaces.Dict)
    shapes = ", ".join(f"{key} {part.shape}" for key, part in observation.items())
    env.close()
    return str(env.action_space.shape), shapes
