"""Time that can be replaced: everything that reads a clock or waits takes a `Clock`."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A source of time and a way to wait; `gym_hil.testing.clock.ManualClock` is one that tests drive."""

    def monotonic(self) -> float:
        """Return the time since an arbitrary moment (s). It never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds` (s). A duration of zero or less returns at once."""


class SystemClock:
    """The real time of this machine, at the highest resolution that Python offers."""

    def monotonic(self) -> float:
        """Return the time since an arbitrary moment (s)."""
        return time.perf_counter()

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds` (s)."""
        if seconds > 0.0:
            time.sleep(seconds)


SYSTEM_CLOCK = SystemClock()
"""The clock that is used unless another one is given."""
