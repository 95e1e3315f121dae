"""The devices of the web page: keys and buttons, two touch sticks, and a gamepad of the browser's machine.

The page delivers their input. While no person attends the page, all of them count as unplugged. Every absence
is reported by at least one reading, however short it is, so that it ends a takeover.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gym_hil.core.clock import SYSTEM_CLOCK
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import EpisodeEvent
from gym_hil.devices.base import DISCONNECTED, STILL, Device, DeviceReading, Engage, Motion
from gym_hil.devices.combined import CombinedDevice
from gym_hil.devices.controls import Control, PressLatch, beyond_deadzone, turned
from gym_hil.devices.gamepad import GAMEPAD, STICKS_HELP, stick_motion
from gym_hil.devices.keyboard import Keyboard
from gym_hil.devices.keymap import KEYBOARD
from gym_hil.devices.registry import DeviceSpec

PAGE_KEYBOARD: Mapping[str, Control] = {
    **{key: control for key, control in KEYBOARD.items() if not key.startswith("ctrl")},
    "c": Control.CLOSE,
    "o": Control.OPEN,
    "space": Control.TOGGLE,
    "backspace": Control.RESET,
}
"""The keys of the page. Space toggles the takeover. Ctrl is not used, because browsers use it for shortcuts."""
LOOPBACK = "127.0.0.1"
_HOST_NAME = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


@dataclass(frozen=True, kw_only=True)
class PageAddress:
    """The address under which a page is served."""

    host: str = LOOPBACK
    """Address of the interface to listen on; 0.0.0.0 for all."""
    port: int = 0
    """Port to listen on; 0 selects a free one."""
    certificate: Path | None = None
    """PEM file with a certificate, and with its key unless `key` names another file. If given, the page uses
    TLS."""
    key: Path | None = None
    """PEM file with the certificate's key."""
    host_names: tuple[str, ...] = ()
    """Further host names under which browsers may open the page, such as robot.example.org, or localhost:9000
    if a tunnel or proxy uses another port. The printed address uses the first one."""

    def __post_init__(self) -> None:
        """Validate the fields.

        Raises:
            InvalidArgumentError: a field is invalid.
        """
        if not 0 <= self.port <= 65535:
            raise InvalidArgumentError(f"port={self.port!r} is not in 0..65535")
        for name in ("certificate", "key"):
            path = getattr(self, name)
            if path is None:
                continue
            object.__setattr__(self, name, Path(path).expanduser())
            if not getattr(self, name).is_file():
                raise InvalidArgumentError(f"{name}={str(path)!r} is not a file")
        if self.key is not None and self.certificate is None:
            raise InvalidArgumentError("key is given without a certificate")
        for name in self.host_names:
            if not _HOST_NAME.fullmatch(name):
                raise InvalidArgumentError(
                    f"host_names={name!r} must be a name with or without a port, such as robot.example.org"
                )


class PageKeyboard(Keyboard):
    """The keys and the buttons of the page."""

    def __init__(self) -> None:
        super().__init__(PAGE_KEYBOARD, clock=SYSTEM_CLOCK)


class PageSticks(Device):
    """Two touch sticks: one for x and y, and one for z."""

    name = "touch sticks"

    def __init__(self) -> None:
        self._levels = (0.0, 0.0, 0.0)
        self._turning = False
        self.key_turns = False
        """Whether the key for turning is held, which turns the sticks' motion as well."""
        self._closed = False

    def move(self, x: float, y: float, z: float, *, turning: bool = False) -> None:
        """Set the levels of the sticks.

        Args:
            x: level along x, in [-1, 1], in world axes as in `DeviceReading`.
            y: level along y, in [-1, 1].
            z: level along z, in [-1, 1].
            turning: whether the sticks rotate the hand instead of moving it.
        """
        self._levels, self._turning = (x, y, z), turning

    def poll(self) -> DeviceReading:
        """Return the current motion."""
        if self._closed:
            return DISCONNECTED
        turning = self._turning or self.key_turns
        return DeviceReading(motion=turned(*self._levels) if turning else (*self._levels, 0.0, 0.0, 0.0))

    def help(self) -> str:
        """Return one line that explains the sticks."""
        return "left stick: forward, back, left, right, right stick: up, down"

    def close(self) -> None:
        """Ignore the sticks from now on."""
        self._closed = True


