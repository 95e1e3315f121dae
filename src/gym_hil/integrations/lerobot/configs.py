"""Configuration files for the programs of LeRobot 0.6 that create an environment of this package by its id."""

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
from gym_hil.envs.manipulation import DEFAULT_GRIPPER_PENALTY
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
"""Name of each configuration file, and the program in `lerobot.rl` that reads it."""


def free_port() -> int:
    """Return a free TCP port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Settings of one LeRobot run, from which all configuration files follow."""

    task: str
    """Environment id without namespace, with end-effector actions (not `Base`)."""
    repo_id: str = "me/gym_hil"
    """Name of the recorded dataset, as on the Hugging Face hub."""
    episodes: int = 20
    """Number of demonstrations to record."""
    steps: int = 20_000
    """Number of control steps of the actor."""
    device: str = "cpu"
    """Torch device of the policy: ``cpu``, ``cuda`` or ``mps``."""
    port: int = field(default_factory=free_port)
    """Local TCP port on which the learner listens for the actor; a free one by default."""

    def __post_init__(self) -> None:
        """Validate the settings.

        Raises:
            InvalidArgumentError: LeRobot does not support a value.
        """
        for name in ("episodes", "steps"):
            if getattr(self, name) < 1:
                raise InvalidArgumentError(f"{name}={getattr(self, name)} must be at least 1")
        if not 1 <= self.port <= 65535:
            raise InvalidArgumentError(f"port={self.port} must be in 1..65535")
        if self.parts.suffix == "Base":
            raise InvalidArgumentError(
                f"task {self.task!r} has twist actions, which LeRobot does not support; use an id without Base"
            )

    @property
    def parts(self) -> IdParts:
        """The parts of the task's id."""
        return parse_id(self.task)

    @property
    def training_task(self) -> str:
        """The id of the actor's environment. A simulated human is replaced by one with the preset ``experienced``,
        who waits longer before taking over, so that the policy gathers its own experience.
        """
        parts = self.parts
        return (
            replace(parts, suffix="SimulatedCoach").name if parts.suffix == "SimulatedHuman" else parts.name
        )

    @property
    def replay_task(self) -> str:
        """The id of the environment for replays. It has no operator, and it resets itself at the end of an
        episode, because LeRobot's replay continues to step without a reset.
        """
        return replace(self.parts, suffix="Replay").name


def configs(plan: Plan, out: Path) -> dict[str, dict[str, Any]]:
    """Return one configuration per entry of `PROGRAMS`.

    Args:
        plan: the settings.
        out: folder of the dataset and the results.

    Returns:
        The configurations by the names in `PROGRAMS`, ready to be written as JSON.
    """
    dataset = {"repo_id": plan.repo_id, "root": str(out / "dataset")}
    by_program: dict[str, dict[str, Any]] = {
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
        by_program[name] = {**learning, "output_dir": str(out / name)}
    by_program["learner"]["wandb"]["enable"] = importlib.util.find_spec("wandb") is not None
    return by_program


def _env(task: str) -> dict[str, Any]:
    gripper = {"use_gripper": True, "gripper_penalty": DEFAULT_GRIPPER_PENALTY}
    return {
        "name": "gym_hil",
        "task": task,
        "fps": 10,
        "processor": {"control_mode": "gamepad", "gripper": gripper},
    }


def write_configs(plan: Plan, out: Path) -> dict[str, Path]:
    """Write one configuration file per entry of `PROGRAMS` into `out`.

    Args:
        plan: the settings.
        out: folder of the files, the dataset and the results.

    Returns:
        The paths of the files by the names in `PROGRAMS`.

    Raises:
        InvalidArgumentError: `out` contains a recorded dataset.
    """
    require_no_dataset(out)
    make_folder(out)
    written = {}
    for name, config in configs(plan, out.resolve()).items():
        written[name] = out / f"{name}.json"
        write_atomically(written[name], json.dumps(config, indent=2) + "\n")
    return written
