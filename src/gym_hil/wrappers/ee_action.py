"""End-effector actions for environments with raw actions, for programs written for gym-hil 0.1.14."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from gym_hil.core import schema
from gym_hil.core.command import Command
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import GripperCommand
from gym_hil.core.step_record import Action
from gym_hil.envs.actions import DEFAULT_EE_STEP_SIZE as DEFAULT_EE_STEP_SIZE
from gym_hil.envs.actions import EndEffectorStep


class EEActionWrapper(gym.ActionWrapper, RecordConstructorArgs):
    """Gives an environment with the actions of `RawTwist` those of `EndEffectorStep`.

    Ids without ``Base`` do not need this wrapper, because their environments have these actions already.

    Args:
        env: an environment with raw actions.
        ee_action_step_size: distance per unit of action along x, y and z (m).
        use_gripper: whether the action has a gripper entry. Without it, the gripper keeps its last command.

    Raises:
        InvalidArgumentError: the robot has several end effectors, or a step size is invalid.
    """

    def __init__(
        self,
        env: gym.Env,
        ee_action_step_size: Mapping[str, float] | None = None,
        use_gripper: bool = True,
    ) -> None:
        self.action_term = EndEffectorStep(ee_action_step_size, use_gripper=use_gripper)
        sizes = dict(zip("xyz", self.action_term.scale.tolist(), strict=True))
        RecordConstructorArgs.__init__(self, ee_action_step_size=sizes, use_gripper=use_gripper)
        gym.ActionWrapper.__init__(self, env)
        self._inside = EnvironmentInterface(env)
        if len(self._inside.end_effectors) > 1:
            raise InvalidArgumentError(
                "EEActionWrapper supports robots with one end effector only; use the id without Base instead"
            )
        self.use_gripper = self.action_term.use_gripper
        self.scale = self.action_term.scale
        self.motion_size = self.action_term.motion_size
        self.motion_scale = self.action_term.motion_scale
        self.action_space = self.action_term.space

    def action(self, action: Any) -> np.ndarray:
        """Return the raw action (7) for an end-effector action."""
        translation, rotation, gripper = self.action_term.motion(self.clip_action(action).tolist())
        return np.array([*translation, *rotation, gripper])

    def neutral_action(self) -> Action:
        """Return the action that causes no motion and keeps the gripper as it is."""
        return self.action_term.neutral()

    def clip_action(self, action: Any) -> Action:
        """Return an action as float32, clipped to the space."""
        return self.action_term.clip(action)

    def command_action(self, command: Command) -> Action:
        """Return the action that executes a person's command."""
        return self.action_term.command(command)

    def gripper_closes(self, action: Action) -> bool | None:
        """Return whether an action closes the gripper, or None if it keeps the gripper as it is."""
        return self.action_term.closes(action)

    def translation(self, action: Action) -> np.ndarray:
        """Return the displacement of the TCP by an action (3, m, world axes)."""
        return np.array(self.action_term.motion(action.tolist())[0])

    def expert_action(self, misplaced: Any = 0.0) -> Action:
        """Return the action of the task's expert, see `ManipulationEnv.expert_action`."""
        raw = self._inside.expert_action(misplaced)
        to_goal = np.asarray(self._inside.expert_goal() + misplaced - self._inside.target_pos_w)
        closes = self._inside.gripper_closes(raw)
        return self.action_term.towards(to_goal, GripperCommand.CLOSE if closes else GripperCommand.OPEN)

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset the environment. The actions in the info are those of this wrapper."""
        observation, info = self.env.reset(**kwargs)
        return observation, {**info, **_actions(self.neutral_action())}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the environment. The actions in the info are those of this wrapper."""
        executed = self.clip_action(action)
        observation, reward, terminated, truncated, info = self.env.step(self.action(executed))
        return observation, reward, terminated, truncated, {**info, **_actions(executed)}


def _actions(executed: np.ndarray) -> dict[str, np.ndarray]:
    return {schema.TELEOP_ACTION: executed, schema.ACTION_INTERVENTION: executed}
