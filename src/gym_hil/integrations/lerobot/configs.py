"""Configuration files for the programs of LeRobot 0.6 that make an environment of ours by its id."""

from __future__ import annotations

import importlib.util
import json
import socket
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.files import make_folder, write_atomically
from gym_hil.datasets.dataset import require_no_dataset
from gym_hil.integrations.lerobot.training_config import Size, training_config
from gym_hil.stacks.ids import IdParts, parse_id
from gym_hil.tasks import TASKS

PROGRAMS = {
    "teleoperate": "gym_manipulator",
    "record": "gym_manipulator",
    "replay": "gym_manipulator",
    "learner": "learner",
    "actor": "actor",
}
"""Name of a file, and the program in `lerobot.rl` that reads it."""


def free_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the files are for."""

    task: str
    """An id without namespace and with wrapped actions."""
    repo_id: str = "me/gym_hil"
    episodes: int = 20
    """To record."""
    steps: int = 20_000
    """Control steps of the actor."""
    device: str = "cpu"
    """Where the policy is: cpu, cuda or mps."""
    port: int = field(default_factory=free_port)
    """On which the learner listens for the actor, on this machine only; a free one by default."""

    def __post_init__(self) -> None:
        """Refuse what LeRobot cannot do."""
        for name in ("episodes", "steps"):
            if getattr(self, name) < 1:
                raise InvalidArgumentError(f"{name}={getattr(self, name)} must be at least 1")
        if not 1 <= self.port <= 65535:
            raise InvalidArgumentError(f"port={self.port} must be in 1..65535")
        if self.parts.suffix == "Base":
            raise InvalidArgumentError(f"task {self.task!r} has raw actions; LeRobot takes ids without Base")

    @property
    def parts(self) -> IdParts:
        """The parts of the task's id."""
        return parse_id(self.task)

    @property
    def training_task(self) -> str:
        """The id that the actor makes. A simulated human becomes a coach, who lets the policy try for longer
        before taking over: otherwise the policy has nothing to practise.
        """
        parts = self.parts
        return (
            replace(parts, suffix="SimulatedCoach").name if parts.suffix == "SimulatedHuman" else parts.name
        )

    @property
    def replay_task(self) -> str:
        """The id that replays. Nobody may take over in it, and it begins the next episode by itself, because
        LeRobot steps on after the end of an episode.
        """
        return replace(self.parts, suffix="Replay").name


def configs(plan: Plan, out: Path) -> dict[str, dict[str, Any]]:
    """Return one configuration per entry of `PROGRAMS`; dataset and results lie in the folder `out`."""
    dataset = {"repo_id": plan.repo_id, "root": str(out / "dataset")}
    found: dict[str, dict[str, Any]] = {
        name: {
            "env": _env(plan.replay_task if name == "replay" else plan.task),
            "dataset": {
                **dataset,
                "task": TASKS[plan.parts.task].description,
                "num_episodes_to_record": plan.episodes,
                "replay_episode": 0,
                "push_to_hub": False,
            },
            "mode": None if name == "teleoperate" else name,
            "device": "cpu",
        }
        for name in ("teleoperate", "record", "replay")
    }
    size = Size.fitting(images=not plan.parts.state, device=plan.device)
    learning = training_config(
        env=_env(plan.training_task), dataset=dataset, size=size, steps=plan.steps, port=plan.port
    )
    for name in ("learner", "actor"):
        found[name] = {**learning, "output_dir": str(out / name)}
    found["learner"]["wandb"]["enable"] = importlib.util.find_spec("wandb") is not None
    return found


def _env(task: str) -> dict[str, Any]:
    gripper = {"use_gripper": True, "gripper_penalty": -0.02}
    return {
        "name": "gym_hil",
        "task": task,
        "fps": 10,
        "processor": {"control_mode": "gamepad", "gripper": gripper},
    }


def write_configs(plan: Plan, out: Path) -> dict[str, Path]:
    """Write one file per entry of `PROGRAMS` into `out`, and return their paths.

    Raises:
        InvalidArgumentError: `out` holds a recorded dataset.
    """
    require_no_dataset(out)
    make_folder(out)
    written = {}
    for name, config in configs(plan, out.resolve()).items():
        written[name] = out / f"{name}.json"
        write_atomically(written[name], json.dumps(config, indent=2) + "\n")
    return written
