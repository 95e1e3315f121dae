"""Input devices: sources of motion and events that do not depend on robots or environments.

Importing this package does not import the libraries of devices; each class is imported on first access.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from gym_hil.devices.base import DISCONNECTED as DISCONNECTED
from gym_hil.devices.base import NEUTRAL as NEUTRAL
from gym_hil.devices.base import STILL as STILL
from gym_hil.devices.base import Device as Device
from gym_hil.devices.base import DeviceReading as DeviceReading
from gym_hil.devices.base import Engage as Engage
from gym_hil.devices.base import Motion as Motion

if TYPE_CHECKING:
    from gym_hil.devices.combined import CombinedDevice as CombinedDevice
    from gym_hil.devices.controller_config import load_controller_config as load_controller_config
    from gym_hil.devices.controls import Control as Control
    from gym_hil.devices.gamepad import Gamepad as Gamepad
    from gym_hil.devices.global_keyboard import GlobalKeyboard as GlobalKeyboard
    from gym_hil.devices.keyboard import Keyboard as Keyboard
    from gym_hil.devices.lerobot_teleoperator import LeRobotTeleoperator as LeRobotTeleoperator
    from gym_hil.devices.page import PageAddress as PageAddress
    from gym_hil.devices.page import PageDevice as PageDevice
    from gym_hil.devices.recorded import RecordedDevice as RecordedDevice
    from gym_hil.devices.recorded import RecordingDevice as RecordingDevice
    from gym_hil.devices.registry import DEVICES as DEVICES
    from gym_hil.devices.registry import DeviceOptions as DeviceOptions
    from gym_hil.devices.registry import DeviceSpec as DeviceSpec
    from gym_hil.devices.spacemouse import SpaceMouse as SpaceMouse
    from gym_hil.devices.terminal import TerminalKeyboard as TerminalKeyboard

_MODULES = {
    "CombinedDevice": "combined",
    "Control": "controls",
    "DEVICES": "registry",
    "DeviceOptions": "registry",
    "DeviceSpec": "registry",
    "Gamepad": "gamepad",
    "GlobalKeyboard": "global_keyboard",
    "Keyboard": "keyboard",
    "LeRobotTeleoperator": "lerobot_teleoperator",
    "PageAddress": "page",
    "PageDevice": "page",
    "RecordedDevice": "recorded",
    "RecordingDevice": "recorded",
    "SpaceMouse": "spacemouse",
    "TerminalKeyboard": "terminal",
    "load_controller_config": "controller_config",
}


def __getattr__(name: str) -> object:
    """Import the module that defines `name`."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """Return the names that can be imported from here."""
    return sorted({*globals(), *_MODULES})
