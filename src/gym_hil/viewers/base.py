"""What a window and a page have in common: who acts, and how the episodes went."""

from __future__ import annotations

import mujoco

from gym_hil.simulation.simulation import Watcher
from gym_hil.viewers.episode_statistics import Tally

SLOW_MOTION = 4.0
"""How many times slower the world runs while a person asks for slow motion."""


class Screen:
    """Something that shows the robot to a person."""

    def __init__(self) -> None:
        self.closed = False
        self.played = False
        self.tally = Tally()
        self._who = "POLICY"
        self._note = ""

    @property
    def slow_motion(self) -> float:
        """How many times slower than in real time the person wants the world to run."""
        return 1.0

    @property
    def note(self) -> str:
        """A line for the person, beside who acts."""
        return self._note

    @note.setter
    def note(self, value: str) -> None:
        if value != self._note:
            self._note = value
            self.refresh()

    @property
    def who(self) -> str:
        """Who acts: ``"POLICY"``, ``"HUMAN"``, or ``"PAUSED"``."""
        return self._who

    @who.setter
    def who(self, value: str) -> None:
        if value != self._who:
            self._who = value
            if value == "PAUSED":
                self.refresh()

    def show(self, data: mujoco.MjData, clock_s: float, *, success: bool = False) -> None:
        """Show the robot in the state `data`, who acts, and the episode's clock (s)."""

    def watch(self) -> Watcher | None:
        """Say that a step begins. Return what notes how the robot moves within it; None where only its end
        is shown.
        """
        return None

    def play(self, share: float, until: float) -> None:
        """Show the robot as it was after the `share` (0 to 1) of the last step, and return before the moment
        `until` (s, of `time.perf_counter`). Whoever waits between steps calls it, and sets `played` before.
        """

    def pump(self) -> None:
        """Hear what the person does, where that does not happen by itself."""

    def refresh(self) -> None:
        """Show what has changed although nothing moved."""

    def begin(self) -> None:
        """Say that an episode begins; the one before it is counted."""
        self.tally.begin()
        self._who = "POLICY"

    def count(self, success: bool) -> None:
        """Say that a step was made."""
        self.tally.step(human=self._who == "HUMAN", success=success)

    def judge(self, success: bool | None) -> None:
        """Say how a person ended the episode: success, failure, or None for neither."""
        if success is None:
            self.tally.void()
        else:
            self.tally.judge(success)
