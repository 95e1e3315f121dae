"""Configuration files for ``python -m lerobot.rl.gym_manipulator`` of LeRobot 0.6."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gym_hil.tasks import TASKS

MODES: dict[str, str | None] = {"teleoperate": None, "record": "record", "replay": "replay"}
"""Name of a file, and LeRobot's mode."""


def gym_manipulator_config(
    task: str, mode: str | None, *, repo_id: str, root: Path, episodes: int
) -> dict[str, Any]:
    """Return a configuration. `task` is an id without namespace; `root` is the dataset's folder."""
    return {
        "env": {
            "name": "gym_hil",
            "task": task,
            "fps": 10,
            "processor": {
                "control_mode": "gamepad",
                "gripper": {"use_gripper": True, "gripper_penalty": -0.02},
            },
        },
        "dataset": {
            "repo_id": repo_id,
            "root": str(root),
            "task": _description(task),
            "num_episodes_to_record": episodes,
            "replay_episode": 0,
            "push_to_hub": False,
        },
        "mode": mode,
        "device": "cpu",
    }


def _description(task: str) -> str:
    return next(known.description for name, known in TASKS.items() if name in task)


def write_configs(task: str, out: Path, *, repo_id: str, episodes: int) -> dict[str, Path]:
    """Write one file per entry of `MODES` into `out`, and return their paths."""
    out.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, mode in MODES.items():
        config = gym_manipulator_config(
            task, mode, repo_id=repo_id, root=(out / "dataset").resolve(), episodes=episodes
        )
        written[name] = out / f"{name}.json"
        written[name].write_text(json.dumps(config, indent=2) + "\n")
    return written
