"""``gym-hil list``: all ids with their spaces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
from gymnasium import spaces
from rich.console import Console
from rich.table import Table

from gym_hil.cli.common import write_json
from gym_hil.stacks.ids import all_ids


@dataclass(kw_only=True)
class List:
    """Show all environment ids with the shapes of their actions and observations, and their time limits."""

    seed: int = 0
    """Changes nothing here; every command takes it."""
    json: Path | None = None
    """Write the list to this file as well."""

    def run(self) -> int:
        """Print the table."""
        rows = [_describe(env_id) for env_id in all_ids()]
        table = Table("id", "action", "observation", "steps")
        for row in rows:
            table.add_row(row["id"], row["action"], row["observation"], str(row["steps"]))
        Console().print(table)
        write_json(self.json, rows)
        return 0


def _describe(env_id: str) -> dict[str, Any]:
    # Spaces do not depend on who may take over or look, so nothing is opened to list them.
    spec = gym.spec(env_id)
    env = spec.make(**{key: None for key in ("operator", "use_viewer") if key in spec.kwargs})
    row = {
        "id": env_id,
        "action": str(env.action_space.shape),
        "observation": _shapes(env.observation_space),
        "steps": spec.max_episode_steps,
    }
    env.close()
    return row


def _shapes(space: Any) -> str:
    assert isinstance(space, spaces.Dict)
    return ", ".join(f"{key} {part.shape}" for key, part in space.items())
