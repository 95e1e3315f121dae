"""Axis and button numbers of gamepads by the name of the gamepad, from a `controller_config.json`.

The file maps a controller's name, or ``"default"``, to ``axes``, ``buttons`` and ``axis_inversion``::

    {"default": {"axes": {"left_x": 0, "left_y": 1, "right_x": 2, "right_y": 3},
                 "buttons": {"x": 0, "a": 1, "b": 2, "y": 3, "lb": 4, "rb": 5, "lt": 6, "rt": 7},
                 "axis_inversion": {"left_y": true, "right_y": true}}}

An axis is inverted if the gamepad reports up or right as negative. A trigger is under ``axes`` if the gamepad reports
it as an axis, and under ``buttons`` otherwise.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypedDict

from gym_hil.core.errors import InvalidArgumentError, suggestion
from gym_hil.core.files import write_atomically

DEFAULT = "default"
STICKS = ("left_x", "left_y", "right_x", "right_y")
TRIGGERS = ("lt", "rt")
BUTTONS = ("a", "b", "x", "y", "lb", "rb", "start")
_REQUIRED_AXES = ("left_x", "left_y", "right_y")
_REQUIRED_BUTTONS = ("a", "x", "y", "rb")
_SHIPPED = Path(__file__).with_name("controller_config.json")
_USERS_VARIABLE = "GYM_HIL_CONTROLLER_CONFIG"


class ControllerConfig(TypedDict):
    """Axis and button numbers of one type of gamepad."""

    axes: dict[str, int]
    buttons: dict[str, int]
    axis_inversion: dict[str, bool]


def load_controller_config(
    controller_name: str, config_path: str | os.PathLike[str] | None = None
) -> ControllerConfig:
    """Return the configuration of a gamepad from a file, or else from the file in this package.

    Args:
        controller_name: name of the gamepad; the entry ``"default"`` is used if a file does not contain it.
        config_path: the file; None to use only the file in this package.
    """
    entry = find_controller_config([controller_name], config_path) if config_path is not None else None
    entry = entry or find_controller_config([controller_name], _SHIPPED)
    assert entry is not None, "the shipped file has a default"
    return entry


def find_controller_config(
    names: Iterable[str], config_path: str | os.PathLike[str]
) -> ControllerConfig | None:
    """Return the entry for the first of `names` in a file, or else its ``"default"``, or else None.

    Raises:
        InvalidArgumentError: the file or any of its entries is invalid.
    """
    entries = read_controller_configs(config_path)
    return next((entries[name] for name in (*names, DEFAULT) if name in entries), None)


def named_controller_config(names: Iterable[str], *, shipped: bool = True) -> ControllerConfig | None:
    """Return the entry for the first of `names` in the user's file, or else in the file of this package.

    Args:
        names: names of the gamepad.
        shipped: whether to use the file of this package.

    Returns:
        The entry, or None if neither file contains one.
    """
    names = tuple(names)
    users = user_config_path()
    for path in ((users,) if users.is_file() else ()) + ((_SHIPPED,) if shipped else ()):
        entries = read_controller_configs(path)
        for name in names:
            if name in entries and name != DEFAULT:
                return entries[name]
    return None


def user_config_path() -> Path:
    """Return the path of the user's file: the value of the environment variable ``GYM_HIL_CONTROLLER_CONFIG``, or else
    ``~/.config/gym-hil/controller_config.json``.
    """
    given = os.environ.get(_USERS_VARIABLE)
    return Path(given) if given else Path("~/.config/gym-hil/controller_config.json").expanduser()


def save_controller_config(name: str, config: ControllerConfig) -> Path:
    """Add the entry of a gamepad to the user's file, or replace it, and return the file's path.

    Raises:
        InvalidArgumentError: the configuration is incomplete, or the file is invalid.
    """
    path = user_config_path()
    entries = dict(read_controller_configs(path)) if path.is_file() else {}
    entries[name] = _checked(dict(config), repr(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(entries, indent=2).encode() + b"\n")
    return path


def read_controller_configs(config_path: str | os.PathLike[str] = _SHIPPED) -> dict[str, ControllerConfig]:
    """Return all entries of a file by name, by default of the file in this package.

    Raises:
        InvalidArgumentError: the file cannot be read, or an entry is invalid.
    """
    path = Path(config_path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidArgumentError(f"controller config {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvalidArgumentError(f"controller config {path} is not JSON: {error}") from error
    _require(isinstance(data, dict), path, "must be an object of controller names, not", data)
    return {name: _checked(entry, f"{path}: {name!r}") for name, entry in data.items()}


def _checked(entry: Any, where: str) -> ControllerConfig:
    """Return `entry` as a `ControllerConfig`, or raise `InvalidArgumentError`. `where` begins the message."""
    _require(isinstance(entry, dict), where, "must be an object, not", entry)
    _require_known_names(entry, ControllerConfig.__annotations__, where)
    axes = _numbers(entry.get("axes", {}), STICKS + TRIGGERS, f"{where} axes", int)
    buttons = _numbers(entry.get("buttons", {}), BUTTONS + TRIGGERS, f"{where} buttons", int)
    inversion = _numbers(entry.get("axis_inversion", {}), STICKS, f"{where} axis_inversion", bool)
    for kind, given, required in (("axes", axes, _REQUIRED_AXES), ("buttons", buttons, _REQUIRED_BUTTONS)):
        missing = [name for name in required if name not in given]
        _require(not missing, f"{where} {kind}", "lacks", ", ".join(missing))
    for trigger in TRIGGERS:
        _require(
            (trigger in axes) != (trigger in buttons), where, "must have either an axis or a button", trigger
        )
    return {"axes": axes, "buttons": buttons, "axis_inversion": inversion}


def _numbers(values: Any, valid: tuple[str, ...], where: str, kind: type) -> dict[str, Any]:
    _require(isinstance(values, dict), where, "must be an object, not", values)
    _require_known_names(values, valid, where)
    items: dict[str, Any] = values
    for name, value in items.items():
        exact = type(value) is kind
        valid_value = exact and value >= 0
        expected = "true or false" if kind is bool else "an index, 0 or more"
        _require(valid_value, f"{where}.{name}", f"must be {expected}, not", value)
    return dict(items)


def _require_known_names(values: dict[str, Any], valid: Iterable[str], where: str) -> None:
    for name in values:
        if name not in valid:
            raise InvalidArgumentError(f"controller config {where} has no {name!r}{suggestion(name, valid)}")


def _require(condition: bool, where: object, problem: str, value: object) -> None:
    if not condition:
        shown = value if isinstance(value, str) else json.dumps(value)
        raise InvalidArgumentError(f"controller config {where} {problem} {shown}")
