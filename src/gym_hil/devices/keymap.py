"""Key maps, and a canonical spelling of keys."""

from __future__ import annotations

from collections.abc import Mapping

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices.controls import Control

KEYBOARD: Mapping[str, Control] = {
    "space": Control.ENGAGE,
    "up": Control.FORWARD,
    "down": Control.BACKWARD,
    "left": Control.LEFT,
    "right": Control.RIGHT,
    "shift_r": Control.UP,
    "shift_l": Control.DOWN,
    "ctrl_l": Control.CLOSE,
    "ctrl_r": Control.OPEN,
    "t": Control.TURN,
    "f": Control.SPEED,
    "enter": Control.SUCCESS,
    "escape": Control.FAILURE,
    "r": Control.RERECORD,
    "p": Control.PAUSE,
}
"""Keys of the keyboard on devices that report presses and releases of all keys."""

SECOND_ARM: Mapping[str, Control] = {
    "c": Control.ENGAGE,
    "w": Control.FORWARD,
    "s": Control.BACKWARD,
    "a": Control.LEFT,
    "d": Control.RIGHT,
    "e": Control.UP,
    "q": Control.DOWN,
    "z": Control.CLOSE,
    "x": Control.OPEN,
    "v": Control.TURN,
    "g": Control.SPEED,
}
"""Keys on the same keyboard for the second arm of a two-arm robot."""

TERMINAL: Mapping[str, Control] = {
    "space": Control.ENGAGE,
    "up": Control.FORWARD,
    "down": Control.BACKWARD,
    "left": Control.LEFT,
    "right": Control.RIGHT,
    "page_up": Control.UP,
    "page_down": Control.DOWN,
    "c": Control.CLOSE,
    "o": Control.OPEN,
    "t": Control.TURN,
    "f": Control.SPEED,
    "enter": Control.SUCCESS,
    "escape": Control.FAILURE,
    "r": Control.RERECORD,
    "p": Control.PAUSE,
}
"""Keys of a terminal, which sends characters and therefore does not report Shift and Ctrl on their own."""

_SPELLINGS = {
    " ": "space",
    "return": "enter",
    "kp_enter": "enter",
    "numpadenter": "enter",
    "esc": "escape",
    "arrowup": "up",
    "arrowdown": "down",
    "arrowleft": "left",
    "arrowright": "right",
    "shift": "shift_l",
    "shiftleft": "shift_l",
    "left_shift": "shift_l",
    "shiftright": "shift_r",
    "right_shift": "shift_r",
    "ctrl": "ctrl_l",
    "controlleft": "ctrl_l",
    "control_l": "ctrl_l",
    "left_control": "ctrl_l",
    "controlright": "ctrl_r",
    "control_r": "ctrl_r",
    "right_control": "ctrl_r",
    "pageup": "page_up",
    "pagedown": "page_down",
}

_LABELS = {
    "shift_l": "left Shift",
    "shift_r": "right Shift",
    "ctrl_l": "left Ctrl",
    "ctrl_r": "right Ctrl",
    "escape": "Esc",
    "page_up": "PageUp",
    "page_down": "PageDown",
    "up": "Up arrow",
    "down": "Down arrow",
    "left": "Left arrow",
    "right": "Right arrow",
}


def canonical_key(key: str) -> str:
    """Return the canonical name of a key.

    Args:
        key: name of the key in a browser (``KeyR``, ``ArrowUp``), X11 (``Control_L``), GLFW (``LEFT_SHIFT``)
            or pynput (``esc``), or its character.
    """
    name = key.lower()
    if len(name) == 4 and name.startswith("key"):
        name = name[3:]
    return _SPELLINGS.get(name, name)


def canonical_keymap(keymap: Mapping[str, Control]) -> dict[str, Control]:
    """Return `keymap` with canonical names of keys.

    Raises:
        InvalidArgumentError: a key has several controls, or one that does not exist.
    """
    result: dict[str, Control] = {}
    for key, control in keymap.items():
        name = canonical_key(key)
        if not isinstance(control, Control):
            raise InvalidArgumentError(f"key {key!r} means {control!r}, which is not a Control")
        if result.setdefault(name, control) is not control:
            raise InvalidArgumentError(
                f"key {name!r} means both {result[name].value!r} and {control.value!r}; give it one meaning"
            )
    return result


def keymap_help(keymap: Mapping[str, Control]) -> str:
    """Return one line with the keys of every control, in the order of the map."""
    keys: dict[Control, list[str]] = {}
    for key, control in keymap.items():
        keys.setdefault(control, []).append(_LABELS.get(key, key.upper() if len(key) == 1 else key.title()))
    return ", ".join(f"{' or '.join(names)}: {control.value}" for control, names in keys.items())
