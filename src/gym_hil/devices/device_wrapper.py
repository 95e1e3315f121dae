"""Base class of devices that observe the readings of another device."""

from __future__ import annotations

import abc
from collections.abc import Iterator

from gym_hil.devices.base import NEUTRAL, Device, DeviceReading


class DeviceWrapper(Device):
    """Returns the readings of a device, and passes new ones to `keep`.

    Args:
        device: the wrapped device.
    """

    def __init__(self, device: Device) -> None:
        self.name = device.name
        self.device = device
        self._last = NEUTRAL

    @abc.abstractmethod
    def keep(self, reading: DeviceReading) -> None:
        """Process a reading that differs from the previous one or contains presses."""

    def poll(self) -> DeviceReading:
        """Return the device's reading, and pass it to `keep` if it is new."""
        reading = self.device.poll()
        if reading != self._last or reading.events or reading.engage_presses:
            self.keep(reading)
            self._last = reading
        return reading

    def leaves(self) -> Iterator[Device]:
        """Yield the innermost devices of `device`."""
        return self.device.leaves()

    def flush(self) -> None:
        """Discard presses since the last poll."""
        self.device.flush()

    def help(self) -> str:
        """Return the help of the device."""
        return self.device.help()

    def close(self) -> None:
        """Close the device."""
        self.device.close()
