"""Keys that are typed into a terminal, also over SSH."""

from __future__ import annotations

import atexit
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any

from gym_hil.devices.base import Device, DeviceReading, Engage
from gym_hil.devices.controls import Control, PressLatch
from gym_hil.devices.keymap import TERMINAL, canonical_key, canonical_keymap, keymap_help
from gym_hil.devices.registry import DeviceSpec

_log = logging.getLogger(__name__)
ESCAPE_S = 0.03
"""Time after which a single escape byte counts as the Esc key instead of the beginning of a sequence (s)."""

NO_FILE = -1
_ENDING_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGQUIT") if hasattr(signal, name))

_KEYS_BY_LETTER = {"A": "up", "B": "down", "C": "right", "D": "left"}
_KEYS_BY_NUMBER = {"5": "page_up", "6": "page_down"}
_CHARACTERS = {"\r": "enter", "\n": "enter", " ": "space"}


def split_keys(text: str) -> tuple[list[str], str]:
    """Split text from a terminal into keys. Unknown sequences are skipped.

    Returns:
        The names of the keys, and the end of the text if it may be an incomplete sequence.
    """
    keys: list[str] = []
    start = 0
    while start < len(text):
        if text[start] != "\x1b":
            keys.append(_CHARACTERS.get(text[start], text[start]))
            start += 1
            continue
        if start + 1 == len(text):
            return keys, text[start:]
        if text[start + 1] not in "[O":
            keys.append("escape")
            start += 1
            continue
        end = start + 2
        while end < len(text) and not "@" <= text[end] <= "~":
            end += 1
        if end == len(text):
            return keys, text[start:]
        body = text[start + 2 : end]
        key = _KEYS_BY_NUMBER.get(body.split(";")[0]) if text[end] == "~" else _KEYS_BY_LETTER.get(text[end])
        if key is not None:
            keys.append(key)
        start = end + 1
    return keys, ""


class TerminalKeyboard(Device):
    """The keys of a terminal. Use `Engage.TOGGLE`.

    A terminal does not report releases. Each character, including repeated ones, therefore counts as held for
    one poll, and the key for turning switches between turning and moving. Ctrl-C works as usual.

    The settings of the terminal are restored by `close`, and at exit. If there is no terminal, as under a job
    scheduler or on Windows, a warning is logged and the device counts as unplugged.

    Args:
        keymap: control of each key.
        fd: file descriptor of the terminal; None for standard input.
    """

    name = "terminal"

    def __init__(self, keymap: Mapping[str, Control] = TERMINAL, *, fd: int | None = None) -> None:
        self.keymap = canonical_keymap(keymap)
        self._latch = PressLatch()
        self._fd = _stdin() if fd is None else fd
        self._settings: list[Any] = []
        self._thread: threading.Thread | None = None
        self._connected = False
        self._turning = False
        if not self._prepare():
            _log.warning(
                "Standard input is not a terminal that can report single keys; use the keyboard of a window, a "
                "gamepad or the simulated human."
            )
            return
        self._connected = True
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._listen, name="terminal keys", daemon=True)
        self._thread.start()
        atexit.register(self.close)
        self._catch_signals()

    def poll(self) -> DeviceReading:
        """Return the presses since the last poll."""
        if self._connected and _hung_up(self._fd):
            self._connected = False  # the reading thread may notice it later
        presses = self._latch.take()
        reading = presses.reading(presses.motion())
        if self._connected:
            return reading
        return DeviceReading(events=reading.events, connected=False)

    def help(self) -> str:
        """Return one line that explains all keys."""
        return keymap_help(self.keymap)

    def close(self) -> None:
        """Restore the settings of the terminal."""
        self._connected = False
        self._latch.clear()
        if self._thread is None:
            return
        os.write(self._wake_write, b"x")
        self._thread.join()
        self._thread = None
        os.close(self._wake_read)
        os.close(self._wake_write)
        self._restore()
        atexit.unregister(self.close)
        self._ignore_signals()

    def _catch_signals(self) -> None:
        """Restore the settings of the terminal before a signal ends the program, unless the program handles
        the signal.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _ENDING_SIGNALS:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._on_signal)

    def _ignore_signals(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in _ENDING_SIGNALS:
                if signal.getsignal(number) == self._on_signal:
                    signal.signal(number, signal.SIG_DFL)

    def _on_signal(self, number: int, frame: object) -> None:
        self._restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _prepare(self) -> bool:
        """Set the terminal to report single keys without echo, and return whether that is possible."""
        if self._fd == NO_FILE or not os.isatty(self._fd):
            return False
        try:
            import termios
            import tty
        except ImportError:
            return False
        self._settings = termios.tcgetattr(self._fd)
        tty.setcbreak(self._fd)
        return True

    def _restore(self) -> None:
        import termios

        try:
            termios.tcsetattr(self._fd, termios.TCSANOW, self._settings)
        except (termios.error, OSError):
            _log.debug("the terminal was closed")

    def _listen(self) -> None:
        incomplete = ""
        while True:
            ready, _, _ = select.select([self._fd, self._wake_read], [], [], ESCAPE_S if incomplete else None)
            if self._wake_read in ready:
                return
            if ready:
                typed = self._read()
                if not typed:
                    self._connected = False
                    return
                keys, incomplete = split_keys(incomplete + typed)
            else:
                keys, incomplete = (["escape"] if incomplete == "\x1b" else []), ""
            for key in keys:
                self._tap(canonical_key(key))

    def _read(self) -> str:
        try:
            return os.read(self._fd, 1024).decode("utf-8", errors="replace")
        except OSError:
            return ""

    def _tap(self, key: str) -> None:
        control = self.keymap.get(key)
        if control is None:
            return
        self._latch.press(key, control)
        self._turning ^= control is Control.TURN
        if control is not Control.TURN or not self._turning:
            self._latch.release(key)


def _hung_up(fd: int) -> bool:
    """Return whether the other end of a terminal was closed."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(fd, 0)
    return any(events & (select.POLLHUP | select.POLLNVAL) for _, events in poll.poll(0))


def _stdin() -> int:
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return NO_FILE


SPEC = DeviceSpec(
    make=lambda options: TerminalKeyboard(),
    engage=Engage.TOGGLE,
    help="Keys in the terminal, also over SSH: press Space to take over and again to release control.",
)
