"""End-effector actions: what policies and people command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from gym_hil.core import schema
from gym_hil.core.arguments import require_mapping, require_number
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.envs.action import MAX_TRANSLATION, Bounds, clipped_values

DEFAULT_EE_STEP_SIZE: Mapping[str, float] = {"x": 0.025, "y": 0.025, "z": 0.025}
"""Metres per unit of action."""
BOUNDS: Bounds = [-1.0, -1.0, -1.0, 0.0], [1.0, 1.0, 1.0, 2.0]
"""Of x, y, z and the gripper command."""
STAY = float(schema.GripperCommand.STAY)


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
        given = DEFAULT_EE_STEP_SIZE if ee_action_step_size is None else ee_action_step_size
        sizes = dict(require_mapping("ee_step_size", given, f"{dict(DEFAULT_EE_STEP_SIZE)} (m)"))
        RecordConstructorArgs.__init__(self, ee_action_step_size=sizes, use_gripper=use_gripper)
        gym.ActionWrapper.__init__(self, env)
        if set(sizes) != {"x", "y", "z"}:
            keys = sorted(sizes, key=str)
            raise InvalidArgumentError(f"ee_step_size has keys {keys}; it needs x, y and z (m)")
        for axis, size in sizes.items():
            name = f"ee_step_size[{axis!r}]"
            require_number(name, size, above=0, at_most=MAX_TRANSLATION, unit="metres")
        self.use_gripper = bool(use_gripper)
        self._metres = [float(sizes[axis]) for axis in "xyz"]
        self.scale = np.array(self._metres)
        entries = 4 if self.use_gripper else 3
        self._bounds = BOUNDS[0][:entries], BOUNDS[1][:entries]
        self.idle = [0.0, 0.0, 0.0, STAY][:entries]
        self.action_space = spaces.Box(*np.array(self._bounds, np.float32))

    def action(self, action: Any) -> np.ndarray:
        """Return the raw action (7) of an end-effector action."""
        return np.array(self._raw(self.executed(action)))

    def executed(self, action: Any) -> np.ndarray:
        """Return `action` as it will be executed: float32, inside the action space.

        Raises:
            InvalidActionError: wrong shape, or a value that is not a finite number.
        """
        return np.array(clipped_values(action, self._bounds), np.float32)

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset; the info's actions get this wrapper's shape."""
        observation, info = self.env.reset(**kwargs)
        return observation, {**info, **_actions(self.executed(self.idle))}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step; the info's actions get this wrapper's shape."""
        executed = self.executed(action)
        observation, reward, terminated, truncated, info = self.env.step(self._raw(executed))
        return observation, reward, terminated, truncated, {**info, **_actions(executed)}

    def _raw(self, executed: np.ndarray) -> list[float]:
        x, y, z, *gripper = executed.tolist()
        scale_x, scale_y, scale_z = self._metres
        fingers = gripper[0] - STAY if gripper else 0.0
        return [x * scale_x, y * scale_y, z * scale_z, 0.0, 0.0, 0.0, fingers]


def _actions(executed: np.ndarray) -> dict[str, np.ndarray]:
    return {schema.TELEOP_ACTION: executed, schema.ACTION_INTERVENTION: executed}
