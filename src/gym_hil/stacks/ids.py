"""Environment ids: the meaning of their parts, and their registration with Gymnasium."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import product
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec, WrapperSpec

from gym_hil.core.errors import InvalidArgumentError, suggestion
from gym_hil.core.schema import ID_NAMESPACE
from gym_hil.stacks.robot_tasks import RobotTask, robot_tasks

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
"""Suffixes of ids, and the arguments of `gym_hil.stacks.config.EnvConfig` that each of them sets."""
VECTOR_SUFFIXES = ("", "Base", "SimulatedHuman", "SimulatedCoach")
"""Suffixes of ids with a vector environment: those in which no person can take over."""
ENVIRONMENT_CLASSES: Mapping[tuple[Any, Any], str] = {
    ("panda", "PickCube"): "gym_hil.integrations.legacy.environments:PandaPickCubeGymEnv",
    ("panda", "ArrangeBoxes"): "gym_hil.integrations.legacy.environments:PandaArrangeBoxesGymEnv",
}
"""Environment classes with the attributes of gym-hil 0.1.14, for the robots and tasks of that version."""
VERSIONS = (0, 1)
"""Version 1 starts from random object positions by default. There is no other difference."""
OUTER_LAYERS = WrapperSpec("HumanInTheLoop", "gym_hil.stacks.build:add_outer_layers", {})
"""The layers that Gymnasium adds around its own time limit: takeover, automatic reset, delay and pacing."""


class _SingleEnvironmentWrappers(tuple[WrapperSpec, ...]):
    """Wrappers that `gymnasium.make` applies and `gymnasium.make_vec` does not count.

    Gymnasium refuses specifications that have both wrappers and a vector entry point, because it could not
    apply the wrappers to a vector. Here, the vector entry point builds the same layers within the vector.
    """

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True)
class IdParts:
    """The parts of an environment id.

    Attributes:
        robot: `id_prefix` of the robot, the first part of the id, such as ``"Panda"``.
        task: name of the task, such as ``"PickCube"``.
        state: whether ``agent_pos`` ends with the objects' positions and nothing is rendered.
        suffix: viewer or operator, a key of `SUFFIXES`.
        version: 0 or 1.
    """

    robot: str
    task: str
    state: bool = False
    suffix: str = ""
    version: int = 1

    @property
    def name(self) -> str:
        """The id without namespace."""
        state = "State" if self.state else ""
        return f"{self.robot}{self.task}{state}{self.suffix}-v{self.version}"

    @property
    def env_id(self) -> str:
        """The id with namespace."""
        return f"{ID_NAMESPACE}/{self.name}"

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of `gym_hil.stacks.config.EnvConfig` for the id."""
        return self.arguments_with(
            {(pair.id_prefix, pair.task): pair for pair in robot_tasks()}[self.robot, self.task]
        )

    def arguments_with(self, pair: RobotTask) -> dict[str, Any]:
        """Return `arguments`, given the robot and the task."""
        return {
            "task": pair.task,
            "robot": pair.robot,
            "state_obs": self.state,
            "random_block_position": self.version == 1,
            "action": pair.action,
            **SUFFIXES[self.suffix],
        }


def all_parts() -> Iterator[IdParts]:
    """Yield the parts of every id, for each robot and the tasks that fit it."""
    for pair in robot_tasks():
        yield from _parts_for(pair)


def _parts_for(pair: RobotTask) -> Iterator[IdParts]:
    for state, suffix, version in product((False, True), SUFFIXES, VERSIONS):
        yield IdParts(pair.id_prefix, pair.task, state, suffix, version)


def all_ids() -> list[str]:
    """Return all ids of this package."""
    return [parts.env_id for parts in all_parts()]


def parse_id(env_id: str) -> IdParts:
    """Return the parts of an id.

    Args:
        env_id: an id, with or without namespace.

    Raises:
        InvalidArgumentError: the id is unknown.
    """
    name = env_id.removeprefix(f"{ID_NAMESPACE}/")
    known = {parts.name: parts for parts in all_parts()}
    if name not in known:
        ids = [f"{pair.id_prefix}{name}-v{VERSIONS[-1]}" for pair in robot_tasks() if pair.task == name]
        if ids:
            raise InvalidArgumentError(f"{env_id!r} is a task; its environment ids are {', '.join(ids)}, ...")
        raise InvalidArgumentError(
            f"environment id {env_id!r} is not known{suggestion(name, known, 'gym-hil list')}"
        )
    return known[name]


def is_external(env_id: str) -> bool:
    """Return whether an id was registered by another package.

    Args:
        env_id: an id, which may begin with the module that registers it, such as
            ``"my_adapters:my/Reach-v0"``.

    Raises:
        InvalidArgumentError: the module cannot be imported.
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
    """Return an id with namespace, for an id of this or another package.

    Args:
        env_id: the id, with or without namespace.

    Raises:
        InvalidArgumentError: the id is unknown.
    """
    return env_id if is_external(env_id) else parse_id(env_id).env_id


def recorded_id(env_id: str) -> str:
    """Return the id under which episodes of an environment are recorded.

    It ends with ``Base`` instead of an operator, and `gym_hil.stacks.build.make_env` gives it end-effector actions.

    Raises:
        InvalidArgumentError: `env_id` is unknown, or ends with ``Base`` and thus has the actions of `RawTwist`.
    """
    if is_external(env_id):
        return env_id
    parts = parse_id(env_id)
    if parts.suffix == "Base":
        raise InvalidArgumentError(
            f"{env_id!r} has actions of the type twist, with which episodes cannot be recorded; use the id without Base"
        )
    return replace(parts, suffix="Base").env_id


def operator_in_id(env_id: str) -> str | None:
    """Return the name of the operator that an id contains, or None.

    Args:
        env_id: the id.
    """
    return None if is_external(env_id) else parse_id(env_id).arguments.get("operator")


def register_all() -> None:
    """Register all ids that are not registered yet.

    The specifications are added to Gymnasium's registry directly, because `gymnasium.register` compares each
    new id with all others, which would take longer than the rest of `import gym_hil`.
    """
    for pair in robot_tasks():
        for parts in _parts_for(pair):
            env_id = parts.env_id
            if env_id in gym.registry:
                continue
            spec = gym.registry[env_id] = EnvSpec(
                id=env_id,
                entry_point="gym_hil.stacks.build:make_inner",
                vector_entry_point="gym_hil.stacks.vector:make_vector"
                if parts.suffix in VECTOR_SUFFIXES
                else None,
                max_episode_steps=pair.max_episode_steps,
                kwargs=parts.arguments_with(pair),
                additional_wrappers=_SingleEnvironmentWrappers((OUTER_LAYERS,)),
            )
            if parts.version > 0:
                # Gymnasium would ask users of version 0 to upgrade, but version 1 is not newer.
                spec.version = None
