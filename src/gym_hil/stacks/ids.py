"""The environment ids: what the parts of a name mean, and their registration with Gymnasium."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import product
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec, WrapperSpec

from gym_hil.core.errors import InvalidArgumentError, did_you_mean
from gym_hil.core.schema import ID_NAMESPACE
from gym_hil.robots import ROBOTS
from gym_hil.tasks import TASKS, fits

SUFFIXES: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "Base": {"action": "twist"},
    "Viewer": {"use_viewer": True},
    "Gamepad": {"operator": "gamepad"},
    "Keyboard": {"operator": "keyboard"},
    "Browser": {"operator": "browser"},
    "SimulatedHuman": {"operator": "simulated"},
    "SimulatedCoach": {"operator": "simulated", "preset": "experienced"},
    "Replay": {"auto_reset": True},
}
"""What the last part of an id says, as arguments of `gym_hil.stacks.config.EnvConfig`."""
VECTORS = ("", "Base", "SimulatedHuman", "SimulatedCoach")
"""Suffixes whose environments need no person, and which therefore have a vector environment of their own."""
ENVIRONMENT_CLASSES: Mapping[tuple[Any, Any], str] = {
    ("panda", "PickCube"): "gym_hil.integrations.legacy.environments:PandaPickCubeGymEnv",
    ("panda", "ArrangeBoxes"): "gym_hil.integrations.legacy.environments:PandaArrangeBoxesGymEnv",
}
"""Robots and tasks of gym-hil 0.1.14: their ids make the classes of that name, whose attributes scripts read."""
VERSIONS = (0, 1)
"""Version 1 starts from random object positions by default; nothing else differs."""
OUTER_LAYERS = WrapperSpec("HumanInTheLoop", "gym_hil.stacks.build:add_outer_layers", {})
"""What Gymnasium puts around its own time limit: takeover, automatic reset, delay and pacing."""


class _WrappersOfOne(tuple[WrapperSpec, ...]):
    """Wrappers that `gymnasium.make` applies and `gymnasium.make_vec` does not count.

    Gymnasium refuses a specification that has both wrappers and a vector entry point, because it could not apply the
    wrappers to a vector. Here the vector entry point builds the same layers inside of the vector.
    """

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True)
class IdParts:
    """The parts of an environment id.

    Attributes:
        robot: first part of the id, such as ``"Panda"``: the robot's `id_prefix`.
        task: name of the task, such as ``"PickCube"``.
        state: whether ``agent_pos`` ends with the objects' positions and nothing is rendered.
        suffix: who shows the robot or may take over, a key of `SUFFIXES`.
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

    @property
    def arguments(self) -> dict[str, Any]:
        """What the id says, as arguments of `gym_hil.stacks.config.EnvConfig`."""
        return {
            "task": self.task,
            "robot": _robots()[self.robot],
            "state_obs": self.state,
            "random_block_position": self.version == 1,
            "action": TASKS[self.task].action,
            **SUFFIXES[self.suffix],
        }


def all_parts() -> Iterator[IdParts]:
    """Yield the parts of every id: of each robot, the tasks that fit it."""
    for prefix, robot in _robots().items():
        for name, task in TASKS.items():
            if fits(task, ROBOTS[robot]):
                for state, suffix, version in product((False, True), SUFFIXES, VERSIONS):
                    yield IdParts(prefix, name, state, suffix, version)


def _robots() -> dict[str, str]:
    """Return the name of every robot by the first part of its ids. The robot that was there first keeps it."""
    names: dict[str, str] = {}
    for name, robot in ROBOTS.items():
        first = names.setdefault(robot.id_prefix, name)
        if first != name:
            warnings.warn(
                f"robot {name!r} has no ids, because {first!r} has its id_prefix={robot.id_prefix!r}",
                stacklevel=2,
            )
    return names


def all_ids() -> list[str]:
    """Return every id of this package."""
    return [parts.env_id for parts in all_parts()]


def parse_id(env_id: str) -> IdParts:
    """Return the parts of an id.

    Args:
        env_id: an id, with or without its namespace.

    Raises:
        InvalidArgumentError: there is no such id; the message names the nearest ones.
    """
    name = env_id.removeprefix(f"{ID_NAMESPACE}/")
    known = {parts.name: parts for parts in all_parts()}
    if name not in known:
        raise InvalidArgumentError(
            f"environment id {env_id!r} is not known{did_you_mean(name, known, 'gym-hil list')}"
        )
    return known[name]


def is_foreign(env_id: str) -> bool:
    """Return whether an id is one that another package has registered.

    Args:
        env_id: an id, which may begin with the module that registers it, such as ``"my_adapters:my/Reach-v0"``.

    Raises:
        InvalidArgumentError: the module that the id begins with cannot be imported.
    """
    if env_id.startswith(f"{ID_NAMESPACE}/"):
        return False
    module, _, name = env_id.rpartition(":")
    try:
        if module:
            import_module(module)
        gym.spec(name)
    except gym.error.Error:
        return False
    except ImportError as error:
        raise InvalidArgumentError(
            f"the module of environment id {env_id!r} cannot be imported: {error}"
        ) from error
    return True


def full_id(env_id: str) -> str:
    """Return an id with its namespace: one of this package, or one that another package has registered.

    Raises:
        InvalidArgumentError: there is no such id; the message names the nearest ones.
    """
    return env_id if is_foreign(env_id) else parse_id(env_id).env_id


def recorded_id(env_id: str) -> str:
    """Return the id under which episodes of an environment are kept: the same for everyone who may take over.

    Raises:
        InvalidArgumentError: there is no such id, or its actions are raw ones.
    """
    if is_foreign(env_id):
        return env_id
    parts = parse_id(env_id)
    if parts.suffix == "Base":
        raise InvalidArgumentError(f"{env_id!r} has raw actions; take the id without Base")
    return replace(parts, suffix="Base").env_id


def operator_of(env_id: str) -> str | None:
    """Return who may take over by what an id says, or None if it says nothing."""
    return None if is_foreign(env_id) else parse_id(env_id).arguments.get("operator")


def register_all() -> None:
    """Register every id that is not registered yet.

    The specifications go into Gymnasium's registry directly: `gymnasium.register` compares each new id with all
    others, which would take longer than everything else that `import gym_hil` does.
    """
    for parts in all_parts():
        if parts.env_id in gym.registry:
            continue
        spec = gym.registry[parts.env_id] = EnvSpec(
            id=parts.env_id,
            entry_point="gym_hil.stacks.build:make_inner",
            vector_entry_point="gym_hil.stacks.vector:make_vector" if parts.suffix in VECTORS else None,
            max_episode_steps=TASKS[parts.task].max_episode_steps,
            kwargs=parts.arguments,
            additional_wrappers=_WrappersOfOne((OUTER_LAYERS,)),
        )
        if parts.version > 0:
            # Gymnasium tells users of version 0 to upgrade where a higher one exists, but version 1 is no newer.
            spec.version = None
