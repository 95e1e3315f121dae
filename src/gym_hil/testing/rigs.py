"""Rigs for the devices of this package, which are examples of a `DeviceRig`."""

from __future__ import annotations

import os
import sys
import time

from gym_hil.devices.controller_config import STICKS
from gym_hil.devices.controls import DIRECTIONS, Control
from gym_hil.devices.gamepad import Gamepad
from gym_hil.devices.keyboard import Keyboard
from gym_hil.devices.page import PAGE_KEYBOARD, PageDevice
from gym_hil.devices.terminal import ESCAPE_S, TerminalKeyboard
from gym_hil.testing.devices import DeviceRig, push_direction
from gym_hil.testing.virtual_gamepad import VirtualGamepad

_TERMINAL_BYTES = {
    "space": b" ",
    "enter": b"\r",
    "escape": b"\x1b",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "page_up": b"\x1b[5~",
    "page_down": b"\x1b[6~",
}
_PAD_BUTTONS = {
    Control.ENGAGE: "rb",
    Control.SUCCESS: "y",
    Control.FAILURE: "a",
    Control.RERECORD: "x",
    Control.CLOSE: "lt",
    Control.OPEN: "rt",
    Control.TURN: "lb",
    Control.SPEED: "b",
    Control.PAUSE: "start",
}
_PAD_AXES = (("left_y", 1.0), ("left_x", -1.0), ("right_y", 1.0))


class KeyboardRig(DeviceRig):
    """A `Keyboard` whose keys are pressed by calls."""

    axes = (0, 1, 2)

    def __init__(self, keyboard: Keyboard) -> None:
        self.device = self.keyboard = keyboard
        self.keys = {control: key for key, control in keyboard.keymap.items()}
        self.controls = frozenset(self.keys) - DIRECTIONS.keys()

    def press(self, control: Control) -> None:
        self.keyboard.press(self.keys[control])

    def release(self, control: Control) -> None:
        self.keyboard.release(self.keys[control])

    def move(self, axis: int, level: float) -> None:
        push_direction(self, axis, level)

    def disconnect(self) -> None:
        self.keyboard.connected = False

    def reconnect(self) -> None:
        self.keyboard.connected = True


class GamepadRig(DeviceRig):
    """A `Gamepad` that reads a virtual gamepad by SDL and pygame. Call `close` at the end."""

    axes = (0, 1, 2)
    controls = frozenset(_PAD_BUTTONS)

    def __init__(self) -> None:
        self.pad = VirtualGamepad()
        self.device = Gamepad()

    def press(self, control: Control) -> None:
        self._set(control, down=True)

    def release(self, control: Control) -> None:
        self._set(control, down=False)

    def move(self, axis: int, level: float) -> None:
        name, sign = _PAD_AXES[axis]
        self.pad.set_axis(name, sign * level)

    def disconnect(self) -> None:
        self.pad.detach()

    def reconnect(self) -> None:
        if not self.pad.attached:
            self.pad = VirtualGamepad()

    def close(self) -> None:
        """Unplug the gamepad."""
        self.device.close()
        self.pad.detach()

    def _set(self, control: Control, *, down: bool) -> None:
        button = _PAD_BUTTONS[control]
        if button in ("lt", "rt"):
            self.pad.set_axis(button, float(down))
        elif down:
            self.pad.press(button)
        else:
            self.pad.release(button)


class PageRig(DeviceRig):
    """A `PageDevice` with the keys, buttons and touch sticks of its page."""

    axes = (0, 1, 2)

    def __init__(self) -> None:
        self.device = self.page = PageDevice()
        self.controls = frozenset(PAGE_KEYBOARD.values()) - DIRECTIONS.keys() - {Control.TOGGLE}
        self.reconnect()

    def press(self, control: Control) -> None:
        self.page.keyboard.press_button(control)

    def release(self, control: Control) -> None:
        self.page.keyboard.release_button(control)

    def move(self, axis: int, level: float) -> None:
        levels = [0.0, 0.0, 0.0]
        levels[axis] = level
        self.page.sticks.move(*levels)

    def disconnect(self) -> None:
        self.page.attended = False

    def reconnect(self) -> None:
        self.page.attended = True
        self.page.poll()


class PagePadRig(PageRig):
    """A `PageDevice` with a gamepad of the browser."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.levels = dict.fromkeys(STICKS, 0.0)
        super().__init__()
        self.controls = frozenset(_PAD_BUTTONS)

    def press(self, control: Control) -> None:
        self.down.add(_PAD_BUTTONS[control])
        self._update()

    def release(self, control: Control) -> None:
        self.down.discard(_PAD_BUTTONS[control])
        self._update()

    def move(self, axis: int, level: float) -> None:
        name, sign = _PAD_AXES[axis]
        self.levels[name] = sign * level
        self._update()

    def reconnect(self) -> None:
        self.down.clear()
        self.levels = dict.fromkeys(STICKS, 0.0)
        self._update()
        super().reconnect()

    def _update(self) -> None:
        self.page.gamepad.update([self.levels[name] for name in STICKS], self.down)


class TerminalRig(DeviceRig):
    """A `TerminalKeyboard` at a pseudo-terminal (not on Windows). Call `close` at the end."""

    axes = (0, 1, 2)
    can_hold = False

    def __init__(self) -> None:
        self.hand, self.terminal = os.openpty()
        self.device = TerminalKeyboard(fd=self.terminal)
        self.keys = {control: key for key, control in self.device.keymap.items()}
        self.controls = frozenset(self.keys) - DIRECTIONS.keys()

    def press(self, control: Control) -> None:
        self.type(self.keys[control])

    def type(self, key: str) -> None:
        """Send the bytes of one key."""
        if self.hand >= 0:
            os.write(self.hand, _TERMINAL_BYTES.get(key) or key.encode())

    def release(self, control: Control) -> None:
        """Do nothing: terminals do not report releases."""

    def move(self, axis: int, level: float) -> None:
        for control, (index, sign) in DIRECTIONS.items():
            if index == axis and level * sign > 0:
                self.press(control)

    def disconnect(self) -> None:
        if self.hand >= 0:
            os.close(self.hand)
            self.hand = -1

    def settle(self) -> None:
        deadline = time.monotonic() + 2.0
        while self.unread() and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(ESCAPE_S + 0.05)

    def unread(self) -> int:
        """Return the number of bytes that the device has not read yet."""
        import fcntl
        import termios

        if self.hand < 0 or self.terminal < 0:
            return 0
        count = fcntl.ioctl(self.terminal, termios.FIONREAD, bytes(4))
        return int.from_bytes(count, sys.byteorder)

    def close(self) -> None:
        """Close both ends."""
        self.device.close()
        self.disconnect()
        if self.terminal >= 0:
            os.close(self.terminal)
            self.terminal = -1
