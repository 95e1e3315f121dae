"""A keyboard whose keys are delivered by a window, a web page, a global listener or a program."""

from __future__ import annotations

from collections.abc import Mapping

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices.base import DISCONNECTED, Device, DeviceReading, Engage
from gym_hil.devices.controls import Control, PressLatch
from gym_hil.devices.keymap import KEYBOARD, SECOND_ARM, canonical_key, canonical_keymap, keymap_help
from gym_hil.devices.registry import DeviceSpec


class Keyboard(Device):
    """A keyboard that converts keys into readings.

    It does not read keys itself: a viewer or program calls `press` and `release`, from any thread and with any spelling
    that `canonical_key` knows.

    Args:
        keymap: control of each key.
        coarse_speed: motion level of a direction key, in (0, 1].
        fine_speed: motion level while a key for `Control.FINE` is held, in (0, 1].
        clock: clock that makes motion proportional to the fraction of the time between two polls for which a
            key was held. None for keys that a program presses, which count for the whole time.

    Raises:
        InvalidArgumentError: a speed or the keymap is invalid.
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
        """Register the press of a key. Repetitions of a held key are ignored.

        Args:
            key: the key in any spelling that `canonical_key` knows.
            at: time of the press on the clock (s); None for now.

        Returns:
            Whether the key has a control.
        """
        name = canonical_key(key)
        control = self.keymap.get(name)
        if control is None:
            return False
        if self.connected:
            self._latch.press(name, control, at)
        return True

    def release(self, key: str, at: float | None = None) -> None:
        """Register the release of a key at time `at` of the clock (s; None for now)."""
        self._latch.release(canonical_key(key), at)

    def press_button(self, control: Control) -> None:
        """Register the press of a button for `control` in a viewer."""
        if self.connected:
            self._latch.press(("button", control), control)

    def release_button(self, control: Control) -> None:
        """Register the release of the button for `control`."""
        self._latch.release(("button", control))

    def release_all(self) -> None:
        """Release all keys and buttons. To be called when the window loses the focus."""
        self._latch.release_all()

    @property
    def turning(self) -> bool:
        """Whether the key for turning is held."""
        return self._latch.holds(Control.TURN)

    @property
    def connected(self) -> bool:
        """Whether keys are delivered. A viewer sets it to False when its window or page is closed."""
        return self._connected and not self._closed

    @connected.setter
    def connected(self, value: bool) -> None:
        self._connected = value
        if not value:
            self._latch.clear()

    def poll(self) -> DeviceReading:
        """Return the motion of the held keys and all presses since the last poll."""
        if not self.connected:
            return DISCONNECTED
        presses = self._latch.take()
        speed = self._fine_speed if presses.active(Control.FINE) else self._coarse_speed
        return presses.reading(presses.motion(speed))

    def help(self) -> str:
        """Return one line that explains all keys."""
        return keymap_help(self.keymap)

    def close(self) -> None:
        """Ignore all keys from now on."""
        self._closed = True
        self._latch.clear()


class WindowKeyboard(Keyboard):
    """The keyboard of the environment's window, which delivers its keys."""

    input_viewer = "window"

    def __init__(self, keymap: Mapping[str, Control] = KEYBOARD, *, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(keymap, clock=clock)


SPEC = DeviceSpec(
    make=lambda options: WindowKeyboard(),
    make_next=lambda options: WindowKeyboard(SECOND_ARM),
    engage=Engage.TOGGLE,
    help="The keys of the environment's window: press Space to take over and again to release control.",
)
