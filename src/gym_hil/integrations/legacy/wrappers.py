"""The wrappers of gym-hil 0.1.14, with their names and arguments."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypedDict

import gymnasium as gym

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.integrations.legacy.environments import MAX_GRIPPER_COMMAND as MAX_GRIPPER_COMMAND
from gym_hil.integrations.legacy.environments import PandaArrangeBoxesGymEnv as PandaArrangeBoxesGymEnv
from gym_hil.integrations.legacy.environments import PandaPickCubeGymEnv as PandaPickCubeGymEnv
from gym_hil.intervention.named import make_operator
from gym_hil.intervention.takeover import InterventionWrapper
from gym_hil.stacks.build import make_env as make_env
from gym_hil.stacks.build import wrap_env as wrap_env
from gym_hil.viewers.attach import needs_viewer, open_window
from gym_hil.viewers.passive_viewer import PassiveViewerWrapper as _PassiveViewerWrapper
from gym_hil.wrappers.ee_action import DEFAULT_EE_STEP_SIZE as DEFAULT_EE_STEP_SIZE
from gym_hil.wrappers.ee_action import EEActionWrapper as _EEActionWrapper
from gym_hil.wrappers.gripper_penalty import GripperPenaltyWrapper as GripperPenaltyWrapper
from gym_hil.wrappers.reset_delay import ResetDelayWrapper as ResetDelayWrapper


class EEActionStepSize(TypedDict):
    """Distance that an action of 1 moves the target along each axis (m)."""

    x: float
    y: float
    z: float


class EEActionWrapper(_EEActionWrapper):
    """End-effector actions. If only step sizes are given, the action has no gripper entry, as in 0.1.14.

    Args:
        env: the environment.
        ee_action_step_size: distance that an action of 1 moves the target along x, y and z (m).
        use_gripper: whether the action has a gripper entry; None means true unless step sizes are given.
    """

    def __init__(
        self,
        env: gym.Env,
        ee_action_step_size: Mapping[str, float] | None = None,
        use_gripper: bool | None = None,
    ) -> None:
        if use_gripper is None:
            use_gripper = ee_action_step_size is None
        super().__init__(env, ee_action_step_size, use_gripper)


class InputsControlWrapper(InterventionWrapper):
    """Lets a person take over with a gamepad, or with the keyboard of the environment's window.

    Args:
        env: the environment, with an `EEActionWrapper`.
        x_step_size: must be 1: the `EEActionWrapper` defines how far full motion moves the target.
        y_step_size: must be 1.
        z_step_size: must be 1.
        use_gripper: not used: the action space defines whether there is a gripper entry.
        auto_reset: whether to reset in the step that ends an episode; its last observation is then in
            ``info["final_obs"]``.
        input_threshold: not used.
        use_gamepad: whether to use a gamepad instead of the keyboard.
        controller_config_path: JSON file that maps a gamepad's axes and buttons.

    Raises:
        InvalidArgumentError: a step size is not 1.
    """

    def __init__(
        self,
        env: gym.Env,
        x_step_size: float = 1.0,
        y_step_size: float = 1.0,
        z_step_size: float = 1.0,
        use_gripper: bool = False,
        auto_reset: bool = False,
        input_threshold: float = 0.001,
        use_gamepad: bool = True,
        controller_config_path: str | os.PathLike[str] | None = None,
    ) -> None:
        sizes = {"x_step_size": x_step_size, "y_step_size": y_step_size, "z_step_size": z_step_size}
        for argument, size in sizes.items():
            if size != 1.0:
                raise InvalidArgumentError(
                    f"{argument}={size!r} must be 1; the length of a step is set by "
                    "EEActionWrapper(ee_action_step_size=...)"
                )
        name = "gamepad" if use_gamepad else "keyboard"
        path = None if controller_config_path is None else os.fspath(controller_config_path)
        super().__init__(env, make_operator(name, controller_config_path=path))
        self.auto_reset = auto_reset
        if needs_viewer(self, "window"):
            open_window(self)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the environment, and reset it at the end of an episode if `auto_reset` is true."""
        observation, reward, terminated, truncated, info = super().step(action)
        if self.auto_reset and (terminated or truncated):
            first, reset_info = self.reset()
            info = {**info, "final_obs": observation, "reset_info": reset_info}
            observation = first
        return observation, reward, terminated, truncated, info


class PassiveViewerWrapper(_PassiveViewerWrapper):
    """Shows an environment in a window if there is a display."""

    @property
    def _viewer(self) -> ViewerHandle:
        return ViewerHandle(self)


class ViewerHandle:
    """The viewer of a `PassiveViewerWrapper`, as scripts written for MuJoCo's passive viewer use it."""

    def __init__(self, wrapper: PassiveViewerWrapper) -> None:
        self._wrapper = wrapper

    def is_running(self) -> bool:
        """Return whether the window is open."""
        window = self._wrapper.window
        return window is not None and not window.closed

    def sync(self) -> None:
        """Do nothing: every step is shown."""

    def close(self) -> None:
        """Close the window. The environment stays open."""
        window = self._wrapper.window
        if window is not None:
            window.close()
