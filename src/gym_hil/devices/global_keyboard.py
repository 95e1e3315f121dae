"""Keys wherever the focus is, through pynput: for programs whose window cannot be given the focus."""

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


def why_not() -> str:
    """Return why keys cannot be heard globally here, or nothing if they can."""
    if sys.platform.startswith("linux"):
        if os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland":
            return "Wayland lets no program hear the keys of others"
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
    """The keys of `Keyboard`, heard whatever window has the focus. Other programs hear them too.

    Where the system does not allow that, the keyboard is unplugged and says why once.
    """

    name = "global keyboard"

    def __init__(
        self, keymap: Mapping[str, Control] = KEYBOARD, *, clock: Clock = SYSTEM_CLOCK, **speeds: float
    ) -> None:
        if importlib.util.find_spec("pynput") is None:
            raise MissingExtraError("pynput", "pynput", "a global keyboard")
        super().__init__(keymap, clock=clock, **speeds)
        self._listener: Any = None
        reason = why_not()
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
        """Stop listening."""
        super().close()
        if self._listener is not None:
            self._listener.stop()  # Its thread may need one more key to end: nobody joins it.
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
    help="The keys wherever the focus is: press Space to take over and once more to let go.",
)
