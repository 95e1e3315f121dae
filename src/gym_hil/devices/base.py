"""The interface of input devices, which do not depend on robots.

Motion is a level: each poll returns the newest value. Presses are events: they are queued and delivered exactly
once, even if the button was pressed and released between two polls.
"""

from __future__ import annotations

import abc
import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.devices.speed import Speed

Motion = tuple[float, float, float, float, float, float]
STILL: Motion = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class Engage(str, enum.Enum):
    """How a person takes over with a device."""

    HOLD = "hold"
    """While the intervention button is held."""
    TOGGLE = "toggle"
    """From one press of the intervention button to the next."""
    MOTION = "motion"
    """While the device commands motion."""


@dataclass(frozen=True, kw_only=True)
class DeviceReading:
    """The result of one `Device.poll`."""

    motion: Motion = STILL
    """Translation along and rotation about x, y and z, each in [-1, 1], in world axes: x points away from the robot's
    base, y to its left, z up. The caller scales them to metres and radians."""
    gripper: GripperCommand = GripperCommand.STAY
    """Command of the gripper button that is held, or was pressed since the last poll."""
    engage: bool = False
    """Whether the intervention button is held, or was pressed since the last poll."""
    engage_presses: int = 0
    """Number of presses of the intervention button since the last poll."""
    events: tuple[EpisodeEvent, ...] = ()
    """Episode events since the last poll, oldest first."""
    speed: Speed | None = None
    """The speed that the person has selected. Devices leave it None; the operator that applies it sets it."""
    connected: bool = True
    """False while the device is unplugged. The reading is then neutral, except for earlier events."""


NEUTRAL = DeviceReading()
DISCONNECTED = DeviceReading(connected=False)


def merged(readings: Sequence[DeviceReading]) -> DeviceReading:
    """Combine consecutive readings into one, with the newest levels and all presses.

    Args:
        readings: at least one reading, oldest first.
    """
    newest = readings[-1]
    events = tuple(event for reading in readings for event in reading.events)
    if not newest.connected:
        return DeviceReading(events=events, connected=False)
    commands = [reading.gripper for reading in readings if reading.gripper is not GripperCommand.STAY]
    return DeviceReading(
        motion=newest.motion,
        gripper=commands[-1] if commands else GripperCommand.STAY,
        engage=any(reading.engage for reading in readings),
        engage_presses=sum(reading.engage_presses for reading in readings),
        events=events,
    )


class Device(abc.ABC):
    """Base class of input devices. Use a device as a context manager, or call `close` at the end.

    Attributes:
        name: name of the device for messages.
        input_viewer: the viewer that delivers the device's input; None if the device reads its input itself.
    """

    name: str
    input_viewer: ClassVar[Literal["window", "page"] | None] = None

    @abc.abstractmethod
    def poll(self) -> DeviceReading:
        """Read the device without blocking.

        Returns:
            The newest levels and all events since the last poll. After `close`, and while the device is unplugged,
            ``connected`` is false.
        """

    @abc.abstractmethod
    def help(self) -> str:
        """Return one line that explains the keys or buttons in use."""

    def leaves(self) -> Iterator[Device]:
        """Yield the innermost devices that this one wraps, or the device itself if it wraps none.

        Viewers use this to find the devices whose input they deliver, see `input_viewer`.
        """
        yield self

    def flush(self) -> None:
        """Discard events and presses since the last poll, such as those during a reset."""
        self.poll()

    def close(self) -> None:  # noqa: B027
        """Release the device. It may be called more than once."""

    def __enter__(self) -> Device:
        """Return the device."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the device."""
        self.close()
