"""Listen to a device without changing it."""

from __future__ import annotations

import abc
from collections.abc import Iterator

from gym_hil.devices.base import NEUTRAL, Device, DeviceReading


class DeviceTap(Device):
    """Passes `device` through, and keeps what it says whenever that is anything new."""

    def __init__(self, device: Device) -> None:
        self.name = device.name
        self.device = device
        self._last = NEUTRAL

    @abc.abstractmethod
    def keep(self, reading: DeviceReading) -> None:
        """Write `reading` down."""

    def poll(self) -> DeviceReading:
        """Return the device's reading, and keep it if it says anything new."""
        reading = self.device.poll()
        if reading != self._last or reading.events or reading.engage_presses:
            self.keep(reading)
            self._last = reading
        return reading

    def leaves(self) -> Iterator[Device]:
        """Yield the devices that `device` wraps, or `device` itself."""
        return self.device.leaves()

    def flush(self) -> None:
        """Forget presses."""
        self.device.flush()

    def help(self) -> str:
        """Return the device's line."""
        return self.device.help()

    def close(self) -> None:
        """Close the device."""
        self.device.close()
