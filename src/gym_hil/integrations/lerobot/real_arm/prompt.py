"""Asks a person before an arm moves."""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
from typing import Any

import gymnasium as gym

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.core.errors import DeviceError
from gym_hil.core.schema import EpisodeEvent
from gym_hil.wrappers.pausing import LISTEN_S, observers_of


class Prompt:
    """Shows a text in the terminal, on the page and in the window, and waits until the person agrees.

    The person agrees by Enter in the terminal or by the button for success.

    Args:
        typed: whether Enter is read from a terminal; not if the operator's device reads its keys.
        clock: waits.
    """

    def __init__(self, *, typed: bool = True, clock: Clock = SYSTEM_CLOCK) -> None:
        self._typed = typed or sys.stdin is None or not sys.stdin.isatty()
        self._clock = clock
        self._env: gym.Env | None = None

    def attach(self, env: gym.Env) -> None:
        """Also ask the operator of `env`, in its viewers."""
        self._env = env

    def __call__(self, text: str) -> None:
        """Return when the person agrees.

        Raises:
            DeviceError: there is neither a terminal nor a device, so that nobody can agree.
        """
        device = self._device()
        ways = [*(["Enter"] if self._typed else []), *(["the button for success"] if device else [])]
        print(f"{text} Press {' or '.join(ways) or 'Ctrl-C'} to agree, Ctrl-C to stop.", flush=True)  # noqa: T201
        if device is not None:
            device.flush()
        self._note(f"{text} Press success to agree.")
        terminal = _terminal() if self._typed else None
        try:
            while True:
                if terminal is not None and select.select([terminal], [], [], 0.0)[0]:
                    line = _line(terminal)
                    if line:
                        return
                    terminal = None
                if self._pressed(device):
                    return
                if terminal is None and device is None:
                    raise DeviceError("nobody is there to agree that the arm moves: standard input is closed")
                self._clock.sleep(LISTEN_S)
        finally:
            self._note("")

    def _pressed(self, device: Any) -> bool:
        if device is None or self._env is None:
            return False
        for observer in observers_of(self._env):
            observer.on_poll()
        return EpisodeEvent.SUCCESS in device.poll().events

    def _device(self) -> Any:
        operator = None if self._env is None else self._env.get_wrapper_attr("operator")
        return None if operator is None or operator.simulated else operator.device

    def _note(self, text: str) -> None:
        if self._env is not None:
            self._env.get_wrapper_attr("note")(text)


def _terminal() -> int | None:
    """Return the file number of standard input without what was typed before; None if it cannot be read."""
    try:
        number = sys.stdin.fileno()
    except (AttributeError, ValueError, io.UnsupportedOperation):
        return None
    if os.isatty(number):
        with contextlib.suppress(ImportError, OSError):
            import termios

            termios.tcflush(number, termios.TCIFLUSH)
    return number


def _line(terminal: int) -> bytes:
    """Return one line, and read nothing beyond it; nothing at the end of the file."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(terminal, 1)
        if not byte:
            break
        line += byte
    return line
