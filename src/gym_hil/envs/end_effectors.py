"""End effectors of an environment, with the attributes of `gym_hil.core.environment`."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.core.command import Command
from gym_hil.core.schema import GripperCommand
from gym_hil.core.step_record import Action
from gym_hil.robots.geometry import Box, rotation_between
from gym_hil.simulation.end_effector import AtTcp, SimulatedEndEffector

if TYPE_CHECKING:
    from gym_hil.envs.manipulation import ManipulationEnv
    from gym_hil.simulation.simulation import Simulation

Array = NDArray[np.float64]


class DrivenEndEffector(AtTcp):
    """The environment as seen by an operator who drives one of its end effectors alone.

    Its actions are those of the end effector's own action term.

    Args:
        env: the environment.
        index: index of the end effector, in the robot's order.

    Attributes:
        entries: slice of its entries in an action of the environment.
    """

    def __init__(self, env: ManipulationEnv, index: int) -> None:
        self._env, self._index = env, index
        self._term = env.action_term.terms[index]
        self.entries = env.action_term.entries[index]
        self.name = self._simulated.spec.name
        self.action_space: spaces.Box = self._term.space
        self.motion_size = self._term.motion_size
        self.scale = self._term.scale
        self.workspace: Box = env.task.workspace_for(self._simulated.spec)

    @property
    def _simulated(self) -> SimulatedEndEffector:
        return self._env.simulation.end_effectors[self._index]

    @property
    def motion_scale(self) -> NDArray[np.float32]:
        """Difference between the motion entries at full speed and those of the neutral action."""
        return self._term.motion_scale

    def neutral_action(self) -> Action:
        """Return the action that causes no motion and keeps the gripper as it is."""
        return self._term.neutral()

    def clip_action(self, action: Action) -> Action:
        """Return an action as float32, clipped to the space."""
        return self._term.clip(action)

    def command_action(self, command: Command) -> Action:
        """Return the action that executes a person's command."""
        return self._term.command(command)

    def translation(self, action: Action) -> Array:
        """Return the displacement of the TCP by an action (3, m, world axes)."""
        return np.array(self._term.motion(action.tolist())[0])

    def gripper_closes(self, action: Action) -> bool | None:
        """Return whether an action closes the gripper, or None if it keeps the gripper as it is."""
        return self._term.closes(action)

    def expert_goal(self) -> Array:
        """Return the goal of the task's expert for the TCP (3, m, world frame)."""
        return self._env.intents()[self._index].tcp_pos_w

    def expert_turn(self) -> Array:
        """Return the rotation to the orientation that the task's expert wants (3, rotation vector, rad, world axes)."""
        goal_quat_w = self._env.intents()[self._index].tcp_quat_w
        return (
            np.zeros(3)
            if goal_quat_w is None
            else rotation_between(self._simulated.target_quat_w, goal_quat_w)
        )

    def expert_action(self, misplaced: Array | float = 0.0) -> Action:
        """Return the action of the task's expert.

        Args:
            misplaced: error of the goal's position that the expert assumes (3, m, world axes).
        """
        intent, simulated = self._env.intents()[self._index], self._simulated
        offset = intent.tcp_pos_w + misplaced - simulated.target_pos_w
        turn: Array = np.zeros(3)
        if intent.tcp_quat_w is not None:
            turn = rotation_between(simulated.target_quat_w, intent.tcp_quat_w)
        gripper = GripperCommand.OPEN if intent.opening > 0.5 else GripperCommand.CLOSE
        return self._term.towards(offset, gripper, turn)


class FirstEndEffector(AtTcp):
    """The attributes of an environment that are those of its first end effector.

    Attributes:
        simulation: the simulation.
    """

    simulation: Simulation
    _end_effector: DrivenEndEffector
    _simulated = property(attrgetter("_end_effector._simulated"))

    def gripper_closes(self, action: Action) -> bool | None:
        """Return whether an action closes the gripper, or None if it keeps the gripper as it is."""
        return self._end_effector.gripper_closes(action[self._end_effector.entries])

    def translation(self, action: Action) -> Array:
        """Return the displacement of the TCP by an action (3, m, world axes)."""
        return self._end_effector.translation(action[self._end_effector.entries])

    def expert_goal(self) -> Array:
        """Return the goal of the task's expert for the TCP (3, m, world frame)."""
        return self._end_effector.expert_goal()

    def expert_turn(self) -> Array:
        """Return the rotation to the orientation that the task's expert wants (3, rotation vector, rad, world axes)."""
        return self._end_effector.expert_turn()

    motion_size = property(attrgetter("_end_effector.motion_size"))
    """Number of the first entries of an action that are motion; the next one commands the gripper."""
    scale = property(attrgetter("_end_effector.scale"))
    """Distance per unit of a command along x, y and z (3, m)."""
    motion_scale = property(attrgetter("_end_effector.motion_scale"))
    """Difference between the motion entries at full speed and those of the neutral action."""
