"""Review of a recorded episode: keep it, record it again, or discard it."""

from __future__ import annotations

import enum
import select
import sys
import time
from collections.abc import Sequence

from gym_hil.core.observer import Observer
from gym_hil.core.schema import EpisodeEvent, TerminationReason
from gym_hil.devices.base import Device

QUESTION = "Keep the episode (success button), record it again (re-record), or discard it (failure)?"
LETTERS = "Or type k, r or d, and press Enter."
"""What to type in the terminal instead of pressing the buttons of `QUESTION`, in the same order."""
POLL_S = 0.02
"""Polling interval of the device and the terminal (s)."""


class Answer(enum.Enum):
    """What to do with an episode."""

    KEEP = "keep"
    AGAIN = "again"
    """Discard the episode and record it again from the same start state."""
    DISCARD = "discard"
    """Discard the episode and continue with the next start state."""


_BUTTONS = {
    EpisodeEvent.SUCCESS: Answer.KEEP,
    EpisodeEvent.RERECORD: Answer.AGAIN,
    EpisodeEvent.FAILURE: Answer.DISCARD,
}
_LETTERS = {"k": Answer.KEEP, "r": Answer.AGAIN, "d": Answer.DISCARD}
_VERDICTS = {
    TerminationReason.HUMAN_SUCCESS.value: Answer.KEEP,
    TerminationReason.HUMAN_FAILURE.value: Answer.KEEP,
    TerminationReason.RERECORD.value: Answer.AGAIN,
    TerminationReason.HUMAN_RESET.value: Answer.AGAIN,
}


def verdict_for_end(end: str) -> Answer | None:
    """Return the verdict that follows from the reason of an episode's end, or None if the person did not end it."""
    return _VERDICTS.get(end)


def question_about(end: str) -> str:
    """Return the question about an episode, with the reason of its end. An empty reason means the time limit."""
    return f"{(end or 'time_limit').replace('_', ' ').capitalize()}. {QUESTION}"


def can_type(enabled: bool = True) -> bool:
    """Return whether letters can be typed in a terminal, if that is `enabled`."""
    return enabled and sys.stdin is not None and sys.stdin.isatty()


def ask(device: Device, observers: Sequence[Observer], question: str, *, typed: bool) -> Answer:
    """Wait for a person's verdict.

    Args:
        device: the device whose buttons give the verdict.
        observers: the viewers that show the question.
        question: the text to show.
        typed: whether a letter and Enter in the terminal also give the verdict.

    Returns:
        The verdict. The episode is kept if the device is disconnected and there is no terminal.
    """
    device.flush()
    for observer in observers:
        observer.on_note(question)
    try:
        return _answer(device, observers, typed=typed)
    finally:
        for observer in observers:
            observer.on_note("")


def _answer(device: Device, observers: Sequence[Observer], *, typed: bool) -> Answer:
    typed = can_type(typed)
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
                typed = False  # the terminal was closed
            elif (letter := line.strip().lower()[:1]) in _LETTERS:
                return _LETTERS[letter]
        if not reading.connected and not typed:
            return Answer.KEEP
        time.sleep(POLL_S)
