"""What a person has in front of a web page: keys and buttons, two touch sticks, a gamepad at the browser.

The page feeds them. While nobody attends to the page all of them are unplugged, and however short an absence
was, one reading reports it: no takeover survives it.
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
"""The keys of the page: Space takes over and lets go. Ctrl belongs to the browser's shortcuts."""
LOOPBACK = "127.0.0.1"
_HOST_NAME = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


@dataclass(frozen=True, kw_only=True)
class PageAddress:
    """Where a page is served."""

    host: str = LOOPBACK
    """Address of the interface to listen on; 0.0.0.0 for all."""
    port: int = 0
    """Port to listen on; 0 takes a free one."""
    certificate: Path | None = None
    """PEM file with a certificate, and its key unless `key` names another file: then the page uses TLS."""
    key: Path | None = None
    """PEM file with the certificate's key."""
    host_names: tuple[str, ...] = ()
    """Further names under which browsers may open the page, such as robot.example.org, or with another port,
    localhost:9000, where a tunnel or proxy leads to it. The address that is printed has the first."""

    def __post_init__(self) -> None:
        """Refuse what cannot be served."""
        if not 0 <= self.port <= 65535:
            raise InvalidArgumentError(f"port={self.port!r} is not in 0..65535")
        for name in ("certificate", "key"):
            path = getattr(self, name)
            if path is None:
                continue
            object.__setattr__(self, name, Path(path).expanduser())
            if not getattr(self, name).is_file():
                raise InvalidArgumentError(f"{name}={str(path)!r} is no file")
        if self.key is not None and self.certificate is None:
            raise InvalidArgumentError("key is given without a certificate")
        for name in self.host_names:
            if not _HOST_NAME.fullmatch(name):
                raise InvalidArgumentError(
                    f"host_names={name!r} must be a name with or without a port, such as robot.example.org"
                )


class PageKeyboard(Keyboard):
    """The keys, and the buttons that are drawn on the page."""

    def __init__(self) -> None:
        super().__init__(PAGE_KEYBOARD, clock=SYSTEM_CLOCK)


class PageSticks(Device):
    """Two touch sticks: one for x and y, one for z."""

    name = "touch sticks"

    def __init__(self) -> None:
        self._levels = (0.0, 0.0, 0.0)
        self._turning = False
        self.key_turns = False
        """Whether the key for turning is held, which turns the sticks' motion as well."""
        self._closed = False

    def move(self, x: float, y: float, z: float, *, turning: bool = False) -> None:
        """Say where the thumbs are: levels in [-1, 1], world axes as in `DeviceReading`. With
        `turning` they turn the hand instead of moving it.
        """
        self._levels, self._turning = (x, y, z), turning

    def poll(self) -> DeviceReading:
        """Return the newest motion."""
        if self._closed:
            return DISCONNECTED
        turning = self._turning or self.key_turns
        return DeviceReading(motion=turned(*self._levels) if turning else (*self._levels, 0.0, 0.0, 0.0))

    def help(self) -> str:
        """Return one line."""
        return "left stick: forward, back, left, right, right stick: up, down"

    def close(self) -> None:
        """Ignore the sticks from now on."""
        self._closed = True


class PageGamepad(Device):
    """A gamepad that the browser reads, in the Gamepad API's standard mapping."""

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
        """Say where the sticks are (left x and y, right x and y, in [-1, 1], right and up positive), and
        which buttons are down, by their names on an Xbox pad.
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
        """Say that nobody holds it: buttons that stay down count when they are pressed anew."""
        self._motion, self._stale = STILL, self._down
        self._latch.release_all()

    def unplug(self) -> None:
        """Say that it is gone."""
        self._plugged = False
        self._motion, self._down, self._stale = STILL, frozenset(), frozenset()
        self._latch.clear()

    def poll(self) -> DeviceReading:
        """Return the newest levels and every press since the last poll."""
        if not self._plugged or self._closed:
            return DISCONNECTED
        return self._latch.take().reading(self._motion)

    def help(self) -> str:
        """Return one line that names the sticks and the buttons."""
        names = (f"{button.upper()}: {control.value}" for button, control in GAMEPAD.items())
        return ", ".join((STICKS_HELP, *names))

    def close(self) -> None:
        """Ignore the pad from now on."""
        self._closed = True
        self.unplug()


class PageDevice(CombinedDevice):
    """All that the page at `address` hears, as one device. `attended` says whether a person is there."""

    fed_by = "page"

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
        """Yield this device: the page feeds it as a whole."""
        yield self

    @property
    def attended(self) -> bool:
        """Whether a person is at the page and drives."""
        return self._attended

    @attended.setter
    def attended(self, value: bool) -> None:
        with self._lock:
            if value == self._attended:
                return
            self._attended = value
            if value:
                super().poll()  # What was pressed while nobody attended belongs to nobody.
            else:
                self._lost = True
                self._early += super().poll().events
                self.keyboard.release_all()
                self.sticks.move(0.0, 0.0, 0.0)
                self.gamepad.let_go()

    def poll(self) -> DeviceReading:
        """Return what the person does. An absence is reported once, with what was pressed before it."""
        with self._lock:
            if self._lost or not self._attended:
                events, self._early, self._lost = self._early, (), False
                return DeviceReading(events=events, connected=False)
            self.sticks.key_turns = self.keyboard.turning
            return super().poll()

    def flush(self) -> None:
        """Forget unpolled presses."""
        self.poll()

    def help(self) -> str:
        """Return the keys; the page shows the rest."""
        return self.keyboard.help()


SPEC = DeviceSpec(
    make=lambda options: PageDevice(options.page),
    engage=Engage.HOLD,
    help="Keys, touch and gamepads on a web page: press Space or the button to take over and to let go, "
    "or hold RB.",
)
