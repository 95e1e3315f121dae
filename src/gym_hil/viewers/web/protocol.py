"""What a page may say. Anything else means nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gym_hil.devices.controls import Control
from gym_hil.devices.gamepad import GAMEPAD

LONGEST_KEY = 32
"""Characters of a key's name."""


@dataclass(frozen=True)
class Alive:
    """The page runs; `sent_at` (ms) goes back to it, for the latency."""

    sent_at: float
    visible: bool


@dataclass(frozen=True)
class Key:
    """A key went down or up."""

    key: str
    down: bool
    at: float | None = None
    """When, by the page's clock (ms); None if the page does not say."""


@dataclass(frozen=True)
class Button:
    """A button on the page went down or up."""

    control: Control
    down: bool


@dataclass(frozen=True)
class Sticks:
    """Where the touch sticks are: levels in [-1, 1], world axes."""

    x: float
    y: float
    z: float
    turning: bool = False
    """Whether they turn the hand instead of moving it."""


@dataclass(frozen=True)
class Pad:
    """A gamepad's sticks (left x and y, right x and y, right and up positive) and buttons that are down."""

    sticks: tuple[float, float, float, float]
    down: frozenset[str]


@dataclass(frozen=True)
class PadGone:
    """The gamepad was unplugged."""


@dataclass(frozen=True)
class Blur:
    """The page lost the focus: it sees no releases any more."""


@dataclass(frozen=True)
class Seat:
    """The page asks for control, or gives it away."""

    wanted: bool


@dataclass(frozen=True)
class SlowMotion:
    """Time runs slowly, or as always."""

    on: bool


Message = Alive | Key | Button | Sticks | Pad | PadGone | Blur | Seat | SlowMotion


def understand(text: str) -> Message | None:
    """Return what `text` says, or None."""
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


def _pad(said: dict[str, Any]) -> Pad:
    left_x, left_y, right_x, right_y = (_level(level) for level in said["sticks"])
    return Pad((left_x, left_y, right_x, right_y), frozenset(GAMEPAD.keys() & set(said["down"])))


_KINDS: dict[str, Callable[[dict[str, Any]], Message]] = {
    "alive": _alive,
    "key": _key,
    "button": _button,
    "sticks": _sticks,
    "pad": _pad,
    "pad-gone": lambda said: PadGone(),
    "blur": lambda said: Blur(),
    "seat": lambda said: Seat(_flag(said["wanted"])),
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
