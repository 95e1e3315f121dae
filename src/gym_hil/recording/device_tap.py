"""Listens to what a person's device says, without changing it."""

from __future__ import annotations

from gym_hil.devices.base import NEUTRAL, Device, DeviceReading
from gym_hil.devices.device_log import TimedReading, end_line, header_line, reading_line


class DeviceTap(Device):
    """Passes `device` through and keeps an episode's readings.

    Times are those of the steps: what was said while the world waited belongs to the step that came next. So
    a `RecordedDevice` with the control period as ``period_s`` says the same again, step by step.
    """

    def __init__(self, device: Device) -> None:
        self.name = device.name
        self.device = device
        self.begin()

    def begin(self) -> None:
        """Begin an episode."""
        self.now_s = 0.0
        self._last = NEUTRAL
        self._lines: list[str] = []

    def log(self) -> str:
        """Return the episode's log up to now, as `load_device_log` reads it."""
        return "".join([header_line(self.device.name), *self._lines, end_line(self.now_s)])

    def poll(self) -> DeviceReading:
        """Return the device's reading, and keep it if it says anything new."""
        reading = self.device.poll()
        if reading != self._last or reading.events or reading.engage_presses:
            self._lines.append(reading_line(TimedReading(self.now_s, reading)))
            self._last = reading
        return reading

    def flush(self) -> None:
        """Forget presses."""
        self.device.flush()

    def help(self) -> str:
        """Return the device's line."""
        return self.device.help()

    def close(self) -> None:
        """Close the device."""
        self.device.close()
