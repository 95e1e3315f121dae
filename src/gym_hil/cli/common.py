"""What commands share: short ids, JSON results."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import gym_hil  # noqa: F401
from gym_hil.core.errors import InvalidArgumentError, did_you_mean, require_one_of
from gym_hil.core.schema import ID_NAMESPACE
from gym_hil.integrations.lerobot.policy import LeRobotPolicy, is_lerobot_policy
from gym_hil.intervention.scripted_policies import POLICIES, Policy
from gym_hil.learning.pretrained import PRETRAINED, pretrained


def all_ids() -> list[str]:
    """Return every id of this package."""
    return [env_id for env_id in gym.registry if env_id.startswith(f"{ID_NAMESPACE}/")]


def full_id(task: str) -> str:
    """Return the full id of `task`, which may lack the namespace.

    Raises:
        InvalidArgumentError: there is no such id.
    """
    env_id = task if task.startswith(f"{ID_NAMESPACE}/") else f"{ID_NAMESPACE}/{task}"
    if env_id not in all_ids():
        names = [known.removeprefix(f"{ID_NAMESPACE}/") for known in all_ids()]
        raise InvalidArgumentError(f"task {task!r} is not known{did_you_mean(task, names)}")
    return env_id


def write_json(path: Path | None, result: Any) -> None:
    """Write `result` to `path` where one is given."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def policy_maker(name: str, task: str) -> Callable[[], Policy]:
    """Return what makes a policy for each episode of `task`: one of those without learning, the shipped one,
    the one that `gym-hil train` left at the path `name`, or LeRobot's in its folder ``pretrained_model``.
    """
    path = Path(name)
    if name in POLICIES or (name != PRETRAINED and not path.exists()):
        require_one_of("policy", name, (*POLICIES, PRETRAINED))
        return POLICIES[name]
    if is_lerobot_policy(path):
        return LeRobotPolicy(path).reset
    from gym_hil.cli.train import state_base_id
    from gym_hil.learning.checkpoint import load_policy

    env_id = state_base_id(task)
    policy = load_policy(pretrained(env_id) if name == PRETRAINED else path, env_id)
    return lambda: policy


def progress_bar(console: Console) -> Progress:
    """Return a progress bar that leaves nothing behind, and shows nothing where there is no terminal."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
