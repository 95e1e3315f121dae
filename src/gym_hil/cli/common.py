"""What commands share: short ids, JSON results."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import gym_hil  # noqa: F401
from gym_hil.core.errors import InvalidArgumentError, did_you_mean, require_one_of
from gym_hil.core.files import make_folder, write_atomically
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


def write_json(path: Path | None, result: Any, *, mode: int = 0o666) -> None:
    """Write `result` as JSON.

    Args:
        path: the file, whose folder is created if it is missing; None writes nothing.
        result: what to write.
        mode: permissions of the file, before the process's mask.

    Raises:
        StorageError: it cannot be written, for instance because the disk is full.
    """
    if path is not None:
        make_folder(path.parent)
        write_atomically(path, json.dumps(result, indent=2) + "\n", mode=mode)


def with_home(options: Any) -> Any:
    """Return the options of a command with ``~`` at the beginning of their paths replaced by the home folder.

    A shell does so itself in ``--root ~/picks``, and not in ``--root=~/picks``.
    """
    if isinstance(options, Path):
        try:
            return options.expanduser()
        except RuntimeError as error:
            raise InvalidArgumentError(f"{str(options)!r}: {error}") from error
    if not dataclasses.is_dataclass(options) or isinstance(options, type):
        return options
    given = {field.name: getattr(options, field.name) for field in dataclasses.fields(options) if field.init}
    changed = {name: new for name, value in given.items() if (new := with_home(value)) is not value}
    return dataclasses.replace(options, **changed) if changed else options


def policy_maker(name: str, task: str) -> Callable[[], Policy]:
    """Return what makes a policy for each episode of `task`: one of those without learning, the shipped one,
    the one that `gym-hil train` left at the path `name`, or LeRobot's in its folder ``pretrained_model``.
    """
    path = with_home(Path(name))
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
