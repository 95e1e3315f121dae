"""Several devices as one: a SpaceMouse for the motion, say, and the terminal for the episode's ends."""

from __future__ import annotations

from collections.abc import Iterator

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import GripperCommand
from gym_hil.devices.base import STILL, Device, DeviceReading


class CombinedDevice(Device):
    """Motion and gripper of the first device, in the order given, that moves or commands; presses of all.

    It is unplugged while all of them are.
    """

    def __init__(self, *devices: Device) -> None:
        if not devices:
            raise InvalidArgumentError("CombinedDevice needs at least one device")
        self.devices = devices
        self.name = " and ".join(device.name for device in devices)

    def poll(self) -> DeviceReading:
        """Poll every device."""
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
        """Yield the devices that every combined device wraps."""
        for device in self.devices:
            yield from device.leaves()

    def flush(self) -> None:
        """Flush every device."""
        for device in self.devices:
            device.flush()

    def help(self) -> str:
        """Return the devices' lines in one."""
        return "; ".join(f"{device.name}: {device.help()}" for device in self.devices)

    def close(self) -> None:
        """Close every device."""
        for device in self.devices:
            device.close()
