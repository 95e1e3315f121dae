"""What the window and the web page have in common: who acts, and how the episodes went."""

from __future__ import annotations

from typing import Any

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.observer import Observer, Watcher
from gym_hil.core.schema import TerminationReason
from gym_hil.core.step_record import StepRecord
from gym_hil.devices.base import Device
from gym_hil.viewers.episode_statistics import EpisodeStatistics

SLOW_MOTION = 4.0
"""How many times slower the environment runs while a person asks for slow motion."""
_VOID = (TerminationReason.RERECORD, TerminationReason.HUMAN_RESET)


class Viewer(Observer):
    """Shows the robot to a person and delivers the person's input to devices.

    Attributes:
        statistics: how the episodes went.
        delivers: the devices that it feeds, as `Device.fed_by` names it.
    """

    delivers: str

    def __init__(self) -> None:
        self.statistics = EpisodeStatistics()
        self._who = "POLICY"
        self._note = ""
        self._speed = ""

    @property
    def who(self) -> str:
        """Who acts: ``"POLICY"``, ``"HUMAN"``, or ``"PAUSED"``."""
        return self._who

    @property
    def note(self) -> str:
        """A line for the person, beside who acts."""
        return self._note

    @property
    def speed(self) -> str:
        """The speed that the person has chosen, in words; empty without a person."""
        return self._speed

    def feed(self, device: Device) -> None:
        """Deliver the person's input to `device` from now on."""
        raise NotImplementedError

    def show(self, data: Any, clock_s: float, *, success: bool = False) -> None:
        """Show the robot in the state `data`, who acts, and the time in the episode (s)."""

    def pump(self) -> None:
        """Handle the person's input, where that does not happen by itself."""

    def refresh(self) -> None:
        """Show what has changed although nothing moved."""

    def begin(self) -> None:
        """Begin an episode; the one before it is counted."""

    def watch_step(self) -> Watcher | None:
        """Return what notes how the robot moves within the next step, or None where only its end is shown."""
        return None

    def on_reset(self, env: EnvironmentInterface) -> None:
        """Count the episode before, and show the initial state."""
        self.statistics.begin()
        self._who = "POLICY"
        self.begin()
        self.show(env.data, 0.0)

    def on_poll(self) -> None:
        """Handle the person's input."""
        self.pump()

    def on_step(self, env: EnvironmentInterface, record: StepRecord) -> None:
        """Count the step and show it."""
        self._who = "HUMAN" if record.is_intervention else "POLICY"
        speed = getattr(record.reading, "speed", None)
        self._speed = "" if speed is None else speed.label
        self.statistics.step(human=record.is_intervention, success=record.success)
        if record.reason in _VOID:
            self.statistics.void()
        self.show(env.data, record.step * env.control_dt, success=record.success)

    def on_pause(self) -> None:
        """Show that the environment waits."""
        self._who = "PAUSED"
        self.refresh()

    def on_note(self, text: str) -> None:
        """Show a line of text beside who acts."""
        if text != self._note:
            self._note = text
            self.refresh()

    def on_close(self) -> None:
        """Close the viewer."""
        self.close()

    def close(self) -> None:
        """Release everything. Calling it twice is allowed."""
