"""The keyboard of the whole system, read by pynput, for programs without a window of their own."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.core.errors import MissingExtraError
from gym_hil.devices.base import Engage
from gym_hil.devices.controls import Control
from gym_hil.devices.keyboard import Keyboard
from gym_hil.devices.keymap import KEYBOARD
from gym_hil.devices.registry import DeviceSpec

_log = logging.getLogger(__name__)


def unsupported_reason() -> str:
    """Return why the keys of other windows cannot be read on this system, or an empty string if they can."""
    if sys.platform.startswith("linux"):
        if os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland":
            return "Wayland does not allow programs to read the keys of other windows"
        if not os.environ.get("DISPLAY"):
            return "there is no display"
    try:
        from pynput import keyboard
    except ImportError as error:
        return str(error).splitlines()[0]
    if sys.platform == "darwin" and not getattr(keyboard.Listener, "IS_TRUSTED", True):
        return "macOS asks for permission: System Settings, Privacy & Security, Accessibility, this terminal"
    return ""


class GlobalKeyboard(Keyboard):
    """The keys of `Keyboard`, whichever window has the focus. Other programs receive these keys as well.

    If the system does not allow this, a warning is logged and the keyboard is disconnected.

    Args:
        keymap: control of each key.
        clock: clock that measures how long keys are held.
        speeds: further arguments of `Keyboard`.

    Raises:
        MissingExtraError: pynput is not installed.
    """

    name = "global keyboard"

    def __init__(
        self, keymap: Mapping[str, Control] = KEYBOARD, *, clock: Clock = SYSTEM_CLOCK, **speeds: float
    ) -> None:
        if importlib.util.find_spec("pynput") is None:
            raise MissingExtraError("pynput", "pynput", "a global keyboard")
        super().__init__(keymap, clock=clock, **speeds)
        self._listener: Any = None
        reason = unsupported_reason()
        if reason:
            self.connected = False
            _log.warning(
                "No global keyboard: %s. Use the keyboard of the window, the terminal or a gamepad.", reason
            )
            return
        from pynput import keyboard

        self._listener = keyboard.Listener(on_press=self._on_press, on_release=self._on_release)
        self._listener.start()
        self._listener.wait()

    def close(self) -> None:
        """Stop reading keys."""
        super().close()
        if self._listener is not None:
            self._listener.stop()  # its thread may end only after the next key, so it is not joined
            self._listener = None

    def _on_press(self, key: Any) -> None:
        self.press(_name(key))

    def _on_release(self, key: Any) -> None:
        self.release(_name(key))


def _name(key: Any) -> str:
    """Return pynput's name of a special key, or the character of any other."""
    return str(getattr(key, "name", None) or getattr(key, "char", None) or "")


SPEC = DeviceSpec(
    make=lambda options: GlobalKeyboard(),
    engage=Engage.TOGGLE,
    help="The keyboard, whichever window has the focus: press Space to take over and again to release control.",
)