class PageGamepad(Device):
    """A gamepad that the browser reads, with the standard mapping of the Gamepad API.

    Args:
        deadzone: deflection of a stick that counts as centred, in [0, 1).
    """

    name = "gamepad"

    def __init__(self, *, deadzone: float = 0.1) -> None:
        self._deadzone = deadzone
        self._latch = PressLatch()
        self._motion: Motion = STILL
        self._down: frozenset[str] = frozenset()
        self._stale: frozenset[str] = frozenset()
        self._plugged = False
        self._closed = False

    def update(self, sticks: Sequence[float], down: Collection[str]) -> None:
        """Set the state of the gamepad.

        Args:
            sticks: left x and y, right x and y, each in [-1, 1], right and up positive.
            down: names of the held buttons, as on an Xbox gamepad.
        """
        levels = (beyond_deadzone(level, self._deadzone) for level in sticks)
        turning = any(GAMEPAD.get(button) is Control.TURN for button in down)
        self._motion = stick_motion(*levels, turning=turning)
        for button in self._down.difference(down):
            self._latch.release(button)
        self._down = frozenset(down)
        self._stale &= self._down
        for button, control in GAMEPAD.items():
            if button in self._down - self._stale:
                self._latch.press(button, control)
        self._plugged = True

    def let_go(self) -> None:
        """Release all buttons. Buttons that stay held count again only after a new press."""
        self._motion, self._stale = STILL, self._down
        self._latch.release_all()

    def unplug(self) -> None:
        """Mark the gamepad as unplugged."""
        self._plugged = False
        self._motion, self._down, self._stale = STILL, frozenset(), frozenset()
        self._latch.clear()

    def poll(self) -> DeviceReading:
        """Return the current levels and all presses since the last poll."""
        if not self._plugged or self._closed:
            return DISCONNECTED
        return self._latch.take().reading(self._motion)

    def help(self) -> str:
        """Return one line that explains the sticks and the buttons."""
        names = (f"{button.upper()}: {control.value}" for button, control in GAMEPAD.items())
        return ", ".join((STICKS_HELP, *names))

    def close(self) -> None:
        """Ignore the gamepad from now on."""
        self._closed = True
        self.unplug()


class PageDevice(CombinedDevice):
    """All devices of a web page as one device.

    Args:
        address: address of the page; None for a free port of this machine.

    Attributes:
        attended: whether a person attends the page and may drive.
    """

    input_viewer = "page"

    def __init__(self, address: PageAddress | None = None) -> None:
        self.address = PageAddress() if address is None else address
        self.keyboard, self.sticks, self.gamepad = PageKeyboard(), PageSticks(), PageGamepad()
        super().__init__(self.keyboard, self.sticks, self.gamepad)
        self.name = "browser"
        self._lock = threading.Lock()
        self._attended = False
        self._lost = True
        self._early: tuple[EpisodeEvent, ...] = ()

    def leaves(self) -> Iterator[Device]:
        """Yield this device, because the page delivers its input as a whole."""
        yield self

    @property
    def attended(self) -> bool:
        """Whether a person attends the page and may drive."""
        return self._attended

    @attended.setter
    def attended(self, value: bool) -> None:
        with self._lock:
            if value == self._attended:
                return
            self._attended = value
            if value:
                super().poll()  # discard presses that were made while nobody attended
            else:
                self._lost = True
                self._early += super().poll().events
                self.keyboard.release_all()
                self.sticks.move(0.0, 0.0, 0.0)
                self.gamepad.let_go()

    def poll(self) -> DeviceReading:
        """Return the person's input. An absence is reported once, together with earlier events."""
        with self._lock:
            if self._lost or not self._attended:
                events, self._early, self._lost = self._early, (), False
                return DeviceReading(events=events, connected=False)
            self.sticks.key_turns = self.keyboard.turning
            return super().poll()

    def flush(self) -> None:
        """Discard presses since the last poll, also if an absence has not been reported yet."""
        with self._lock:
            self._early, self._lost = (), False
            super().flush()

    def help(self) -> str:
        """Return one line that explains the keys; the page shows the other controls."""
        return self.keyboard.help()


SPEC = DeviceSpec(
    make=lambda options: PageDevice(options.page),
    engage=Engage.HOLD,
    help="Keys, touch and gamepads on a web page: press Space or the button to take over and to release "
    "control, or hold RB.",
)
