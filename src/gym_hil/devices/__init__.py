"""Input devices: sources of motion and events that do not depend on robots or environments.

Importing this package does not import the libraries of devices; each class is imported on first access.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gym_hil.core.lazy_names import lazy_names
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

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        ".combined": ("CombinedDevice",),
        ".controller_config": ("load_controller_config",),
        ".controls": ("Control",),
        ".gamepad": ("Gamepad",),
        ".global_keyboard": ("GlobalKeyboard",),
        ".keyboard": ("Keyboard",),
        ".lerobot_teleoperator": ("LeRobotTeleoperator",),
        ".page": ("PageAddress", "PageDevice"),
        ".recorded": ("RecordedDevice", "RecordingDevice"),
        ".registry": ("DEVICES", "DeviceOptions", "DeviceSpec"),
        ".spacemouse": ("SpaceMouse",),
        ".terminal": ("TerminalKeyboard",),
        "gym_hil.testing.virtual_gamepad": ("VirtualGamepad",),  # its location in version 0.1.15
    },
)
