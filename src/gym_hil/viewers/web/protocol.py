"""The messages that a page sends to the server. All other messages are ignored."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gym_hil.devices.controls import Control
from gym_hil.devices.gamepad import GAMEPAD

MAX_KEY_LENGTH = 32
"""Largest number of characters in the name of a key."""


@dataclass(frozen=True)
class Alive:
    """The page is still open. The server returns `sent_at` (ms), so that the page can measure the latency."""

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
class GamepadState:
    """State of a gamepad: levels of the sticks (left x and y, right x and y, right and up positive), and the names of
    the held buttons.
    """

    sticks: tuple[float, float, float, float]
    down: frozenset[str]


@dataclass(frozen=True)
class GamepadDisconnected:
    """The gamepad was unplugged."""


@dataclass(frozen=True)
class Blur:
    """The page has lost the focus, so that it does not receive the release of held keys."""


@dataclass(frozen=True)
class ControlRequest:
    """The page requests control, or releases it."""

    wanted: bool


@dataclass(frozen=True)
class SlowMotion:
    """Slow motion was switched on or off."""

    on: bool


Message = (
    Alive | Key | Button | Sticks | GamepadState | GamepadDisconnected | Blur | ControlRequest | SlowMotion
)


def parse_message(text: str) -> Message | None:
    """Parse a message; return None if it is invalid."""
    try:
        fields = json.loads(text)
        return _PARSERS[fields["type"]](fields)
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
        return None


def _alive(fields: dict[str, Any]) -> Alive:
    return Alive(_number(fields["t"]), _flag(fields["visible"]))


def _key(fields: dict[str, Any]) -> Key:
    key = fields["key"]
    if not isinstance(key, str) or len(key) > MAX_KEY_LENGTH:
        raise ValueError
    at = fields.get("t")
    return Key(key, _flag(fields["down"]), None if at is None else _number(at))


def _button(fields: dict[str, Any]) -> Button:
    return Button(Control[fields["control"]], _flag(fields["down"]))


def _sticks(fields: dict[str, Any]) -> Sticks:
    x, y, z = (_level(fields[axis]) for axis in "xyz")
    return Sticks(x, y, z, _flag(fields.get("turn", False)))


def _pad(fields: dict[str, Any]) -> GamepadState:
    left_x, left_y, right_x, right_y = (_level(level) for level in fields["sticks"])
    return GamepadState((left_x, left_y, right_x, right_y), frozenset(GAMEPAD.keys() & set(fields["down"])))


_PARSERS: dict[str, Callable[[dict[str, Any]], Message]] = {
    "alive": _alive,
    "key": _key,
    "button": _button,
    "sticks": _sticks,
    "pad": _pad,
    "pad-gone": lambda fields: GamepadDisconnected(),
    "blur": lambda fields: Blur(),
    "control": lambda fields: ControlRequest(_flag(fields["wanted"])),
    "slow": lambda fields: SlowMotion(_flag(fields["on"])),
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
