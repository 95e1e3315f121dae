"""``gym-hil lerobot-config``: configuration files for LeRobot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from gym_hil.cli.common import full_id, write_json
from gym_hil.errors import InvalidArgumentError
from gym_hil.lerobot.configs import write_configs
from gym_hil.schema import ID_NAMESPACE


@dataclass(kw_only=True)
class LerobotConfig:
    """Write configuration files with which LeRobot teleoperates, records and replays a task."""

    task: Annotated[str, tyro.conf.Positional]
    """Environment id, with or without "gym_hil/": PandaPickCubeSimulatedHuman-v1, ..."""
    out: Path = Path("lerobot-config")
    """Folder for the files; the dataset goes into its folder "dataset"."""
    repo_id: str = "me/gym_hil"
    """Name of the dataset; nothing is uploaded."""
    episodes: int = 2
    """How many episodes are recorded."""
    seed: int = 0
    """Changes nothing here; every command takes it."""
    json: Path | None = None
    """Write the paths to this file as well."""

    def run(self) -> int:
        """Write the files, and print the command for each."""
        if self.episodes < 1:
            raise InvalidArgumentError(f"episodes={self.episodes} must be at least 1")
        task = full_id(self.task).removeprefix(f"{ID_NAMESPACE}/")
        if "Base-v" in task:
            raise InvalidArgumentError(f"task {task!r} has raw actions; LeRobot takes those without Base")
        written = write_configs(task, self.out, repo_id=self.repo_id, episodes=self.episodes)
        for path in written.values():
            Console().print(f"python -m lerobot.rl.gym_manipulator --config_path {path}", soft_wrap=True)
        write_json(self.json, {name: str(path) for name, path in written.items()})
        return 0
