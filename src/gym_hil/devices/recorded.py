"""Record any device to a file, and play the file back as a device."""

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
from gym_hil.devices.device_wrapper import DeviceTap


class RecordingDevice(DeviceTap):
    """Passes `device` through and writes what it says to `path`. Presses that are flushed belong to nobody
    and are not written.

    Args:
        device: the device to record; closed with this one.
        path: the file, which must not exist.
        period_s: seconds that each poll stands for; None for the time that really passes. With a number a
            playback with the same number repeats the readings poll by poll.
        clock: where the time that really passes comes from.
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
            raise InvalidArgumentError(f"path={str(path)!r} exists; a recording overwrites nothing") from None
        self._file.write(header_line(device.name))
        self._now = 0.0

    def poll(self) -> DeviceReading:
        """Return the device's reading, and write it down if it says anything new."""
        if self._closed:
            return self.device.poll()
        self._now = self._clock()
        return super().poll()

    def keep(self, reading: DeviceReading) -> None:
        """Write `reading` into the file."""
        self._file.write(reading_line(TimedReading(self._now, reading)))

    def close(self) -> None:
        """Close the device and end the file."""
        self.device.close()
        if not self._closed:
            self._closed = True
            self._file.write(end_line(self._now))
            self._file.close()


class RecordedDevice(Device):
    """Plays a recording back with its timing. After its end it is unplugged, so that the policy goes on.

    Whatever the rate at which it is polled, levels are the newest, and each press arrives exactly once.

    Args:
        log: a recording, or the file that holds one.
        period_s: seconds that each poll stands for, which makes the playback the same on every machine; None
            for the time that really passes since the first poll.
        clock: where the time that really passes comes from.
    """

    def __init__(
        self,
        log: DeviceLog | str | os.PathLike[str],
        *,
        period_s: float | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.log = log if isinstance(log, DeviceLog) else load_device_log(log)
        self.name = f"recorded {self.log.device}"
        self._clock = _poll_clock(period_s, clock)
        self._next = 0
        self._level = NEUTRAL
        self._now = 0.0
        self._closed = False

    @property
    def finished(self) -> bool:
        """Whether the recording is over."""
        return self._closed or (self._next == len(self.log.readings) and self._now > self.log.end_s)

    def poll(self) -> DeviceReading:
        """Return what the person did since the last poll, and where the levels are now."""
        if self._closed:
            return DISCONNECTED
        self._now = self._clock()
        passed = self._take()
        if self.finished and not passed:
            return DISCONNECTED
        return merged(passed or [self._level])

    def flush(self) -> None:
        """Do nothing: what was pressed during resets was never written down."""

    def help(self) -> str:
        """Return one line that says what is played."""
        return (
            f"a recording of the {self.log.device}, {self.log.end_s:.1f} s: it drives by itself, "
            "and hands control back at its end"
        )

    def close(self) -> None:
        """Stop."""
        self._closed = True

    def _take(self) -> list[DeviceReading]:
        """Return the readings that are due, and move the levels to the newest."""
        start = self._next
        readings = self.log.readings
        while self._next < len(readings) and readings[self._next].time_s <= self._now:
            self._next += 1
        passed = [timed.reading for timed in readings[start : self._next]]
        self._level = passed[-1] if passed else self._without_presses(self._level)
        return passed

    @staticmethod
    def _without_presses(reading: DeviceReading) -> DeviceReading:
        return DeviceReading(
            motion=reading.motion,
            gripper=reading.gripper,
            engage=reading.engage,
            connected=reading.connected,
        )


def _poll_clock(period_s: float | None, clock: Clock) -> Callable[[], float]:
    """Return a clock that is read once per poll and starts at 0 s."""
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
