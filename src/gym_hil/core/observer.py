"""The base class of observers, such as viewers, statistics and recorders, which do not change an environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gym_hil.core.environment import EnvironmentInterface
    from gym_hil.core.step_record import StepRecord

Watcher = Callable[[Any], None]
"""A function that is called with the MuJoCo data several times within a step, and must not change it."""


class Observer:
    """Base class of observers that subscribe to a takeover wrapper. By default, all methods do nothing.

    Attributes:
        time_scale: factor by which the environment should run slower than in real time.
        closed: whether the person has closed the observer.
        paced: whether the environment runs in real time, with calls of `on_wait` between steps.
    """

    time_scale: float = 1.0
    closed: bool = False
    paced: bool = False

    def on_reset(self, env: EnvironmentInterface) -> None:
        """Process the start of an episode.

        Args:
            env: the environment in its initial state.
        """

    def on_poll(self) -> None:
        """Process pending input, such as the events of a window. It is called before the operator decides."""

    def watch_step(self) -> Watcher | None:
        """Return a function that is called several times within the next step, or None."""
        return None

    def on_step(self, env: EnvironmentInterface, record: StepRecord) -> None:
        """Process a step.

        Args:
            env: the environment in its state after the step.
            record: the record of the step.
        """

    def on_wait(self, fraction: float, deadline: float) -> None:
        """Use the time until the next step, for instance to render a frame between two steps.

        Args:
            fraction: fraction of the last step that should be shown, in (0, 1).
            deadline: time on `time.perf_counter` at which the method must have returned (s).
        """

    def on_pause(self) -> None:
        """Process a pause by the person."""

    def on_note(self, text: str) -> None:
        """Show a line of text to the person.

        Args:
            text: the text.
        """

    def on_close(self) -> None:
        """Release all resources. It is called once, when the environment is closed."""
