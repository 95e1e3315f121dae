"""A 3Dconnexion SpaceMouse with six axes and two buttons, read by pyspacemouse and hidapi."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from gym_hil.core.errors import InvalidArgumentError, MissingExtraError
from gym_hil.devices.base import DISCONNECTED, STILL, Device, DeviceReading, Engage
from gym_hil.devices.combined import CombinedDevice
from gym_hil.devices.controls import Control, PressLatch, beyond_deadzone
from gym_hil.devices.registry import DeviceSpec
from gym_hil.devices.terminal import TerminalKeyboard

BUTTONS: Mapping[int, Control] = {0: Control.CLOSE, 1: Control.OPEN}
"""Controls of the left and the right button. For events, combine the device with a `TerminalKeyboard` in a
`CombinedDevice`."""

IDLE_S = 0.002
"""Polling interval of the reading thread (s). A SpaceMouse sends a report every 8 ms or slower."""
DEADZONE = 0.05
"""Default dead zone of the cap, in [0, 1)."""
RETRY_S = 1.0
"""Interval of the search for a SpaceMouse while none is connected (s)."""

_AXES = ("x", "y", "z", "roll", "pitch", "yaw")
_log = logging.getLogger(__name__)


class Source(Protocol):
    """The methods of pyspacemouse's device that `SpaceMouse` uses."""

    def read(self) -> Any:
        """Process at most one report and return the state: `x`, `y`, `z`, `roll`, `pitch`, `yaw` in [-1, 1],
        `buttons`, and `t`, which changes with every report.
        """

    def close(self) -> None:
        """Release the device."""


def open_spacemouse() -> Source:
    """Open the first SpaceMouse, with x forward, y left and z up.

    Raises:
        RuntimeError: no SpaceMouse is connected, or hidapi cannot be used.
    """
    import pyspacemouse
    from easyhid import Enumeration

    # This does the same as pyspacemouse.open, but does not print.
    try:
        plugged_in = Enumeration().find()
    except AttributeError:
        raise RuntimeError("the library hidapi cannot be loaded") from None
    specs = list(pyspacemouse.get_device_specs().values())
    for hid in plugged_in:
        for spec in specs:
            if (hid.vendor_id, hid.product_id) == (spec.vendor_id, spec.product_id):
                spec = pyspacemouse.apply_axis_convention(spec, pyspacemouse.AxisConvention.ROS)
                mouse = pyspacemouse.SpaceMouseDevice(spec, hid)
                mouse.open()
                hid.set_nonblocking(True)
                return mouse
    raise RuntimeError("no supported SpaceMouse is connected")


class FedSpaceMouse(Device):
    """A SpaceMouse whose reports are passed to `feed`, from any thread.

    Args:
        buttons: control of each button by its number.
        deadzone: deflection that counts as centred, in [0, 1). Beyond it, the level grows from 0 to 1.

    Raises:
        InvalidArgumentError: the dead zone is invalid.
    """

    name = "spacemouse"

    def __init__(self, buttons: Mapping[int, Control] = BUTTONS, *, deadzone: float = DEADZONE) -> None:
        if not 0.0 <= deadzone < 1.0:
            raise InvalidArgumentError(f"deadzone={deadzone!r} is not in [0, 1)")
        self._buttons = dict(buttons)
        self._deadzone = deadzone
        self._latch = PressLatch()
        self._motion = STILL
        self._connected = True

    def feed(self, state: Any) -> None:
        """Take a state: `x`, `y`, `z`, `roll`, `pitch`, `yaw` in [-1, 1], and `buttons`."""
        levels = (max(-1.0, min(1.0, float(getattr(state, axis)))) for axis in _AXES)
        x, y, z, rx, ry, rz = (beyond_deadzone(level, self._deadzone) for level in levels)
        self._motion = (x, y, z, rx, ry, rz)
        for number, control in self._buttons.items():
            if number < len(state.buttons) and state.buttons[number]:
                self._latch.press(number, control)
            else:
                self._latch.release(number)

    def poll(self) -> DeviceReading:
        """Return the current levels and the presses since the last poll."""
        if not self._connected:
            return DISCONNECTED
        return self._latch.take().reading(self._motion)

    def help(self) -> str:
        """Return one line that explains the cap and the buttons."""
        names = ", ".join(
            f"button {number + 1}: {control.value}" for number, control in self._buttons.items()
        )
        return f"push, pull, lift, press or turn the cap: take over and move, {names}"

    def close(self) -> None:
        """Ignore the SpaceMouse from now on."""
        self._unplugged()

    def _unplugged(self) -> None:
        self._connected, self._motion = False, STILL
        self._latch.clear()


class SpaceMouse(FedSpaceMouse):
    """A SpaceMouse, which may be connected at any time. It has no intervention button: use `Engage.MOTION`,
    with which a short pause does not release control.

    A thread reads all reports, so that no press is lost and levels are current.

    Args:
        buttons: control of each button by its number.
        deadzone: deflection that counts as centred, in [0, 1). Beyond it, the level grows from 0 to 1.
        open_source: opens the device, and raises an exception if none is connected.

    Raises:
        InvalidArgumentError: the dead zone is invalid.
        MissingExtraError: pyspacemouse is not installed.
    """

    def __init__(
        self,
        buttons: Mapping[int, Control] = BUTTONS,
        *,
        deadzone: float = DEADZONE,
        open_source: Callable[[], Source] = open_spacemouse,
    ) -> None:
        super().__init__(buttons, deadzone=deadzone)
        if open_source is open_spacemouse and importlib.util.find_spec("pyspacemouse") is None:
            raise MissingExtraError("pyspacemouse", "spacemouse", "a SpaceMouse")
        self._open_source = open_source
        self._connected = False
        self._last_warning = ""
        self._stop = threading.Event()
        self._tried = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="spacemouse", daemon=True)
        self._thread.start()
        self._tried.wait(RETRY_S)

    def close(self) -> None:
        """Release the SpaceMouse."""
        self._stop.set()
        self._thread.join()
        super().close()

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                source = self._open_source()
            except Exception as error:
                self._warn_once(error)
                self._tried.set()
                self._stop.wait(RETRY_S)
                continue
            self._connected, self._last_warning = True, ""
            self._tried.set()
            try:
                self._read(source)
            except Exception as error:
                _log.warning("SpaceMouse was unplugged (%s); plug it in again to continue.", error)
            self._unplugged()
            with contextlib.suppress(Exception):
                source.close()

    def _read(self, source: Source) -> None:
        last: float | None = None
        while not self._stop.is_set():
            state = source.read()
            if state.t == last:
                self._stop.wait(IDLE_S)
                continue
            last = state.t
            self.feed(state)

    def _warn_once(self, error: Exception) -> None:
        """Log once why no SpaceMouse is available."""
        if str(error) != self._last_warning:
            self._last_warning = str(error)
            _log.warning(
                "No SpaceMouse: %s. Plug one in at any time. It needs the library hidapi (Debian: libhidapi-"
                "hidraw0, macOS: brew install hidapi) and, on Linux, read access to /dev/hidraw*.",
                error,
            )


SPEC = DeviceSpec(
    make=lambda options: CombinedDevice(SpaceMouse(), TerminalKeyboard()),
    engage=Engage.MOTION,
    help="A SpaceMouse: move its cap to take over; keys in the terminal end episodes.",
)
