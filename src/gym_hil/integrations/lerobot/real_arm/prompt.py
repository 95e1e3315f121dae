"""Asks a person for confirmation before an arm moves."""

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
from gym_hil.wrappers.pausing import POLL_S, find_observers


class Prompt:
    """Shows a text in the terminal, on the page and in the window, and waits for a person's confirmation: Enter in the
    terminal, or the button for success.

    Args:
        typed: whether Enter in the terminal confirms; false if the operator's device reads the keys of the terminal.
        clock: clock that waits.
    """

    def __init__(self, *, typed: bool = True, clock: Clock = SYSTEM_CLOCK) -> None:
        self._typed = typed or sys.stdin is None or not sys.stdin.isatty()
        self._clock = clock
        self._env: gym.Env | None = None

    def attach(self, env: gym.Env) -> None:
        """Also show the text in the viewers of `env`, and accept its operator's button."""
        self._env = env

    def __call__(self, text: str) -> None:
        """Return when the person has confirmed.

        Raises:
            DeviceError: there is neither a terminal nor a device, so that nobody can confirm.
        """
        device = self._device()
        keys = [*(["Enter"] if self._typed else []), *(["the button for success"] if device else [])]
        print(f"{text} Press {' or '.join(keys) or 'Ctrl-C'} to continue, Ctrl-C to stop.", flush=True)  # noqa: T201
        if device is not None:
            device.flush()
        self._note(f"{text} Press success to continue.")
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
                    raise DeviceError(
                        "nobody can confirm that the arm may move, because standard input is closed"
                    )
                self._clock.sleep(POLL_S)
        finally:
            self._note("")

    def _pressed(self, device: Any) -> bool:
        if device is None or self._env is None:
            return False
        for observer in find_observers(self._env):
            observer.on_poll()
        return EpisodeEvent.SUCCESS in device.poll().events

    def _device(self) -> Any:
        operator = None if self._env is None else self._env.get_wrapper_attr("operator")
        return None if operator is None or operator.simulated else operator.device

    def _note(self, text: str) -> None:
        if self._env is not None:
            self._env.get_wrapper_attr("note")(text)


def _terminal() -> int | None:
    """Discard what was typed before, and return the file descriptor of standard input; None if it cannot be read."""
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
    """Return the next line without reading beyond it; an empty one at the end of the file."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(terminal, 1)
        if not byte:
            break
        line += byte
    return line
