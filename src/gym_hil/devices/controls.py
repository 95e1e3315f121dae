"""What a button or key can mean, and the bookkeeping of presses that all devices with buttons share."""

from __future__ import annotations

import enum
import threading
from collections.abc import Hashable
from dataclasses import dataclass

from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.devices.base import STILL, DeviceReading, Motion


class Control(enum.Enum):
    """The meaning of a button or key; the value is how a line of help names it."""

    FORWARD = "forward"
    BACKWARD = "back"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    FINE = "fine speed"
    CLOSE = "close gripper"
    OPEN = "open gripper"
    ENGAGE = "take over"
    TOGGLE = "take over or let go"
    SUCCESS = "success"
    FAILURE = "failure"
    RERECORD = "re-record"
    PAUSE = "pause"
    RESET = "reset"


DIRECTIONS: dict[Control, tuple[int, float]] = {
    Control.FORWARD: (0, 1.0),
    Control.BACKWARD: (0, -1.0),
    Control.LEFT: (1, 1.0),
    Control.RIGHT: (1, -1.0),
    Control.UP: (2, 1.0),
    Control.DOWN: (2, -1.0),
}
"""Index into `Motion` and sign of every control that moves. World axes: forward is away from the robot's
base, left is its left."""

EVENTS: dict[Control, EpisodeEvent] = {
    Control.TOGGLE: EpisodeEvent.TOGGLE_INTERVENTION,
    Control.SUCCESS: EpisodeEvent.SUCCESS,
    Control.FAILURE: EpisodeEvent.FAILURE,
    Control.RERECORD: EpisodeEvent.RERECORD,
    Control.PAUSE: EpisodeEvent.PAUSE,
    Control.RESET: EpisodeEvent.RESET,
}
GRIPPER: dict[Control, GripperCommand] = {
    Control.CLOSE: GripperCommand.CLOSE,
    Control.OPEN: GripperCommand.OPEN,
}


def beyond_deadzone(level: float, deadzone: float) -> float:
    """Return 0 for a stick within `deadzone`, in [0, 1), of its centre; beyond that the level grows to 1."""
    beyond = (abs(level) - deadzone) / (1.0 - deadzone)
    return 0.0 if beyond <= 0.0 else beyond if level > 0.0 else -beyond


@dataclass(frozen=True)
class Presses:
    """What happened to a device's buttons since it was last polled."""

    held: tuple[Control, ...] = ()
    """Down now, in the order in which they went down."""
    pressed: tuple[Control, ...] = ()
    """Every press since the last poll, oldest first; a button still down is also in `held`."""

    def active(self, control: Control) -> bool:
        """Return whether `control` is held, or was tapped since the last poll."""
        return control in self.held or control in self.pressed

    def motion(self, speed: float = 1.0) -> Motion:
        """Return the motion of the direction buttons, each axis in {-speed, 0, speed}. Opposite directions
        held together cancel; a tap counts for one poll unless a button of the same axis is held.
        """
        axes = list(STILL)
        held_axes = {DIRECTIONS[control][0] for control in self.held if control in DIRECTIONS}
        for control in self.pressed:
            if control in DIRECTIONS and DIRECTIONS[control][0] not in held_axes:
                axis, sign = DIRECTIONS[control]
                axes[axis] = sign * speed
        for control in set(self.held) & DIRECTIONS.keys():
            axis, sign = DIRECTIONS[control]
            axes[axis] += sign * speed
        return (axes[0], axes[1], axes[2], axes[3], axes[4], axes[5])

    def gripper(self) -> GripperCommand:
        """Return the gripper command; of several buttons held or tapped, the one pressed last counts."""
        for control in reversed(self.held + self.pressed):
            if control in GRIPPER:
                return GRIPPER[control]
        return GripperCommand.STAY

    def reading(self, motion: Motion) -> DeviceReading:
        """Return the reading of a connected device with these presses and this motion."""
        return DeviceReading(
            motion=motion,
            gripper=self.gripper(),
            engage=self.active(Control.ENGAGE),
            engage_presses=self.pressed.count(Control.ENGAGE),
            events=tuple(EVENTS[control] for control in self.pressed if control in EVENTS),
        )


class PressLatch:
    """Collects presses from any thread until they are taken, each exactly once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[Hashable, Control] = {}
        self._pressed: list[Control] = []

    def press(self, button: Hashable, control: Control) -> None:
        """Say that `button` went down and means `control`. Ignored while it is down: keys repeat."""
        with self._lock:
            if button not in self._held:
                self._held[button] = control
                self._pressed.append(control)

    def release(self, button: Hashable) -> None:
        """Say that `button` went up. Ignored if it was not down."""
        with self._lock:
            self._held.pop(button, None)

    def release_all(self) -> None:
        """Say that every button went up; presses not yet taken stay."""
        with self._lock:
            self._held.clear()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self._pressed.clear()

    def take(self) -> Presses:
        """Return what is held and what was pressed since the last call."""
        with self._lock:
            taken = Presses(tuple(self._held.values()), tuple(self._pressed))
            self._pressed.clear()
        return taken
