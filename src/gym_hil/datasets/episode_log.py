"""What a person's device said during an episode."""

from __future__ import annotations

from gym_hil.devices.base import NEUTRAL, Device, DeviceReading
from gym_hil.devices.device_log import TimedReading, end_line, header_line, reading_line
from gym_hil.devices.device_wrapper import DeviceTap


class EpisodeLog(DeviceTap):
    """Passes `device` through and keeps an episode's readings.

    Times are those of the steps: what was said while the world waited belongs to the step that came next. So
    a `RecordedDevice` with the control period as ``period_s`` says the same again, step by step.
    """

    def __init__(self, device: Device) -> None:
        super().__init__(device)
        self.begin()

    def begin(self) -> None:
        """Begin an episode."""
        self.now_s = 0.0
        self._last = NEUTRAL
        self._lines: list[str] = []

    def log(self) -> str:
        """Return the episode's log up to now, as `load_device_log` reads it."""
        return "".join([header_line(self.device.name), *self._lines, end_line(self.now_s)])

    def keep(self, reading: DeviceReading) -> None:
        """Note `reading` at the time of the step."""
        self._lines.append(reading_line(TimedReading(self.now_s, reading)))
