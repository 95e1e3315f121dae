"""Base class of the window and the web page."""

from __future__ import annotations

from typing import Any

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.observer import Observer, Watcher
from gym_hil.core.schema import TerminationReason
from gym_hil.core.step_record import StepRecord
from gym_hil.devices.base import Device
from gym_hil.viewers.episode_statistics import EpisodeStatistics

SLOW_MOTION = 4.0
"""Factor by which the environment runs slower in slow motion."""
_NOT_COUNTED = (TerminationReason.RERECORD, TerminationReason.HUMAN_RESET)


class Viewer(Observer):
    """Shows the robot to a person, and delivers the person's input to devices.

    Attributes:
        statistics: statistics of the episodes.
    """

    def __init__(self) -> None:
        self.statistics = EpisodeStatistics()
        self._who = "POLICY"
        self._note = ""
        self._speed = ""

    @property
    def who(self) -> str:
        """Who acts: ``"POLICY"``, ``"HUMAN"`` or ``"PAUSED"``."""
        return self._who

    @property
    def note(self) -> str:
        """A line of text for the person."""
        return self._note

    @property
    def speed(self) -> str:
        """Label of the speed that the person has selected; empty without a person."""
        return self._speed

    def deliver_to(self, device: Device) -> None:
        """Deliver the person's input to `device`."""
        raise NotImplementedError

    def show(self, data: Any, clock_s: float, *, success: bool = False) -> None:
        """Show a state of the robot.

        Args:
            data: the state.
            clock_s: time in the episode (s).
            success: whether the episode has succeeded.
        """

    def pump(self) -> None:
        """Process the person's input, if the viewer does not do so by itself."""

    def refresh(self) -> None:
        """Update the display although the robot has not moved."""

    def begin(self) -> None:
        """Begin an episode."""

    def watch_step(self) -> Watcher | None:
        """Return a function that stores states within the next step, or None if only its end is shown."""
        return None

    def on_reset(self, env: EnvironmentInterface) -> None:
        """Add the previous episode to the statistics, and show the initial state."""
        self.statistics.begin()
        self._who = "POLICY"
        self.begin()
        self.show(env.data, 0.0)

    def on_poll(self) -> None:
        """Process the person's input."""
        self.pump()

    def on_step(self, env: EnvironmentInterface, record: StepRecord) -> None:
        """Add the step to the statistics, and show it."""
        self._who = "HUMAN" if record.is_intervention else "POLICY"
        reading = record.reading[0] if isinstance(record.reading, tuple) else record.reading
        speed = getattr(reading, "speed", None)
        self._speed = "" if speed is None else speed.label
        self.statistics.step(human=record.is_intervention, success=record.success)
        if record.reason in _NOT_COUNTED:
            self.statistics.discard()
        self.show(env.data, record.step * env.control_dt, success=record.success)

    def on_pause(self) -> None:
        """Show that the environment is paused."""
        self._who = "PAUSED"
        self.refresh()

    def on_note(self, text: str) -> None:
        """Show a line of text."""
        if text != self._note:
            self._note = text
            self.refresh()

    def on_close(self) -> None:
        """Close the viewer."""
        self.close()

    def close(self) -> None:
        """Release all resources. It may be called more than once."""
