"""What a button or key can mean, and the bookkeeping of presses that all devices with buttons share."""

from __future__ import annotations

import enum
import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from gym_hil.core.clock import Clock
from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.devices.base import DeviceReading, Motion


class Control(enum.Enum):
    """The meaning of a button or key; the value is how a line of help names it."""

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
    Control.SPEED: EpisodeEvent.NEXT_SPEED,
    Control.RESET: EpisodeEvent.RESET,
}
GRIPPER: dict[Control, GripperCommand] = {
    Control.CLOSE: GripperCommand.CLOSE,
    Control.OPEN: GripperCommand.OPEN,
}


SHORTEST_TAP_S = 0.02
"""A key counts as held for at least this long (s). People press keys for longer; remote desktops and touch
screens report some presses as shorter."""


def turned(x: float, y: float, z: float) -> Motion:
    """Return the rotation that replaces a translation while the person turns instead of moves.

    Args:
        x: level of forward, in [-1, 1]; the hand tips forward, a positive rotation about y.
        y: level of left; the hand tips to the left, a negative rotation about x.
        z: level of up; the hand turns counterclockwise as seen from above, a positive rotation about z.

    Returns:
        A `Motion` without translation, in world axes.
    """
    return (0.0, 0.0, 0.0, -y or 0.0, x, z)


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
    shares: Mapping[Control, float] | None = None
    """For which part of the time since the last poll each control was down, in (0, 1]. None if the times are
    not known: then a control counts as down all the time if it is held or was tapped."""

    def active(self, control: Control) -> bool:
        """Return whether `control` is held, or was tapped since the last poll."""
        return control in self.held or control in self.pressed

    def motion(self, speed: float = 1.0) -> Motion:
        """Return the motion of the direction buttons, each axis in [-speed, speed].

        Opposite directions cancel for as long as both are held. While `Control.TURN` is active, the
        directions turn the hand, see `turned`.

        Args:
            speed: level of a direction that was held all the time.
        """
        axes = [0.0, 0.0, 0.0]
        for control, share in (self._whole_shares() if self.shares is None else self.shares).items():
            if control in DIRECTIONS:
                axis, sign = DIRECTIONS[control]
                axes[axis] += sign * share
        x, y, z = (max(-1.0, min(1.0, level)) * speed for level in axes)
        return turned(x, y, z) if self.active(Control.TURN) else (x, y, z, 0.0, 0.0, 0.0)

    def _whole_shares(self) -> dict[Control, float]:
        """Return 1 for every direction held, and for the last one tapped on each axis that has none."""
        shares = {control: 1.0 for control in self.held if control in DIRECTIONS}
        moved = {DIRECTIONS[control][0] for control in shares}
        for control in reversed(self.pressed):
            if control in DIRECTIONS and DIRECTIONS[control][0] not in moved:
                moved.add(DIRECTIONS[control][0])
                shares[control] = 1.0
        return shares

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


@dataclass
class _Held:
    """A button that is down: what it means, since when (s), and up to when it was counted (s)."""

    control: Control
    since: float
    counted: float

    def count_until(self, at: float) -> float:
        """Return for how long it was down since it was last counted (s)."""
        seconds = max(0.0, at - self.counted)
        self.counted = max(self.counted, at)
        return seconds


class PressLatch:
    """Collects presses from any thread until they are taken, each exactly once.

    Args:
        clock: measures for which part of the time between two calls of `take` each button was down. None
            if the buttons are pressed by a program, whose time is not the control period's.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[Hashable, _Held] = {}
        self._pressed: list[Control] = []
        self._seconds: dict[Control, float] = {}
        self._taken_at = self._now()

    def press(self, button: Hashable, control: Control, at: float | None = None) -> None:
        """Say that `button` went down. Ignored while it is down: keys repeat.

        Args:
            button: any name of the button.
            control: what it means.
            at: when it went down, in the clock's time (s); None for now.
        """
        with self._lock:
            if button not in self._held:
                since = self._time(at)
                self._held[button] = _Held(control, since, counted=since)
                self._pressed.append(control)

    def release(self, button: Hashable, at: float | None = None) -> None:
        """Say that `button` went up, `at` which time (s; None for now). Ignored if it was not down."""
        with self._lock:
            self._release(button, self._time(at))

    def release_all(self) -> None:
        """Say that every button went up; presses not yet taken stay."""
        with self._lock:
            for button in tuple(self._held):
                self._release(button, self._now())

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self._pressed.clear()
            self._seconds.clear()

    def holds(self, control: Control) -> bool:
        """Return whether a button that means `control` is down now."""
        with self._lock:
            return any(held.control is control for held in self._held.values())

    def take(self) -> Presses:
        """Return what is held and what was pressed since the last call."""
        with self._lock:
            now = self._now()
            for held in self._held.values():
                self._count(held, now)
            passed, self._taken_at = now - self._taken_at, now
            shares = None
            if passed > 0.0:
                shares = {control: min(1.0, spent / passed) for control, spent in self._seconds.items()}
            controls = tuple(held.control for held in self._held.values())
            taken = Presses(controls, tuple(self._pressed), shares)
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
