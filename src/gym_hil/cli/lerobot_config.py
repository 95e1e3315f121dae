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
    """Write configuration files with which LeRobot teleoperates, records, replays and trains."""

    task: Annotated[str, tyro.conf.Positional]
    """Environment id, with or without "gym_hil/": PandaPickCubeStateSimulatedHuman-v1, ..."""
    out: Path = Path("lerobot-config")
    """Folder of the files. Dataset, learner and actor use folders in it."""
    repo_id: str = "me/gym_hil"
    """Name of the dataset. Nothing is uploaded."""
    episodes: int = 20
    """Number of episodes to record."""
    steps: int = 20_000
    """Number of control steps of the actor, at 10 per second."""
    device: Literal["cpu", "cuda", "mps"] = "cpu"
    """Torch device of the policy."""
    port: int | None = None
    """Port on which the learner listens for the actor; a free one by default."""
    json: Path | None = None
    """Also write the paths to this file."""

    def run(self) -> int:
        """Write the files, and print the commands that use them."""
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
