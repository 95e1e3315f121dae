"""What looks at an environment without changing it: viewers, statistics, recorders."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gym_hil.core.environment import EnvironmentInterface
    from gym_hil.core.step_record import StepRecord

Watcher = Callable[[Any], None]
"""Called with the MuJoCo data a few times within a step. It must change nothing."""


class Observer:
    """Base of everything that subscribes to a takeover wrapper. Every method does nothing by default.

    Attributes:
        time_scale: how many times slower than in real time the environment should run, for whoever keeps real time.
        closed: whether the person has closed it.
        paced: whether somebody keeps real time and calls `on_wait` between steps.
    """

    time_scale: float = 1.0
    closed: bool = False
    paced: bool = False

    def on_reset(self, env: EnvironmentInterface) -> None:
        """Handle the start of an episode.

        Args:
            env: the environment in its initial state.
        """

    def on_poll(self) -> None:
        """Handle pending input, such as the events of a window. Called before the operator decides."""

    def watch_step(self) -> Watcher | None:
        """Return a function that is called several times within the step that begins now, or None."""
        return None

    def on_step(self, env: EnvironmentInterface, record: StepRecord) -> None:
        """Handle a step that was made.

        Args:
            env: the environment in its state after the step.
            record: what happened in the step.
        """

    def on_wait(self, fraction: float, deadline: float) -> None:
        """Use the time until the next step, for instance to draw a picture between two steps.

        Args:
            fraction: how much of the last step should be shown as done, in (0, 1).
            deadline: when the method must have returned, in seconds of `time.perf_counter`.
        """

    def on_pause(self) -> None:
        """Handle that the person has paused the environment."""

    def on_note(self, text: str) -> None:
        """Show a line of text to the person."""

    def on_close(self) -> None:
        """Release everything. Called once, when the environment closes."""
