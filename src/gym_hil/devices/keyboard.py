"""A keyboard fed from anywhere: a viewer's window, a web page, a global listener, a test."""

from __future__ import annotations

from collections.abc import Mapping

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices.base import DISCONNECTED, Device, DeviceReading, Engage
from gym_hil.devices.controls import Control, PressLatch
from gym_hil.devices.keymap import KEYBOARD, canonical_key, canonical_keymap, keymap_help
from gym_hil.devices.registry import DeviceSpec


class Keyboard(Device):
    """Turns keys into readings. It captures nothing: whoever sees the keys calls `press` and `release`, from
    any thread and with any spelling that `canonical_key` knows.
    """

    name = "keyboard"

    def __init__(
        self,
        keymap: Mapping[str, Control] = KEYBOARD,
        *,
        coarse_speed: float = 1.0,
        fine_speed: float = 0.25,
        clock: Clock | None = None,
    ) -> None:
        """Make a keyboard that nobody has touched yet.

        Args:
            keymap: names of keys to their meaning.
            coarse_speed: motion level of a direction key, in (0, 1].
            fine_speed: the same while a key for `Control.FINE` is held.
            clock: makes motion proportional to the part of the time between two polls for which a key was
                down. None for keys that a program presses: one that is down or was tapped counts for all of
                that time.
        """
        for name, speed in (("coarse_speed", coarse_speed), ("fine_speed", fine_speed)):
            if not 0.0 < speed <= 1.0:
                raise InvalidArgumentError(f"{name}={speed!r} is not in (0, 1]")
        self.keymap = canonical_keymap(keymap)
        self._coarse_speed = coarse_speed
        self._fine_speed = fine_speed
        self._latch = PressLatch(clock)
        self._connected = True
        self._closed = False

    def press(self, key: str, at: float | None = None) -> bool:
        """Say that `key` went down, and return whether it means anything. A key that is already down is
        repeating itself, which is no new press.

        Args:
            key: the key in any spelling that `canonical_key` knows.
            at: when it went down, in the clock's time (s); None for now.
        """
        name = canonical_key(key)
        control = self.keymap.get(name)
        if control is None:
            return False
        if self.connected:
            self._latch.press(name, control, at)
        return True

    def release(self, key: str, at: float | None = None) -> None:
        """Say that `key` went up, `at` which time of the clock (s); None for now."""
        self._latch.release(canonical_key(key), at)

    def press_button(self, control: Control) -> None:
        """Say that a button for `control`, drawn where the keyboard is shown, went down."""
        if self.connected:
            self._latch.press(("button", control), control)

    def release_button(self, control: Control) -> None:
        """Say that it went up."""
        self._latch.release(("button", control))

    def release_all(self) -> None:
        """Say that all went up: call it when the window loses the focus and sees no more releases."""
        self._latch.release_all()

    @property
    def turning(self) -> bool:
        """Whether the key for turning is held."""
        return self._latch.holds(Control.TURN)

    @property
    def connected(self) -> bool:
        """Whether keys arrive. Whoever feeds the keyboard sets it to False when its window or page goes."""
        return self._connected and not self._closed

    @connected.setter
    def connected(self, value: bool) -> None:
        self._connected = value
        if not value:
            self._latch.clear()

    def poll(self) -> DeviceReading:
        """Return the motion of the held keys and every press since the last poll."""
        if not self.connected:
            return DISCONNECTED
        presses = self._latch.take()
        speed = self._fine_speed if presses.active(Control.FINE) else self._coarse_speed
        return presses.reading(presses.motion(speed))

    def help(self) -> str:
        """Return one line that names every key."""
        return keymap_help(self.keymap)

    def close(self) -> None:
        """Ignore all keys from now on."""
        self._closed = True
        self._latch.clear()


class WindowKeyboard(Keyboard):
    """The keyboard of the environment's own window, which feeds it."""

    fed_by = "window"

    def __init__(self, keymap: Mapping[str, Control] = KEYBOARD, *, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(keymap, clock=clock)


SPEC = DeviceSpec(
    make=lambda options: WindowKeyboard(),
    engage=Engage.TOGGLE,
    help="The keys of the environment's window: press Space to take over and once more to let go.",
)
