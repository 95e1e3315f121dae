"""Records the readings of a device in a file, and plays them back as a device."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices.base import DISCONNECTED, NEUTRAL, Device, DeviceReading, merged
from gym_hil.devices.device_log import (
    DeviceLog,
    TimedReading,
    end_line,
    header_line,
    load_device_log,
    reading_line,
)
from gym_hil.devices.device_wrapper import DeviceWrapper


class RecordingDevice(DeviceWrapper):
    """Returns the readings of a device and logs them. Presses that are flushed are not logged.

    Args:
        device: the recorded device, which is closed together with this one.
        path: file of the log, which must not exist.
        period_s: time between two polls (s); None to measure it. With a number, a playback with the same
            number repeats the readings poll by poll.
        clock: clock for measuring the time.

    Raises:
        InvalidArgumentError: the file exists, or `period_s` is not positive.
    """

    def __init__(
        self,
        device: Device,
        path: str | os.PathLike[str],
        *,
        period_s: float | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(device)
        self._clock = _poll_clock(period_s, clock)
        self._closed = False
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = path.open("x", encoding="utf-8", buffering=1)
        except FileExistsError:
            raise InvalidArgumentError(f"path={str(path)!r} exists and is not overwritten") from None
        self._file.write(header_line(device.name))
        self._now = 0.0

    def poll(self) -> DeviceReading:
        """Return the device's reading, and log it if it is new."""
        if self._closed:
            return self.device.poll()
        self._now = self._clock()
        return super().poll()

    def keep(self, reading: DeviceReading) -> None:
        """Write a reading to the log."""
        self._file.write(reading_line(TimedReading(self._now, reading)))

    def close(self) -> None:
        """Close the device and complete the log."""
        self.device.close()
        if not self._closed:
            self._closed = True
            self._file.write(end_line(self._now))
            self._file.close()


class RecordedDevice(Device):
    """Plays back a log with its timing, at any polling rate. After its end it counts as unplugged, so that
    the policy acts.

    Args:
        log: a log or its file.
        period_s: time between two polls (s), which makes the playback independent of the machine; None to
            measure it.
        clock: clock for measuring the time.
        end_effector: index of the end effector whose device is played back, if each had a device of its own.

    Raises:
        InvalidDatasetError: the file is not a device log.
        InvalidArgumentError: `period_s` is not positive.
    """

    def __init__(
        self,
        log: DeviceLog | str | os.PathLike[str],
        *,
        period_s: float | None = None,
        clock: Clock = SYSTEM_CLOCK,
        end_effector: int = 0,
    ) -> None:
        self.log = (log if isinstance(log, DeviceLog) else load_device_log(log)).of(end_effector)
        self.name = f"recorded {self.log.device}"
        self._clock = _poll_clock(period_s, clock)
        self._next = 0
        self._level = NEUTRAL
        self._now = 0.0
        self._closed = False

    @property
    def finished(self) -> bool:
        """Whether the playback has ended."""
        return self._closed or (self._next == len(self.log.readings) and self._now > self.log.end_s)

    def poll(self) -> DeviceReading:
        """Return the recorded presses since the last poll, and the current levels."""
        if self._closed:
            return DISCONNECTED
        self._now = self._clock()
        new_readings = self._take()
        if self.finished and not new_readings:
            return DISCONNECTED
        return merged(new_readings or [self._level])

    def flush(self) -> None:
        """Do nothing: presses during resets are not in the log."""

    def help(self) -> str:
        """Return one line that describes the log."""
        return (
            f"a recording of the {self.log.device}, {self.log.end_s:.1f} s, which is played back "
            "and releases control at its end"
        )

    def close(self) -> None:
        """Stop the playback."""
        self._closed = True

    def _take(self) -> list[DeviceReading]:
        """Return the readings since the last call, and update the levels."""
        start = self._next
        readings = self.log.readings
        while self._next < len(readings) and readings[self._next].time_s <= self._now:
            self._next += 1
        new_readings = [timed.reading for timed in readings[start : self._next]]
        self._level = new_readings[-1] if new_readings else self._without_presses(self._level)
        return new_readings

    @staticmethod
    def _without_presses(reading: DeviceReading) -> DeviceReading:
        return DeviceReading(
            motion=reading.motion,
            gripper=reading.gripper,
            engage=reading.engage,
            connected=reading.connected,
        )


def _poll_clock(period_s: float | None, clock: Clock) -> Callable[[], float]:
    """Return a function that is called once per poll and returns the time since the first call (s)."""
    if period_s is None:
        start: float | None = None

        def real_time() -> float:
            nonlocal start
            now = clock.monotonic()
            start = now if start is None else start
            return now - start

        return real_time
    if not (math.isfinite(period_s) and period_s > 0):
        raise InvalidArgumentError(f"period_s={period_s!r} must be a positive number of seconds")
    polls = -1

    def poll_time() -> float:
        nonlocal polls
        polls += 1
        return polls * period_s

    return poll_time
