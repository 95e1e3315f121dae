"""What an input device is: a source of levels and events that knows nothing of robots.

Motion is a level: whoever polls gets the newest value. Presses are events: they are queued and delivered
exactly once, even when the button was down and up again between two polls.
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
    """How a person takes over; the same on every device. A device may also send the event that toggles."""

    HOLD = "hold"
    TOGGLE = "toggle"
    MOTION = "motion"


@dataclass(frozen=True, kw_only=True)
class DeviceReading:
    """What one `Device.poll` returns."""

    motion: Motion = STILL
    """x, y, z, rotation about x, y, z, each in [-1, 1]. World axes: x away from the robot's base, y to its
    left, z up; the caller scales them to metres and radians."""
    gripper: GripperCommand = GripperCommand.STAY
    """The gripper button held now, or tapped since the last poll."""
    engage: bool = False
    """The intervention button is held now, or was tapped since the last poll."""
    engage_presses: int = 0
    """How often the intervention button went down since the last poll."""
    events: tuple[EpisodeEvent, ...] = ()
    """Episode events since the last poll, oldest first."""
    speed: Speed | None = None
    """The speed that the person has chosen; filled in by whoever applies it, never by a device."""
    connected: bool = True
    """False while the device is unplugged; the rest of the reading is then neutral, save for the events that
    were pressed before."""


NEUTRAL = DeviceReading()
DISCONNECTED = DeviceReading(connected=False)


def merged(readings: Sequence[DeviceReading]) -> DeviceReading:
    """Return consecutive readings, oldest first and at least one, as if they had been one: the newest levels,
    and every press.
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
    """A source of `DeviceReading`s. Use it as a context manager, or call `close` when done."""

    name: str
    fed_by: ClassVar[Literal["window", "page"] | None] = None
    """Which viewer delivers this device's input; None if the device reads its input itself."""

    @abc.abstractmethod
    def poll(self) -> DeviceReading:
        """Return the newest levels and every event since the last poll. Never blocks; after `close`, and
        while nothing is connected, returns a reading with ``connected=False``.
        """

    @abc.abstractmethod
    def help(self) -> str:
        """Return one line that says which key or button does what, made from the map in use."""

    def leaves(self) -> Iterator[Device]:
        """Yield the devices that are wrapped by this one, however deeply; the device itself if it wraps none.

        Viewers use this to find the devices that they feed, see `fed_by`.
        """
        yield self

    def flush(self) -> None:
        """Forget unpolled events and presses: those made during a reset belong to no episode."""
        self.poll()

    def close(self) -> None:  # noqa: B027
        """Release the device. Calling it twice is allowed."""

    def __enter__(self) -> Device:
        """Return the device itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the device."""
        self.close()
