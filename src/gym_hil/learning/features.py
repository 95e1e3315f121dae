"""State features that a policy observes: positions at several scales, normalized to a magnitude of about one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.learning.image_observation import FEATURES, ImageLayout
from gym_hil.learning.proprioception import CENTRE, REACH, TERMS, ProprioceptiveState
from gym_hil.learning.subgoals import Subgoals, displacement_to_goal, positions
from gym_hil.tasks.base import Pair, Task

_NEAR, _CLOSE, _FINE = 0.1, 0.02, 0.002
"""Scales of displacements (m)."""
_LOADS = np.array([20.0] * 3 + [1.0] * 3, np.float32)
"""Scales of forces (N) and torques (N m) in a wrench."""


class Features(Protocol):
    """Maps an observation to features."""

    @property
    def terms(self) -> tuple[str, ...]:
        """Names and sizes of the features, each as ``name[size]``."""

    def __call__(self, observation: dict[str, Any]) -> NDArray[np.float32]:
        """Return the features of an observation with ``agent_pos`` and ``environment_state``."""


class FurtherFeatures:
    """The joint positions, if actions rotate the hand, and the wrench at every TCP, if the task observes it.

    Args:
        task: the task.

    Attributes:
        terms: names and sizes of the features, each as ``name[size]``.
    """

    def __init__(self, task: Task) -> None:
        self._proprioception = ProprioceptiveState(task.robot)
        self._turns, self._touches = task.action != "xyz", schema.TCP_WRENCH in task.further_terms
        terms = []
        if self._turns:
            terms.append(f"joint_pos[{len(task.robot.joints)}]")
        if self._touches:
            terms.append(f"tcp_wrench[{6 * len(task.robot.end_effectors)}]")
        self.terms = tuple(terms)

    def __call__(self, observation: dict[str, Any]) -> list[NDArray[Any]]:
        """Return the vectors of these features."""
        vectors = []
        if self._turns:
            vectors.append(self._proprioception.joint_pos(observation))
        if self._touches:
            loads = self._proprioception.tcp_wrench(observation).reshape(-1, 6) / _LOADS
            vectors.append(np.tanh(loads).ravel())
        return vectors


class PositionFeatures:
    """All positions of `environment_state`, in the world frame and relative to every TCP, and the displacement
    from the task's object, or from points of it, to the goal, with `FurtherFeatures`.

    Args:
        task: a task without subtasks.
    """

    def __init__(self, task: Task) -> None:
        self._proprioception = ProprioceptiveState(task.robot)
        self._pairs = [Pair(*pair) for pair in task.pairs]
        self._further = FurtherFeatures(task)
        own = state_terms(task.observation_size, len(self._pairs), self._proprioception.terms)
        self.terms = (*own, *self._further.terms)

    def __call__(self, observation: dict[str, Any]) -> NDArray[np.float32]:
        """Return the features of an observation."""
        places = positions(observation)
        offset = np.stack([places - tcp for tcp in self._proprioception.tcps_pos(observation)])
        to_goal = np.array([displacement_to_goal(places, pair) for pair in self._pairs], np.float32).reshape(
            -1, 3
        )
        return np.concatenate(
            [
                self._proprioception.features(observation),
                ((places - CENTRE) / REACH).ravel(),
                np.clip(offset / _NEAR, -3.0, 3.0).ravel(),
                np.tanh(offset / _CLOSE).ravel(),
                *_at_three_scales(to_goal),
                *self._further(observation),
            ],
            dtype=np.float32,
        )


class PlainPositions:
    """All positions of `environment_state` and of the TCPs in the world frame, normalized, with nothing computed from
    them. Joint positions and the wrench are included as in `FurtherFeatures`.

    Args:
        task: the task.
    """

    def __init__(self, task: Task) -> None:
        self._proprioception, self._further = ProprioceptiveState(task.robot), FurtherFeatures(task)
        self.terms = (
            *self._proprioception.terms,
            f"positions[{task.observation_size}]",
            *self._further.terms,
        )

    def __call__(self, observation: dict[str, Any]) -> NDArray[np.float32]:
        """Return the features of an observation."""
        return np.concatenate(
            [
                self._proprioception.features(observation),
                ((positions(observation) - CENTRE) / REACH).ravel(),
                *self._further(observation),
            ],
            dtype=np.float32,
        )


class SubgoalFeatures:
    """The current subgoal's object relative to the TCP, and the goal relative to the object.

    Heights are the only absolute coordinates, so that a policy generalizes over objects and places.

    Args:
        task: a task with several pairs of objects and goals.
        subgoals: the subgoals of the task.
    """

    terms = (
        "tcp_height[1]",
        "gripper[1]",
        "object_height[1]",
        "object_from_tcp[6]",
        "goal_from_object[9]",
        "done[1]",
    )

    def __init__(self, task: Task, subgoals: Subgoals) -> None:
        self._proprioception, self._subgoals = ProprioceptiveState(task.robot), subgoals

    def __call__(self, observation: dict[str, Any]) -> NDArray[np.float32]:
        """Return the features of an observation."""
        places, subgoals = positions(observation), self._subgoals
        pair = subgoals.pairs[subgoals.current(observation)]
        moved = places[pair.moved]
        offset = moved - self._proprioception.tcp_pos(observation)
        done = 1.0 if subgoals.reached(observation).all() else -1.0
        return np.concatenate(
            [
                self._proprioception.features(observation)[2:],
                np.clip((moved[2:] - CENTRE[2]) / REACH, -3.0, 3.0),
                np.clip(offset / _NEAR, -3.0, 3.0),
                np.tanh(offset / _CLOSE),
                *_at_three_scales(displacement_to_goal(places, pair)),
                [done],
            ],
            dtype=np.float32,
        )


class VectorFeatures:
    """The concatenation of the vectors that an environment observes.

    Args:
        observe_state: returns the vectors by name, as the method `observe_state` of an environment.
    """

    def __init__(self, observe_state: Callable[[], dict[str, NDArray[np.float32]]]) -> None:
        self._observe = observe_state
        self.terms = tuple(f"{name}[{vector.size}]" for name, vector in observe_state().items())

    def __call__(self, observation: Any) -> NDArray[np.float32]:
        """Return the features of the current state. The argument `observation` is ignored."""
        return np.concatenate(list(self._observe().values()), dtype=np.float32)


def make_features(task: Task, subgoals: Subgoals | None) -> Features:
    """Return the features of a task.

    Args:
        task: the task.
        subgoals: the result of `make_subgoals` for the task.
    """
    return PositionFeatures(task) if subgoals is None else SubgoalFeatures(task, subgoals)


def make_subgoals(task: Task) -> Subgoals | None:
    """Return the subgoals of a task, or None if it has fewer than two subtasks."""
    return Subgoals(task) if task.subtasks and len(task.pairs) > 1 else None


def state_terms(numbers: int, pairs: int, own: tuple[str, ...] = TERMS) -> tuple[str, ...]:
    """Return the terms of `PositionFeatures`.

    Args:
        numbers: length of `environment_state`.
        pairs: number of pairs of objects and goals of the task.
        own: terms of the end effectors.
    """
    from_tcps = 2 * numbers * len(own) // len(TERMS)
    terms = (*own, f"positions[{numbers}]", f"positions_from_tcp[{from_tcps}]")
    return (*terms, f"goal_from_object[{9 * pairs}]") if pairs else terms


def image_terms(total_bytes: int) -> tuple[str, ...]:
    """Return the terms of image observations of `total_bytes` bytes."""
    size = ImageLayout.of(total_bytes).size
    return (f"front[{size}x{size}x3]", f"wrist[{size}x{size}x3]", f"proprioception[{FEATURES}]")


def total_size(terms: tuple[str, ...]) -> int:
    """Return the total number of features of terms whose sizes are single numbers."""
    return sum(int(term.split("[")[1].rstrip("]")) for term in terms)


def _at_three_scales(offset: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    return (
        np.clip(offset / _NEAR, -3.0, 3.0).ravel(),
        np.tanh(offset / _CLOSE).ravel(),
        np.tanh(offset / _FINE).ravel(),
    )
