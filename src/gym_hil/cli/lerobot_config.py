"""``gym-hil lerobot-config``: configuration files for LeRobot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console

from gym_hil.cli.common import write_json
from gym_hil.integrations.lerobot.configs import PROGRAMS, Plan, free_port, write_configs
from gym_hil.stacks.ids import parse_id


@dataclass(kw_only=True)
class LerobotConfig:
    """Write configuration files with which LeRobot teleoperates, records, replays and learns a task."""

    task: Annotated[str, tyro.conf.Positional]
    """Environment id, with or without "gym_hil/": PandaPickCubeStateSimulatedHuman-v1, ..."""
    out: Path = Path("lerobot-config")
    """Folder for the files; dataset, learner and actor write into folders in it."""
    repo_id: str = "me/gym_hil"
    """Name of the dataset; nothing is uploaded."""
    episodes: int = 20
    """How many episodes are recorded."""
    steps: int = 20_000
    """How many control steps the actor does, at 10 per second."""
    device: Literal["cpu", "cuda", "mps"] = "cpu"
    """Where the policy is."""
    port: int | None = None
    """On which the learner listens for the actor; a free one by default."""
    json: Path | None = None
    """Write the paths to this file as well."""

    def run(self) -> int:
        """Write the files, and print the command for each."""
        task = parse_id(self.task).name
        plan = Plan(
            task=task,
            repo_id=self.repo_id,
            episodes=self.episodes,
            steps=self.steps,
            device=self.device,
            port=free_port() if self.port is None else self.port,
        )
        written = write_configs(plan, self.out)
        for name, path in written.items():
            Console().print(f"python -m lerobot.rl.{PROGRAMS[name]} --config_path {path}", soft_wrap=True)
        write_json(self.json, {name: str(path) for name, path in written.items()})
        return 0
