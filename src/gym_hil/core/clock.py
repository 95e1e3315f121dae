"""An interface of clocks, through which all code reads the time and waits, so that tests can replace it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A source of time and a way to wait. Tests use `gym_hil.testing.clock.ManualClock`."""

    def monotonic(self) -> float:
        """Return the time since an arbitrary moment (s), which never decreases."""

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`. A duration of zero or less returns at once."""


class SystemClock:
    """The time of this machine, at the highest resolution of Python."""

    def monotonic(self) -> float:
        """Return the time since an arbitrary moment (s)."""
        return time.perf_counter()

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds` (s)."""
        if seconds > 0.0:
            time.sleep(seconds)


SYSTEM_CLOCK = SystemClock()
"""The default clock."""
