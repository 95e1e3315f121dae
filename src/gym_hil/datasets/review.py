"""What becomes of an episode that has ended: keep it, do it again, or drop it."""

from __future__ import annotations

import enum
import select
import sys
import time
from collections.abc import Sequence

from gym_hil.core.observer import Observer
from gym_hil.core.schema import EpisodeEvent, TerminationReason
from gym_hil.devices.base import Device

QUESTION = "Keep (success button, or k), record again (re-record, or r), discard (failure, or d)?"
LISTEN_S = 0.02
"""Seconds between two looks at device and terminal."""


class Verdict(enum.Enum):
    """What to do with an episode."""

    KEEP = "keep"
    AGAIN = "again"
    """Drop it, and begin again from the same start."""
    DISCARD = "discard"
    """Drop it, and go on from another start."""


_BUTTONS = {
    EpisodeEvent.SUCCESS: Verdict.KEEP,
    EpisodeEvent.RERECORD: Verdict.AGAIN,
    EpisodeEvent.FAILURE: Verdict.DISCARD,
}
_LETTERS = {"k": Verdict.KEEP, "r": Verdict.AGAIN, "d": Verdict.DISCARD}
_CALLED = {
    TerminationReason.HUMAN_SUCCESS.value: Verdict.KEEP,
    TerminationReason.HUMAN_FAILURE.value: Verdict.KEEP,
    TerminationReason.RERECORD.value: Verdict.AGAIN,
    TerminationReason.HUMAN_RESET.value: Verdict.AGAIN,
}


def called(end: str) -> Verdict | None:
    """Return the verdict that lies in how an episode ended: a person's buttons say it, nothing else does."""
    return _CALLED.get(end)


def ask(device: Device, observers: Sequence[Observer], *, typed: bool) -> Verdict:
    """Wait for a button of `device` or, where `typed`, for a letter and Enter in the terminal.

    Without anybody who could answer, because the device is unplugged or its window closed and there is no
    terminal, the episode is kept.
    """
    device.flush()
    for observer in observers:
        observer.on_note(QUESTION)
    try:
        return _answer(device, observers, typed=typed)
    finally:
        for observer in observers:
            observer.on_note("")


def _answer(device: Device, observers: Sequence[Observer], *, typed: bool) -> Verdict:
    typed = typed and sys.stdin is not None and sys.stdin.isatty()
    while True:
        for observer in observers:
            observer.on_poll()
        reading = device.poll()
        for event in reading.events:
            if event in _BUTTONS:
                return _BUTTONS[event]
        if typed and select.select([sys.stdin], [], [], 0.0)[0]:
            line = sys.stdin.readline()
            if not line:
                typed = False  # the terminal is gone
            elif (letter := line.strip().lower()[:1]) in _LETTERS:
                return _LETTERS[letter]
        if not reading.connected and not typed:
            return Verdict.KEEP
        time.sleep(LISTEN_S)
