"""Subgoals of tasks in which several objects have to reach a goal each.

Such a task is one subtask after another: the object that the fingers hold is brought to its goal, else the
first one that is not there is fetched. For a learner the episode's only reward, after the last object,
would come too late; each object that reaches its goal for the first time is rewarded instead, and ends the
return.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.learning.proprioception import Proprioception
from gym_hil.tasks.base import Pair, Task

HELD_WITHIN = 0.025
"""Farthest that a held object's position lies from the TCP (m)."""
CLOSED_BY = 0.25
"""Least closure of the gripper, in [0, 1], while the fingers hold something: fully open fingers have let go."""


class Subgoals:
    """Which objects are at their goals, and which one is next.

    Args:
        task: with pairs of objects and goals.

    Attributes:
        pairs: of the task.
    """

    def __init__(self, task: Task) -> None:
        self.pairs = [Pair(*pair) for pair in task.pairs]
        self._own = Proprioception(task.robot)
        self._most_reached = 0

    def held(self, observation: dict[str, Any]) -> int | None:
        """Return the number of the pair whose object the fingers hold, or None."""
        if self._own.closure(observation) < CLOSED_BY:
            return None
        places, tcp = positions(observation), self._own.tcp_pos(observation)
        distances = [float(np.linalg.norm(places[pair.moved] - tcp)) for pair in self.pairs]
        nearest = int(np.argmin(distances))
        return nearest if distances[nearest] < HELD_WITHIN else None

    def reached(self, observation: dict[str, Any]) -> NDArray[np.bool_]:
        """Return for each pair whether its object lies at its goal and has been let go."""
        held, places = self.held(observation), positions(observation)
        return np.array(
            [
                number != held and _is_at_goal(way_to_goal(places, pair), pair.tolerance)
                for number, pair in enumerate(self.pairs)
            ]
        )

    def current(self, observation: dict[str, Any]) -> int:
        """Return the number of the pair to work on: the held one, else the first that is not reached."""
        held = self.held(observation)
        return int(np.argmin(self.reached(observation))) if held is None else held

    def begin(self, observation: dict[str, Any]) -> None:
        """Begin an episode."""
        self._most_reached = int(self.reached(observation).sum())

    def is_new(self, observation: dict[str, Any]) -> bool:
        """Return whether more objects are at their goals than ever before in the episode.

        An object that is taken away and put back is not rewarded again.
        """
        count = int(self.reached(observation).sum())
        is_new, self._most_reached = count > self._most_reached, max(count, self._most_reached)
        return is_new


def positions(observation: dict[str, Any]) -> NDArray[Any]:
    """Return the positions in `environment_state`, of shape (positions, 3), in m in the world frame."""
    return observation[schema.ENVIRONMENT_STATE].reshape(-1, 3)


def way_to_goal(places: NDArray[Any], pair: Pair) -> NDArray[Any]:
    """Return the displacement (3, m) that brings the pair's object to its goal."""
    return places[pair.goal] + np.array(pair.offset, places.dtype) - places[pair.moved]


def _is_at_goal(way: NDArray[Any], tolerance: float) -> bool:
    return float(np.hypot(way[0], way[1])) < tolerance and abs(float(way[2])) < tolerance
