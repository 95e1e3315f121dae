"""Scripted policies that stand in for trained ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.command import Command
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import require_one_of
from gym_hil.core.schema import GripperCommand
from gym_hil.core.step_record import Action

Policy = Callable[[EnvironmentInterface, np.random.Generator], Action]
"""A function from the environment and a random generator to an action."""
NOISE = 0.15
"""Standard deviation of the noisy expert's commands per axis, in units of the action."""
MISTAKEN = 0.95
"""Fraction of episodes in which the noisy expert misjudges the position of its goal."""
MISPLACED = 0.06
"""Error of the misjudged position (m)."""
CARRY_STEPS = (0, 3)
"""Range of the number of steps (upper bound excluded) for which the fumbling policy keeps the gripper closed."""
OPEN_STEPS = 4
"""Number of steps for which it then opens the gripper."""
NEAR = 0.03
"""Horizontal distance from the goal within which the position is judged correctly (m)."""


def zero(env: EnvironmentInterface, rng: np.random.Generator) -> Action:
    """Return the neutral action."""
    action: Action = env.neutral_action()
    return action


def random(env: EnvironmentInterface, rng: np.random.Generator) -> Action:
    """Return an action drawn uniformly from the action space."""
    space = env.action_space
    action: Action = rng.uniform(space.low, space.high).astype(space.dtype)
    return action


class NoisyExpert:
    """The expert with noise, and with a wrong estimate of the goal's position in most episodes, like a
    partially trained policy.

    The estimate is correct near the goal, so that a short intervention is sufficient.
    """

    def __init__(self) -> None:
        self._offset: NDArray[np.float64] | None = None

    def __call__(self, env: EnvironmentInterface, rng: np.random.Generator) -> Action:
        """Return the expert's action for the estimated goal, with noise."""
        if self._offset is None:
            angle = rng.uniform(0.0, 2.0 * np.pi)
            distance = MISPLACED if rng.random() < MISTAKEN else 0.0
            self._offset = distance * np.array([np.cos(angle), np.sin(angle), 0.0])
        actions = []
        for end_effector in env.end_effectors:
            to_goal = end_effector.expert_goal() - end_effector.tcp_pos_w
            assumed_error = self._offset if float(np.hypot(to_goal[0], to_goal[1])) > NEAR else np.zeros(3)
            action = end_effector.expert_action(assumed_error).astype(np.float64)
            size = end_effector.motion_size
            action[:size] += rng.normal(0.0, NOISE, size) * end_effector.action_space.high[:size]
            actions.append(action)
        clipped: Action = env.clip_action(np.concatenate(actions))
        return clipped


class Fumbling:
    """The expert, which opens the gripper soon after every grasp, so that it drops what it lifts."""

    def __init__(self) -> None:
        self._closed: dict[int, int] = {}
        self._open: dict[int, int] = {}

    def __call__(self, env: EnvironmentInterface, rng: np.random.Generator) -> Action:
        """Return the expert's action, or one that opens the grippers."""
        actions = []
        for number, end_effector in enumerate(env.end_effectors):
            action = end_effector.expert_action()
            if not end_effector.gripper_closing:
                self._closed[number] = int(rng.integers(*CARRY_STEPS))
            elif self._closed[number] == 0:
                self._open[number] = OPEN_STEPS
            else:
                self._closed[number] -= 1
            if self._open.get(number, 0):
                self._open[number] -= 1
                opened = end_effector.command_action(Command(gripper=GripperCommand.OPEN))
                action[end_effector.motion_size :] = opened[end_effector.motion_size :]
            actions.append(action)
        clipped: Action = env.clip_action(np.concatenate(actions))
        return clipped


POLICIES: dict[str, Callable[[], Policy]] = {
    "zero": lambda: zero,
    "random": lambda: random,
    "noisy-expert": NoisyExpert,
    "fumbling": Fumbling,
}


def make_policy(name: str) -> Policy:
    """Return a policy by its name.

    Args:
        name: a name in `POLICIES`.

    Raises:
        InvalidArgumentError: the name is unknown.
    """
    require_one_of("policy", name, POLICIES)
    return POLICIES[name]()
