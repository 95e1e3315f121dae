"""Build environments from keyword arguments: the entry points of all ids."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import gymnasium as gym
from gymnasium.envs.registration import load_env_creator

from gym_hil.core.errors import UnknownArgumentError, did_you_mean, require_one_of
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.stacks.ids import ENVIRONMENT_CLASSES, base_ids
from gym_hil.viewers.passive_viewer import PassiveViewerWrapper
from gym_hil.wrappers.auto_reset import SameStepReset
from gym_hil.wrappers.ee_action import EEActionWrapper
from gym_hil.wrappers.gripper_penalty import GripperPenaltyWrapper
from gym_hil.wrappers.reset_delay import ResetDelayWrapper

if TYPE_CHECKING:
    from gym_hil.intervention.operator import Operator

_ENV_ARGUMENTS = frozenset(inspect.signature(ManipulationEnv).parameters)


RawEnv = Callable[..., ManipulationEnv]
"""What makes the innermost environment from its keyword arguments."""


def make_base(
    task: str,
    use_gripper: bool = True,
    gripper_penalty: float | None = None,
    *,
    raw_env: RawEnv | None = None,
    **kwargs: Any,
) -> gym.Env:
    """Return the raw environment. Its action has 7 entries whatever `use_gripper` says."""
    _refuse_unknown(kwargs, _ENV_ARGUMENTS | {"use_gripper", "gripper_penalty"})
    env: gym.Env = _environment(raw_env, {**kwargs, "task": task})
    return env if gripper_penalty is None else GripperPenaltyWrapper(env, penalty=gripper_penalty)


def wrap_env(
    env: gym.Env,
    ee_step_size: Mapping[str, float] | None = None,
    use_viewer: bool = False,
    use_gamepad: bool = False,
    use_gripper: bool = True,
    use_inputs_control: bool = False,
    auto_reset: bool = False,
    show_ui: bool = True,
    gripper_penalty: float | None = -0.02,
    reset_delay_seconds: float = 0.0,
    controller_config_path: str | None = None,
    *,
    operator: str | Operator | None = None,
    preset: str = "expert",
) -> gym.Env:
    """Return `env` with end-effector actions, gripper penalty, a human, and a delay (s) before resets.

    Args:
        env: a raw environment.
        ee_step_size: metres per unit of action for x, y and z.
        use_viewer: show it in a window, where there is a display.
        use_gamepad: with `use_inputs_control`: a gamepad, else the window's keyboard.
        use_gripper: whether the action has a gripper entry.
        use_inputs_control: let a person take over; the same as `operator` ``"gamepad"`` or ``"keyboard"``.
        auto_reset: begin the next episode in the step that ends one; see `gymnasium.wrappers.Autoreset` for
            the usual way. The last observation is then in ``info["final_obs"]``.
        show_ui: show the key map in the window.
        gripper_penalty: in ``info["discrete_penalty"]`` when the gripper changes its mind; None for none.
        reset_delay_seconds: time to get ready before a reset.
        controller_config_path: JSON file that maps a gamepad's axes and buttons.
        operator: who may take over: an `Operator`, a person (``"gamepad"``, ``"keyboard"``,
            ``"global-keyboard"``, ``"spacemouse"``, ``"terminal"``), ``"simulated"`` (with the limits of
            `preset`) or ``"expert"``; None leaves the policy alone.
        preset: limits of the simulated human.
    """
    if use_inputs_control and operator is None:
        operator = "gamepad" if use_gamepad else "keyboard"
    env = EEActionWrapper(env, ee_action_step_size=ee_step_size, use_gripper=use_gripper)
    if use_viewer:
        env = PassiveViewerWrapper(env, show_left_ui=show_ui, show_right_ui=show_ui)
    if gripper_penalty is not None:
        env = GripperPenaltyWrapper(env, penalty=gripper_penalty)
    if operator is not None:
        from gym_hil.intervention.named import make_operator
        from gym_hil.intervention.takeover import InterventionWrapper

        if isinstance(operator, str):
            operator = make_operator(operator, preset=preset, controller_config_path=controller_config_path)
        env = InterventionWrapper(env, operator)
    if auto_reset:
        env = SameStepReset(env)
    if reset_delay_seconds:
        env = ResetDelayWrapper(env, delay_seconds=reset_delay_seconds)
    return env


def make_env(env_id: str, *, raw_env: RawEnv | None = None, **kwargs: Any) -> gym.Env:
    """Return the wrapped environment of a base id, such as ``"gym_hil/PandaPickCubeBase-v0"``.

    Keyword arguments are those of `wrap_env` and of `ManipulationEnv`.
    """
    ids = base_ids()
    require_one_of("env_id", env_id, ids)
    wrapper_arguments = set(inspect.signature(wrap_env).parameters) - {"env"}
    _refuse_unknown(kwargs, _ENV_ARGUMENTS | wrapper_arguments)
    outer = {key: value for key, value in kwargs.items() if key in wrapper_arguments}
    inner = {key: value for key, value in kwargs.items() if key not in wrapper_arguments}
    env = wrap_env(_environment(raw_env, {**ids[env_id], **inner}), **outer)
    if "lerobot" in sys.modules:
        compatibility = import_module("gym_hil.integrations.lerobot.compatibility")
        if compatibility.is_driving():
            return compatibility.LeRobotCompatibility(env)
    return env


def _environment(raw_env: RawEnv | None, kwargs: dict[str, Any]) -> ManipulationEnv:
    make = raw_env
    if make is None:
        reference = ENVIRONMENT_CLASSES.get(kwargs["task"])
        make = ManipulationEnv if reference is None else cast(RawEnv, load_env_creator(reference))
    return make(**{"render_mode": None, **kwargs})


def _refuse_unknown(given: Mapping[str, Any], known: frozenset[str] | set[str]) -> None:
    for name in given:
        if name not in known:
            raise UnknownArgumentError(f"argument {name!r} is not known{did_you_mean(name, sorted(known))}")
