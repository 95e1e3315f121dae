"""Builds environments with all layers around them.

The layers are, from the inside: environment, Gymnasium's time limit, takeover, reset delay, automatic reset,
pacing. For an id, `gymnasium.make` calls `make_inner`, adds its own time limit, and then calls
`add_outer_layers`; `build_env` does the same in one call.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import gymnasium as gym
from gymnasium.envs.registration import load_env_creator

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError, RenderingError
from gym_hil.core.success import SuccessDetector
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.envs.robot_actions import make_robot_action
from gym_hil.intervention.named import make_operator
from gym_hil.intervention.operator import Operator
from gym_hil.intervention.takeover import InterventionWrapper
from gym_hil.robots import ROBOTS
from gym_hil.stacks.config import INNER_FIELDS, EnvConfig
from gym_hil.stacks.ids import ENVIRONMENT_CLASSES, OUTER_LAYERS, is_external, parse_id
from gym_hil.tasks import TASKS
from gym_hil.viewers.attach import needs_viewer, open_page, open_window
from gym_hil.wrappers.auto_reset import SameStepReset
from gym_hil.wrappers.ee_action import EEActionWrapper
from gym_hil.wrappers.real_time import RealTimeWrapper
from gym_hil.wrappers.reset_delay import ResetDelayWrapper

RawEnv = Callable[..., ManipulationEnv]
"""A function that creates the innermost environment from its keyword arguments."""


def build_env(config: EnvConfig, *, raw_env: RawEnv | None = None) -> gym.Env:
    """Create the environment of a configuration with all layers.

    Args:
        config: the configuration.
        raw_env: creates the innermost environment; None for the default class.
    """
    if config.env_id is not None:
        limit = config.max_episode_steps
        mode: dict[str, Any] = {} if config.render_mode is None else {"render_mode": config.render_mode}
        try:
            made = gym.make(config.env_id, max_episode_steps=limit, **mode)
        except TypeError as error:
            if not mode or "render_mode" not in str(error):
                raise
            raise RenderingError(f"{config.env_id} takes no render_mode") from error
        return add_outer_layers(made, config)
    env = _environment(config, raw_env)
    limit = config.max_episode_steps or env.task.max_episode_steps
    return add_outer_layers(gym.wrappers.TimeLimit(env, limit), config)


Build = Callable[[EnvConfig], gym.Env]
"""A function that creates the environment of a configuration with all layers."""


def make_env(
    env_id: str, *positional: Any, raw_env: RawEnv | None = None, build: Build | None = None, **arguments: Any
) -> gym.Env:
    """Create the environment of an id with all layers.

    Args:
        env_id: an id. The suffix ``Base`` is ignored: actions are end-effector actions unless `action` is
            given.
        positional: arguments that `wrap_env` takes in the same order.
        raw_env: creates the innermost environment; None for the default class.
        build: creates the environment of the configuration, for example with a robot outside the simulation; None
            for `build_env`.
        arguments: fields of `EnvConfig`. Unlike `gymnasium.make`, real time is kept only if `real_time` is
            true.
    """
    arguments = _with_names("make_env", positional, arguments)
    action = "xyz" if is_external(env_id) else TASKS[parse_id(env_id).task].action
    config = EnvConfig.of(env_id, **{"action": action, "real_time": False, **arguments})
    return build_env(config, raw_env=raw_env) if build is None else build(config)


def configured_operator(config: EnvConfig) -> Operator | None:
    """Return the operator of a configuration, which is created if the configuration names it."""
    operator = config.operator
    if not isinstance(operator, str):
        return operator
    return make_operator(
        operator,
        preset=config.preset,
        controller_config_path=config.controller_config_path,
        gamepad_name=config.gamepad_name,
        page=config.page,
    )


def wrap_env(env: gym.Env, *positional: Any, **arguments: Any) -> gym.Env:
    """Add end-effector actions and all layers to an environment with raw actions.

    Args:
        env: an environment with the actions of `RawTwist`, such as an id with ``Base``.
        positional: `ee_step_size`, `use_viewer`, `use_gamepad`, `use_gripper`, `use_inputs_control`,
            `auto_reset`, `show_ui`, `gripper_penalty`, `reset_delay_seconds`, `controller_config_path`, in this order.
        arguments: the same by name, and other fields of `EnvConfig` that concern the layers. There is no time
            limit, and real time is kept only if `real_time` is true.

    Raises:
        InvalidArgumentError: an argument concerns the environment itself, or there are too many.
    """
    arguments = _with_names("wrap_env", positional, arguments)
    for name in arguments.keys() & (
        INNER_FIELDS | {"action", "render_spec", "render_mode", "max_episode_steps"}
    ):
        raise InvalidArgumentError(f"{name} must be given when the environment is created, not to wrap_env")
    config = EnvConfig.of(None, **{"real_time": False, **arguments})
    env = EEActionWrapper(env, ee_action_step_size=config.ee_step_size, use_gripper=config.use_gripper)
    if env.has_wrapper_attr("set_gripper_penalty"):
        env.get_wrapper_attr("set_gripper_penalty")(config.gripper_penalty or 0.0)
    return add_outer_layers(env, config)


_POSITIONAL = (
    "ee_step_size",
    "use_viewer",
    "use_gamepad",
    "use_gripper",
    "use_inputs_control",
    "auto_reset",
    "show_ui",
    "gripper_penalty",
    "reset_delay_seconds",
    "controller_config_path",
)


def _with_names(function: str, positional: tuple[Any, ...], arguments: dict[str, Any]) -> dict[str, Any]:
    if len(positional) > len(_POSITIONAL):
        raise InvalidArgumentError(
            f"{function} takes at most {len(_POSITIONAL)} positional arguments after the first"
        )
    return {**dict(zip(_POSITIONAL, positional, strict=False)), **arguments}


def make_inner(**arguments: Any) -> ManipulationEnv:
    """Create the environment of an id without layers. This is the entry point of all ids."""
    config = EnvConfig.of(None, **arguments)
    env = _environment(config)
    env.stack_config = config
    return env


def add_outer_layers(env: gym.Env, config: EnvConfig | None = None) -> gym.Env:
    """Add takeover, reset delay, automatic reset and pacing to an environment, and open its viewers.

    Args:
        env: an environment with its time limit.
        config: the configuration; None for the one that was given to `make_inner`.
    """
    if config is None:
        config = env.get_wrapper_attr("stack_config")
    inner_spec = env.spec
    if config.reward is not None:
        EnvironmentInterface(env).set_success_detector(_success_detector(config.reward))
    operator = configured_operator(config)
    layers: list[gym.Wrapper] = [InterventionWrapper(env, operator)]
    if needs_viewer(layers[-1], "page"):
        print(open_page(layers[-1]).url, flush=True)  # noqa: T201
    human_mode = env.render_mode == "human"
    if config.use_viewer or human_mode or needs_viewer(layers[-1], "window"):
        open_window(layers[-1], show_help=config.show_ui)
    if config.reset_delay_seconds:
        layers.append(ResetDelayWrapper(layers[-1], delay_seconds=config.reset_delay_seconds))
    if config.auto_reset:
        layers.append(SameStepReset(layers[-1]))
    compatibility = _lerobot_compatibility()
    person = operator is not None and operator.device is not None and not operator.simulated
    if config.real_time or (config.real_time is None and person and compatibility is None):
        layers.append(RealTimeWrapper(layers[-1]))
    if compatibility is not None:
        layers.append(compatibility(layers[-1]))
    if inner_spec is not None:
        for layer in layers:  # gymnasium.make(env.spec) builds the layers again by this function
            layer._cached_spec = replace(
                inner_spec, additional_wrappers=(*inner_spec.additional_wrappers, OUTER_LAYERS)
            )
    return layers[-1]


def _success_detector(reward: str | os.PathLike[str] | SuccessDetector) -> SuccessDetector:
    """Return a detector of success. PyTorch is imported only for files."""
    if not isinstance(reward, str | os.PathLike):
        return reward
    detector: SuccessDetector = import_module("gym_hil.learning.reward").LearnedSuccess(Path(reward))
    return detector


def _lerobot_compatibility() -> type[gym.Wrapper] | None:
    """Return the wrapper for LeRobot's programs, which keep real time themselves, or None in other programs."""
    if "lerobot" not in sys.modules:
        return None
    module = import_module("gym_hil.integrations.lerobot.compatibility")
    return module.LeRobotCompatibility if module.is_driving() else None


def _environment(config: EnvConfig, raw_env: RawEnv | None = None) -> ManipulationEnv:
    make = raw_env
    if make is None:
        reference = ENVIRONMENT_CLASSES.get((config.robot, config.task))
        make = ManipulationEnv if reference is None else cast(RawEnv, load_env_creator(reference))
    robot = ROBOTS.get(config.robot) if isinstance(config.robot, str) else config.robot
    return make(
        task=config.task,
        seed=config.seed,
        control_dt=config.control_dt,
        physics_dt=config.physics_dt,
        render_spec=config.render_spec,
        render_mode=config.render_mode,
        image_obs=config.image_obs,
        state_obs=config.state_obs,
        reward_type=config.reward_type,
        random_block_position=config.random_block_position,
        observation_terms=config.observation_terms,
        robot=robot,
        action_term=make_robot_action(
            config.action, robot, step_size=config.ee_step_size, use_gripper=config.use_gripper
        ),
        gripper_penalty=config.gripper_penalty or 0.0,
        **({"delays": config.delays} if config.delays else {}),
    )
