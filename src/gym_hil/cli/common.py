"""Functions that several commands use: ids, policies by name and JSON results."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.table import Table

import gym_hil  # noqa: F401
from gym_hil.core.errors import InvalidArgumentError, MissingExtraError, require_one_of
from gym_hil.core.files import make_folder, write_atomically
from gym_hil.integrations.lerobot.policy import LeRobotPolicy, is_lerobot_policy
from gym_hil.intervention.scripted_policies import POLICIES, Policy
from gym_hil.learning.pretrained import PRETRAINED, pretrained
from gym_hil.stacks.ids import is_external, operator_in_id, parse_id


def operator_named(env_id: str, given: str | None) -> str | None:
    """Return the name of the operator that the id or the command line specifies.

    Args:
        env_id: an environment id.
        given: the operator on the command line, or None.

    Returns:
        The name, or None if neither specifies one.

    Raises:
        InvalidArgumentError: id and command line specify different operators.
    """
    named = operator_in_id(env_id)
    if named is not None and given not in (None, named):
        raise InvalidArgumentError(
            f"--operator {given} contradicts the id {env_id}, whose operator is {named}"
        )
    return named or given


def write_json(path: Path | None, result: Any, *, mode: int = 0o666) -> None:
    """Write `result` to a JSON file.

    Args:
        path: the file, whose folder is created if necessary; None to write nothing.
        result: the content.
        mode: permissions of the file, before the umask is applied.

    Raises:
        StorageError: the file cannot be written, for instance because the disk is full.
    """
    if path is not None:
        make_folder(path.parent)
        write_atomically(path, json.dumps(result, indent=2) + "\n", mode=mode)


def plain_table(*columns: str) -> Table:
    """Return a table without lines, in which ten columns fit into a terminal of 80 columns."""
    return Table(*columns, box=None, pad_edge=False, collapse_padding=True)


def with_home(options: Any) -> Any:
    """Return the options of a command, with ``~`` at the beginning of paths replaced by the home folder.

    Shells do this in ``--root ~/picks``, but not in ``--root=~/picks``.
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


def policy_maker(name: str, task: str, *, on_arm: bool = False) -> Callable[[], Policy]:
    """Return a function that creates a policy for each episode.

    Args:
        name: a scripted policy, ``"pretrained"``, or the path of a training run, of a policy file or of
            LeRobot's folder ``pretrained_model``.
        task: an environment id.
        on_arm: whether the policy acts on a real arm. Its interface is then compared in the first step.

    Raises:
        InvalidArgumentError: the policy is unknown, or was trained for another environment.
    """
    path = with_home(Path(name))
    if name in POLICIES or (name != PRETRAINED and not path.exists()):
        require_one_of("policy", name, (*POLICIES, PRETRAINED))
        return POLICIES[name]
    if is_lerobot_policy(path):
        return LeRobotPolicy(path).reset
    from gym_hil.learning.checkpoint import load_policy

    env_id = state_base_id(task)
    policy = load_policy(pretrained(env_id) if name == PRETRAINED else path, None if on_arm else env_id)
    return lambda: policy


def state_base_id(task: str) -> str:
    """Return the base id with state observations for the task and version of an id."""
    return task if is_external(task) else replace(parse_id(task), state=True, suffix="Base").env_id


def require_libraries() -> None:
    """Require the packages for training.

    Raises:
        MissingExtraError: a package is not installed.
    """
    for package in ("torch", "stable_baselines3"):
        # The package is not imported here: that takes seconds, in which the learner's process imports it too.
        if find_spec(package) is None:
            raise MissingExtraError(package.replace("_", "-"), "train", "Training")
