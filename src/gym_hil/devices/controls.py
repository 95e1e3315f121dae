"""The controls that buttons and keys stand for, and the processing of presses that all devices with buttons
share.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from gym_hil.core.clock import Clock
from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.devices.base import DeviceReading, Motion


class Control(enum.Enum):
    """The meaning of a button or key; the value is its name in help texts."""

    FORWARD = "forward"
    BACKWARD = "back"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    TURN = "turn instead of move"
    SPEED = "next speed"
    FINE = "fine speed"
    CLOSE = "close gripper"
    OPEN = "open gripper"
    ENGAGE = "take over"
    TOGGLE = "take over / release"
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
"""Index into `Motion` and sign of every direction, in world axes: forward is away from the robot's base, left is the
robot's left."""

EVENTS: dict[Control, EpisodeEvent] = {
    Control.TOGGLE: EpisodeEvent.TOGGLE_INTERVENTION,
    Control.SUCCESS: EpisodeEvent.SUCCESS,
    Control.FAILURE: EpisodeEvent.FAILURE,
    Control.RERECORD: EpisodeEvent.RERECORD,
    Control.PAUSE: EpisodeEvent.PAUSE,
    Control.SPEED: EpisodeEvent.NEXT_SPEED,
    Control.RESET: EpisodeEvent.RESET,
}
GRIPPER: dict[Control, GripperCommand] = {
    Control.CLOSE: GripperCommand.CLOSE,
    Control.OPEN: GripperCommand.OPEN,
}


SHORTEST_TAP_S = 0.02
"""Shortest duration of a press (s). Remote desktops and touch screens report some presses as shorter than they are."""


def turned(x: float, y: float, z: float) -> Motion:
    """Return the rotation that replaces a translation while the control for turning is active.

    Args:
        x: level of forward, in [-1, 1]: the hand tilts forward, a positive rotation about y.
        y: level of left: the hand tilts to the left, a negative rotation about x.
        z: level of up: the hand turns counterclockwise seen from above, a positive rotation about z.

    Returns:
        A `Motion` without translation, in world axes.
    """
    return (0.0, 0.0, 0.0, -y or 0.0, x, z)


def beyond_deadzone(level: float, deadzone: float) -> float:
    """Return the level of a stick with a dead zone: 0 within `deadzone`, and beyond it growing linearly to 1,
    with the sign of `level`.
    """
    beyond = (abs(level) - deadzone) / (1.0 - deadzone)
    return 0.0 if beyond <= 0.0 else beyond if level > 0.0 else -beyond


@dataclass(frozen=True)
class Presses:
    """State and presses of a device's buttons since the last poll."""

    held: tuple[Control, ...] = ()
    """Controls of the buttons that are held, in the order of their presses."""
    pressed: tuple[Control, ...] = ()
    """All presses since the last poll, oldest first. Buttons that are still held are also in `held`."""
    held_fractions: Mapping[Control, float] | None = None
    """Fraction of the time since the last poll for which each control was held, in (0, 1]. None if times are unknown; a
    control that is held or was pressed then counts as held all the time."""

    def active(self, control: Control) -> bool:
        """Return whether `control` is held, or was pressed since the last poll."""
        return control in self.held or control in self.pressed

    def motion(self, speed: float = 1.0) -> Motion:
        """Return the motion of the direction buttons, each axis in [-speed, speed].

        Opposite directions cancel while both are held. While `Control.TURN` is active, directions rotate the hand,
        see `turned`.

        Args:
            speed: level of a direction that was held all the time.
        """
        axes = [0.0, 0.0, 0.0]
        for control, fraction in (
            self._untimed_fractions() if self.held_fractions is None else self.held_fractions
        ).items():
            if control in DIRECTIONS:
                axis, sign = DIRECTIONS[control]
                axes[axis] += sign * fraction
        x, y, z = (max(-1.0, min(1.0, level)) * speed for level in axes)
        return turned(x, y, z) if self.active(Control.TURN) else (x, y, z, 0.0, 0.0, 0.0)

    def _untimed_fractions(self) -> dict[Control, float]:
        """Return 1 for every held direction, and for the last pressed direction of each axis on which none is held."""
        held_fractions = {control: 1.0 for control in self.held if control in DIRECTIONS}
        moved = {DIRECTIONS[control][0] for control in held_fractions}
        for control in reversed(self.pressed):
            if control in DIRECTIONS and DIRECTIONS[control][0] not in moved:
                moved.add(DIRECTIONS[control][0])
                held_fractions[control] = 1.0
        return held_fractions

    def gripper(self) -> GripperCommand:
        """Return the gripper command of the button that was pressed last."""
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


@dataclass
class _Held:
    """A held button: its control, the time of the press (s), and the time until which it was counted (s)."""

    control: Control
    since: float
    counted: float

    def count_until(self, at: float) -> float:
        """Return the time from the last count until `at` (s)."""
        seconds = max(0.0, at - self.counted)
        self.counted = max(self.counted, at)
        return seconds


class PressLatch:
    """Collects presses from any thread, and returns each exactly once.

    Args:
        clock: measures the fraction of the time between two calls of `take` for which each button was held. None
            if a program presses the buttons, and times are meaningless.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[Hashable, _Held] = {}
        self._pressed: list[Control] = []
        self._seconds: dict[Control, float] = {}
        self._taken_at = self._now()

    def press(self, button: Hashable, control: Control, at: float | None = None) -> None:
        """Register a press. It is ignored while the button is held, because keys repeat.

        Args:
            button: any name of the button.
            control: control of the button.
            at: time of the press on the clock (s); None for now.
        """
        with self._lock:
            if button not in self._held:
                since = self._time(at)
                self._held[button] = _Held(control, since, counted=since)
                self._pressed.append(control)

    def release(self, button: Hashable, at: float | None = None) -> None:
        """Register a release at time `at` (s; None for now). It is ignored if the button was not held."""
        with self._lock:
            self._release(button, self._time(at))

    def release_all(self) -> None:
        """Release all buttons. Presses that were not taken yet are kept."""
        with self._lock:
            for button in tuple(self._held):
                self._release(button, self._now())

    def clear(self) -> None:
        """Discard all presses and held buttons."""
        with self._lock:
            self._held.clear()
            self._pressed.clear()
            self._seconds.clear()

    def holds(self, control: Control) -> bool:
        """Return whether a button for `control` is held."""
        with self._lock:
            return any(held.control is control for held in self._held.values())

    def take(self) -> Presses:
        """Return the held buttons and the presses since the last call."""
        with self._lock:
            now = self._now()
            for held in self._held.values():
                self._count(held, now)
            elapsed_s, self._taken_at = now - self._taken_at, now
            held_fractions = None
            if elapsed_s > 0.0:
                held_fractions = {
                    control: min(1.0, held_s / elapsed_s) for control, held_s in self._seconds.items()
                }
            controls = tuple(held.control for held in self._held.values())
            taken = Presses(controls, tuple(self._pressed), held_fractions)
            self._pressed.clear()
            self._seconds.clear()
        return taken

    def _release(self, button: Hashable, at: float) -> None:
        held = self._held.pop(button, None)
        if held is not None:
            self._count(held, max(at, held.since + SHORTEST_TAP_S))

    def _count(self, held: _Held, until: float) -> None:
        self._seconds[held.control] = self._seconds.get(held.control, 0.0) + held.count_until(until)

    def _now(self) -> float:
        return 0.0 if self._clock is None else self._clock.monotonic()

    def _time(self, at: float | None) -> float:
        return self._now() if at is None else min(at, self._now())
