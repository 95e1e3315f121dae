"""Subgoals of tasks in which several objects each have to reach a goal.

Such a task is a sequence of subtasks. The current one concerns the object that the gripper holds, or else the
first object that is not at its goal. A single reward after the last object would be too sparse for learning.
Therefore each object that reaches its goal for the first time gives a reward, at which the return ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.learning.proprioception import ProprioceptiveState
from gym_hil.tasks.base import Pair, Task

HELD_WITHIN = 0.025
"""Largest distance between a held object and the TCP (m)."""
CLOSED_BY = 0.25
"""Smallest closure of the gripper, in [0, 1], at which it can hold an object."""


class Subgoals:
    """Detects which objects are at their goals and which subgoal is the current one.

    Args:
        task: a task with pairs of objects and goals.

    Attributes:
        pairs: the pairs of the task.
    """

    def __init__(self, task: Task) -> None:
        self.pairs = [Pair(*pair) for pair in task.pairs]
        self._proprioception = ProprioceptiveState(task.robot)
        self._most_reached = 0

    def held(self, observation: dict[str, Any]) -> int | None:
        """Return the index of the pair whose object the gripper holds, or None."""
        if self._proprioception.closure(observation) < CLOSED_BY:
            return None
        places, tcp = positions(observation), self._proprioception.tcp_pos(observation)
        distances = [float(np.linalg.norm(places[pair.moved] - tcp)) for pair in self.pairs]
        nearest = int(np.argmin(distances))
        return nearest if distances[nearest] < HELD_WITHIN else None

    def reached(self, observation: dict[str, Any]) -> NDArray[np.bool_]:
        """Return for each pair whether its object is at its goal and not held."""
        held, places = self.held(observation), positions(observation)
        return np.array(
            [
                number != held and _is_at_goal(displacement_to_goal(places, pair), pair.tolerance)
                for number, pair in enumerate(self.pairs)
            ]
        )

    def current(self, observation: dict[str, Any]) -> int:
        """Return the index of the current pair: the held one, or else the first one that is not reached."""
        held = self.held(observation)
        return int(np.argmin(self.reached(observation))) if held is None else held

    def begin(self, observation: dict[str, Any]) -> None:
        """Begin an episode with its first observation."""
        self._most_reached = int(self.reached(observation).sum())

    def is_new(self, observation: dict[str, Any]) -> bool:
        """Return whether more objects are at their goals than before in the episode.

        An object that is removed from its goal and put back does not count again.
        """
        count = int(self.reached(observation).sum())
        is_new, self._most_reached = count > self._most_reached, max(count, self._most_reached)
        return is_new


def positions(observation: dict[str, Any]) -> NDArray[Any]:
    """Return the positions in `environment_state` (number of positions, 3, m, world frame)."""
    return observation[schema.ENVIRONMENT_STATE].reshape(-1, 3)


def displacement_to_goal(places: NDArray[Any], pair: Pair) -> NDArray[Any]:
    """Return the displacement from the pair's object to its goal (3, m, world frame)."""
    return places[pair.goal] + np.array(pair.offset, places.dtype) - places[pair.moved]


def _is_at_goal(displacement: NDArray[Any], tolerance: float) -> bool:
    return float(np.hypot(*displacement[:2])) < tolerance and abs(float(displacement[2])) < tolerance
