"""The messages of a page to the server. Other messages are ignored."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gym_hil.devices.controls import Control
from gym_hil.devices.gamepad import GAMEPAD

LONGEST_KEY = 32
"""Largest number of characters in the name of a key."""


@dataclass(frozen=True)
class Alive:
    """A sign of life of the page. `sent_at` (ms) is returned to the page to measure the latency."""

    sent_at: float
    visible: bool


@dataclass(frozen=True)
class Key:
    """A key was pressed or released."""

    key: str
    down: bool
    at: float | None = None
    """Time on the page's clock (ms); None if unknown."""


@dataclass(frozen=True)
class Button:
    """A button on the page was pressed or released."""

    control: Control
    down: bool


@dataclass(frozen=True)
class Sticks:
    """Levels of the touch sticks in [-1, 1], world axes."""

    x: float
    y: float
    z: float
    turning: bool = False
    """Whether the sticks rotate the hand instead of moving it."""


@dataclass(frozen=True)
class PagePad:
    """Levels of a gamepad's sticks (left x and y, right x and y, right and up positive), and the held
    buttons.
    """

    sticks: tuple[float, float, float, float]
    down: frozenset[str]


@dataclass(frozen=True)
class PadGone:
    """The gamepad was unplugged."""


@dataclass(frozen=True)
class Blur:
    """The page has lost the focus, and does not receive releases any more."""


@dataclass(frozen=True)
class ControlRequest:
    """The page requests control, or releases it."""

    wanted: bool


@dataclass(frozen=True)
class SlowMotion:
    """Slow motion was switched on or off."""

    on: bool


Message = Alive | Key | Button | Sticks | PagePad | PadGone | Blur | ControlRequest | SlowMotion


def understand(text: str) -> Message | None:
    """Parse a message; return None if it is invalid."""
    try:
        said = json.loads(text)
        return _KINDS[said["type"]](said)
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
        return None


def _alive(said: dict[str, Any]) -> Alive:
    return Alive(_number(said["t"]), _flag(said["visible"]))


def _key(said: dict[str, Any]) -> Key:
    key = said["key"]
    if not isinstance(key, str) or len(key) > LONGEST_KEY:
        raise ValueError
    at = said.get("t")
    return Key(key, _flag(said["down"]), None if at is None else _number(at))


def _button(said: dict[str, Any]) -> Button:
    return Button(Control[said["control"]], _flag(said["down"]))


def _sticks(said: dict[str, Any]) -> Sticks:
    x, y, z = (_level(said[axis]) for axis in "xyz")
    return Sticks(x, y, z, _flag(said.get("turn", False)))


def _pad(said: dict[str, Any]) -> PagePad:
    left_x, left_y, right_x, right_y = (_level(level) for level in said["sticks"])
    return PagePad((left_x, left_y, right_x, right_y), frozenset(GAMEPAD.keys() & set(said["down"])))


_KINDS: dict[str, Callable[[dict[str, Any]], Message]] = {
    "alive": _alive,
    "key": _key,
    "button": _button,
    "sticks": _sticks,
    "pad": _pad,
    "pad-gone": lambda said: PadGone(),
    "blur": lambda said: Blur(),
    "control": lambda said: ControlRequest(_flag(said["wanted"])),
    "slow": lambda said: SlowMotion(_flag(said["on"])),
}


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return float(value)


def _level(value: Any) -> float:
    return max(-1.0, min(1.0, _number(value)))
