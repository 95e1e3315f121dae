"""A clock that tests advance, so that they do not have to wait."""

from __future__ import annotations

import threading

from gym_hil.core.errors import InvalidArgumentError


class ManualClock:
    """A `gym_hil.core.clock.Clock` whose time passes only by `sleep` and `advance`.

    Args:
        start: initial time (s).
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = float(start)
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        """Return the current time (s)."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Advance the time by `seconds`, and return at once."""
        if seconds > 0.0:
            self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Advance the time.

        Args:
            seconds: duration (s).

        Raises:
            InvalidArgumentError: `seconds` is negative.
        """
        if not seconds >= 0.0:
            raise InvalidArgumentError(f"seconds={seconds!r} must be at least 0: time does not go back")
        with self._lock:
            self._now += seconds
