"""The complete state of an environment, and the checks before a state is restored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from gym_hil.core.errors import InvalidArgumentError, InvalidStateError
from gym_hil.simulation.simulation import Array
from gym_hil.tasks import Task
from gym_hil.tasks.base import finite_array


class StatePart(Protocol):
    """An object with a state of its own that is saved together with the environment, such as an operator."""

    def save_part(self) -> Any:
        """Return the state."""

    def restore_part(self, state: Any) -> None:
        """Restore a state."""


@dataclass(frozen=True)
class EnvironmentState:
    """The complete state of an environment, which determines the rest of the episode and further episodes.

    Attributes:
        task: name of the task.
        physics: state of the simulation.
        start: initial positions of all props.
        elapsed_steps: number of steps of the episode so far.
        done: whether the episode has ended.
        rng: state of the random generator.
        parts: states of the parts added by `add_state_part`: the operator and the time limit.
    """

    task: str
    physics: Array
    start: dict[str, Array]
    elapsed_steps: int
    done: bool
    rng: dict[str, Any]
    parts: tuple[Any, ...] = ()


def require_state(state: Any, task: str) -> EnvironmentState:
    """Return `state` if it is a state of the task.

    Raises:
        InvalidStateError: `state` is not a state, or belongs to another task.
    """
    if not isinstance(state, EnvironmentState):
        raise InvalidStateError(f"expected the result of get_state, got {type(state).__name__}")
    if state.task != task:
        raise InvalidStateError(
            f"the state belongs to task {state.task!r}, but this environment has task {task!r}"
        )
    return state


def require_start(start: Any, task: Task) -> dict[str, Array]:
    """Return copies of the initial positions of the task's objects.

    Raises:
        InvalidStateError: they are not those of the task's objects.
    """
    drawn = task.sample_start(np.random.default_rng(0), randomise=False, options={})
    names = list(start) if isinstance(start, Mapping) else start
    if not isinstance(start, Mapping) or start.keys() != drawn.keys():
        raise InvalidStateError(f"start has the objects {names!r} instead of the task's, {list(drawn)}")
    try:
        return {
            name: finite_array(f"start[{name!r}]", start[name], pos.shape).copy()
            for name, pos in drawn.items()
        }
    except InvalidArgumentError as error:
        raise InvalidStateError(str(error)) from error


def random_generator(state: Any) -> np.random.Generator:
    """Return a random generator of Gymnasium's type that continues from a state.

    Raises:
        InvalidStateError: `state` is not a state of NumPy's PCG64.
    """
    bits = np.random.PCG64(0)
    try:
        bits.state = state
        if dict(bits.state) != dict(state):
            raise ValueError("a number is out of range")
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise InvalidStateError(f"rng={state!r} is not a state of NumPy's PCG64: {error!r}") from error
    return np.random.Generator(bits)
