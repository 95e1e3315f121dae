"""Combines several devices, such as a SpaceMouse for motion and a terminal for events, into one."""

from __future__ import annotations

from collections.abc import Iterator

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import GripperCommand
from gym_hil.devices.base import STILL, Device, DeviceReading


class CombinedDevice(Device):
    """Combines devices: motion and gripper come from the first device that commands them, presses from all devices.

    It is unplugged if all of them are.

    Args:
        devices: the devices, in order of precedence.

    Raises:
        InvalidArgumentError: there are no devices.
    """

    def __init__(self, *devices: Device) -> None:
        if not devices:
            raise InvalidArgumentError("CombinedDevice needs at least one device")
        self.devices = devices
        self.name = " and ".join(device.name for device in devices)

    def poll(self) -> DeviceReading:
        """Poll all devices and combine their readings."""
        readings = [device.poll() for device in self.devices]
        commands = (r.gripper for r in readings if r.gripper is not GripperCommand.STAY)
        return DeviceReading(
            motion=next((r.motion for r in readings if r.motion != STILL), STILL),
            gripper=next(commands, GripperCommand.STAY),
            engage=any(r.engage for r in readings),
            engage_presses=sum(r.engage_presses for r in readings),
            events=tuple(event for r in readings for event in r.events),
            connected=any(r.connected for r in readings),
        )

    def leaves(self) -> Iterator[Device]:
        """Yield the innermost devices of all combined devices."""
        for device in self.devices:
            yield from device.leaves()

    def flush(self) -> None:
        """Flush all devices."""
        for device in self.devices:
            device.flush()

    def help(self) -> str:
        """Return the help of all devices in one line."""
        return "; ".join(f"{device.name}: {device.help()}" for device in self.devices)

    def close(self) -> None:
        """Close all devices."""
        for device in self.devices:
            device.close()
