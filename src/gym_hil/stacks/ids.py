"""All environment ids, as data, and their registration with Gymnasium."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import gymnasium as gym

from gym_hil.core.errors import InvalidArgumentError, did_you_mean
from gym_hil.core.schema import ID_NAMESPACE

TIME_LIMITS = {"PickCube": 100, "ArrangeBoxes": 400, "InsertPeg": 150}
"""Steps per episode of every task."""
SUFFIXES: dict[str, dict[str, Any]] = {
    "": {},
    "Viewer": {"use_viewer": True},
    "Gamepad": {"operator": "gamepad"},
    "Keyboard": {"operator": "keyboard"},
    "Browser": {"operator": "browser"},
    "SimulatedHuman": {"operator": "simulated"},
    "SimulatedCoach": {"operator": "simulated", "preset": "coach"},
    "Replay": {"auto_reset": True},
}
"""Who shows it or may take over, by the id's suffix, as arguments of `wrap_env`."""
NOBODY_WAITS = ("", "SimulatedHuman", "SimulatedCoach")
"""Suffixes whose environments need no person, and so may be many at once."""
ENVIRONMENT_CLASSES = {
    "PickCube": "gym_hil.integrations.legacy.environments:PandaPickCubeGymEnv",
    "ArrangeBoxes": "gym_hil.integrations.legacy.environments:PandaArrangeBoxesGymEnv",
}
"""Tasks of gym-hil 0.1.14: their ids make the classes of that name, whose attributes scripts read."""
VERSIONS = (0, 1)
"""Version 1 starts from random object positions by default; nothing else differs."""


@dataclass(frozen=True)
class IdParts:
    """The parts of an environment id.

    Attributes:
        robot: first part of the id, such as ``"Panda"``.
        task: name of the task, such as ``"PickCube"``.
        state: whether ``agent_pos`` ends with the objects' positions and nothing is rendered.
        suffix: ``"Base"`` for the raw environment, else a key of `SUFFIXES`.
        version: 0 or 1.
    """

    robot: str
    task: str
    state: bool = False
    suffix: str = ""
    version: int = 1

    @property
    def name(self) -> str:
        """The id without its namespace."""
        state = "State" if self.state else ""
        return f"{self.robot}{self.task}{state}{self.suffix}-v{self.version}"

    @property
    def env_id(self) -> str:
        """The id, with its namespace."""
        return f"{ID_NAMESPACE}/{self.name}"


def parse_id(env_id: str) -> IdParts:
    """Return the parts of an id.

    Args:
        env_id: an id, with or without its namespace.

    Raises:
        InvalidArgumentError: there is no such id; the message names the nearest ones.
    """
    every = product(TIME_LIMITS, (False, True), ("Base", *SUFFIXES), VERSIONS)
    known = {parts.name: parts for parts in (IdParts("Panda", *each) for each in every)}
    name = env_id.removeprefix(f"{ID_NAMESPACE}/")
    if name not in known:
        raise InvalidArgumentError(f"environment id {env_id!r} is not known{did_you_mean(name, known)}")
    return known[name]


def base_ids() -> dict[str, dict[str, Any]]:
    """Return every raw id with the keyword arguments of its environment."""
    return {
        f"{ID_NAMESPACE}/Panda{task}{state}Base-v{version}": {
            "task": task,
            "state_obs": bool(state),
            "random_block_position": version == 1,
        }
        for task in TIME_LIMITS
        for state in ("", "State")
        for version in VERSIONS
    }


def register_all() -> None:
    """Register every id that is not registered yet; those that nobody drives have a vector of their own."""
    for base, kwargs in base_ids().items():
        limit = TIME_LIMITS[kwargs["task"]]
        _register(base, "make_base", limit, kwargs, vector=True)
        for suffix, outer in SUFFIXES.items():
            arguments = {"env_id": base, "gripper_penalty": -0.05, **outer}
            wrapped = base.replace("Base-v", f"{suffix}-v")
            _register(wrapped, "make_env", limit, arguments, vector=suffix in NOBODY_WAITS)


def _register(env_id: str, maker: str, limit: int, kwargs: dict[str, Any], *, vector: bool) -> None:
    if env_id in gym.registry:
        return
    gym.register(
        id=env_id,
        entry_point=f"gym_hil.stacks.build:{maker}",
        vector_entry_point=f"gym_hil.stacks.vector:{maker}_vector" if vector else None,
        max_episode_steps=limit,
        kwargs=kwargs,
    )
    if not env_id.endswith("-v0"):
        # Gymnasium tells users of version 0 to upgrade where a higher one exists, but version 1 is no newer.
        gym.registry[env_id].version = None
