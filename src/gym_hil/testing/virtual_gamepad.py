"""A virtual gamepad, which SDL and pygame handle like a real one, for tests and demonstrations."""

from __future__ import annotations

import ctypes
import os
import sys
from types import ModuleType

from gym_hil.core.errors import DeviceError, require_one_of
from gym_hil.devices import sdl

AXES = ("left_x", "left_y", "right_x", "right_y", "lt", "rt")
"""Sticks in [-1, 1], right and up positive; triggers in [0, 1]."""

BUTTONS = ("a", "b", "x", "y", "back", "guide", "start", "left_stick", "right_stick", "lb", "rb")
"""In the order of SDL's own controller buttons."""

_RESTING = {"lt": 0.0, "rt": 0.0}
_GAMECONTROLLER, _UNKNOWN = 1, 0


class _Description(ctypes.Structure):
    """SDL_VirtualJoystickDesc, version 1."""

    _fields_ = (
        ("version", ctypes.c_uint16),
        ("type", ctypes.c_uint16),
        ("axes", ctypes.c_uint16),
        ("buttons", ctypes.c_uint16),
        ("hats", ctypes.c_uint16),
        ("vendor", ctypes.c_uint16),
        ("product", ctypes.c_uint16),
        ("padding", ctypes.c_uint16),
        ("button_mask", ctypes.c_uint32),
        ("axis_mask", ctypes.c_uint32),
        ("name", ctypes.c_char_p),
        ("callbacks", ctypes.c_void_p * 7),
    )


class VirtualGamepad:
    """A virtual gamepad, which is connected until `detach` is called.

    Args:
        name: name of the gamepad.
        mapped: whether SDL knows the names of its buttons.

    Raises:
        DeviceError: SDL cannot attach it.
    """

    def __init__(self, name: str = "Virtual Gamepad", *, mapped: bool = True) -> None:
        self._pygame = sdl.start()
        self._sdl = _library(self._pygame)
        self._description = _Description(
            version=1,
            type=_GAMECONTROLLER if mapped else _UNKNOWN,
            axes=len(AXES),
            buttons=len(BUTTONS),
            name=name.encode(),
        )
        self._index = self._sdl.SDL_JoystickAttachVirtualEx(ctypes.byref(self._description))
        if self._index < 0:
            raise DeviceError(f"SDL cannot attach a virtual gamepad: {self._sdl.SDL_GetError().decode()}")
        self._handle: ctypes.c_void_p | None = ctypes.c_void_p(self._sdl.SDL_JoystickOpen(self._index))
        self.instance_id = int(self._sdl.SDL_JoystickInstanceID(self._handle))
        for trigger in _RESTING:
            self.set_axis(trigger, 0.0)

    @property
    def attached(self) -> bool:
        """Whether the gamepad is connected."""
        return self._handle is not None

    def set_axis(self, name: str, value: float) -> None:
        """Set a stick axis to `value` in [-1, 1] (right and up positive), or a trigger in [0, 1]."""
        require_one_of("axis", name, AXES)
        raw = 2.0 * value - 1.0 if name in _RESTING else -value if name.endswith("_y") else value
        if self._handle is not None:
            level = ctypes.c_int16(max(-32768, min(32767, round(raw * 32767))))
            self._sdl.SDL_JoystickSetVirtualAxis(self._handle, AXES.index(name), level)
            self._sdl.SDL_JoystickUpdate()

    def press(self, button: str) -> None:
        """Press a button."""
        self._set_button(button, 1)

    def release(self, button: str) -> None:
        """Release a button."""
        self._set_button(button, 0)

    def detach(self) -> None:
        """Unplug the gamepad. It may be called more than once."""
        if self._handle is None:
            return
        for index in range(self._sdl.SDL_NumJoysticks()):
            if self._sdl.SDL_JoystickGetDeviceInstanceID(index) == self.instance_id:
                self._sdl.SDL_JoystickDetachVirtual(index)
                break
        self._sdl.SDL_JoystickClose(self._handle)
        self._handle = None

    def _set_button(self, button: str, value: int) -> None:
        require_one_of("button", button, BUTTONS)
        if self._handle is not None:
            self._sdl.SDL_JoystickSetVirtualButton(self._handle, BUTTONS.index(button), value)
            self._sdl.SDL_JoystickUpdate()


def _library(pygame: ModuleType) -> ctypes.CDLL:
    """Return the SDL library that pygame has loaded."""
    if sys.platform == "win32":
        library = ctypes.CDLL(os.path.join(os.path.dirname(str(pygame.__file__)), "SDL2.dll"))
    else:
        # A symbol looked up in an extension module is found in the libraries that module is linked to.
        import pygame.base

        library = ctypes.CDLL(pygame.base.__file__)
    library.SDL_JoystickOpen.restype = ctypes.c_void_p
    library.SDL_GetError.restype = ctypes.c_char_p
    return library
