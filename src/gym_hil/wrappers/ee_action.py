"""End-effector actions: what policies and people command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from gym_hil import schema
from gym_hil.envs.manipulation import MAX_TRANSLATION
from gym_hil.errors import InvalidActionError, InvalidArgumentError

DEFAULT_EE_STEP_SIZE: Mapping[str, float] = {"x": 0.025, "y": 0.025, "z": 0.025}
"""Metres per unit of action."""


class EEActionWrapper(gym.ActionWrapper, RecordConstructorArgs):
    """End-effector actions: dx, dy, dz in units of `ee_action_step_size`, and 0 close, 1 stay, 2 open.

    Actions beyond the space are clipped to it. Without gripper the action has three entries and the fingers
    keep their last command.
    """

    def __init__(
        self,
        env: gym.Env,
        ee_action_step_size: Mapping[str, float] | None = None,
        use_gripper: bool = True,
    ) -> None:
        sizes = dict(DEFAULT_EE_STEP_SIZE if ee_action_step_size is None else ee_action_step_size)
        RecordConstructorArgs.__init__(self, ee_action_step_size=sizes, use_gripper=use_gripper)
        gym.ActionWrapper.__init__(self, env)
        if set(sizes) != {"x", "y", "z"}:
            raise InvalidArgumentError(f"ee_step_size has keys {sorted(sizes)}; it needs x, y and z (m)")
        for axis, size in sizes.items():
            if not 0 < size <= MAX_TRANSLATION:
                raise InvalidArgumentError(
                    f"ee_step_size[{axis!r}]={size!r} must be in (0, {MAX_TRANSLATION}] m"
                )
        self.use_gripper = bool(use_gripper)
        self.scale = np.array([sizes[axis] for axis in "xyz"])
        low, high = [-1.0, -1.0, -1.0, 0.0], [1.0, 1.0, 1.0, 2.0]
        size = 4 if self.use_gripper else 3
        self.action_space = spaces.Box(np.array(low[:size], np.float32), np.array(high[:size], np.float32))

    def action(self, action: Any) -> np.ndarray:
        """Return the raw action (7) of an end-effector action."""
        return self._raw(self.executed(action))

    def executed(self, action: Any) -> np.ndarray:
        """Return `action` as it will be executed: float32, inside the action space.

        Raises:
            InvalidActionError: wrong shape, or a value that is not a finite number.
        """
        assert self.action_space.shape is not None
        box = self.action_space
        try:
            array = np.array(action, dtype=np.float32)
        except (TypeError, ValueError):
            raise InvalidActionError(f"action {action!r} is not made of numbers") from None
        if array.shape != box.shape:
            raise InvalidActionError(f"action has shape {array.shape}, this environment takes {box.shape}")
        if not np.isfinite(array).all():
            raise InvalidActionError(f"action {array.tolist()} has values that are not finite")
        return np.minimum(np.maximum(array, box.low), box.high)  # type: ignore[attr-defined]

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset; the info's actions get this wrapper's shape."""
        observation, info = self.env.reset(**kwargs)
        idle = np.array([0, 0, 0, schema.GripperCommand.STAY][: 4 if self.use_gripper else 3], np.float32)
        return observation, {**info, **_actions(idle)}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step; the info's actions get this wrapper's shape."""
        executed = self.executed(action)
        observation, reward, terminated, truncated, info = self.env.step(self._raw(executed))
        return observation, reward, terminated, truncated, {**info, **_actions(executed)}

    def _raw(self, executed: np.ndarray) -> np.ndarray:
        raw = np.zeros(7)
        raw[:3] = executed[:3] * self.scale
        if self.use_gripper:
            raw[6] = executed[3] - float(schema.GripperCommand.STAY)
        return raw


def _actions(executed: np.ndarray) -> dict[str, np.ndarray]:
    return {schema.TELEOP_ACTION: executed, schema.ACTION_INTERVENTION: executed}
