"""The devices that a person can choose by name, and what is needed to make and explain each of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gym_hil.core.registry import Registry
from gym_hil.devices.base import Device, Engage

if TYPE_CHECKING:
    from gym_hil.devices.page import PageAddress


@dataclass(frozen=True, kw_only=True)
class DeviceOptions:
    """What a program or a command line may say about a device. A device ignores what does not concern it."""

    controller_config_path: str | os.PathLike[str] | None = None
    """JSON file that maps a gamepad's axes and buttons."""
    gamepad_name: str | None = None
    """Part of the name of the gamepad to use; None for whichever gamepad the person picks up."""
    page: PageAddress | None = None
    """Where the browser's page is served; None for a free port of this machine."""


@dataclass(frozen=True, kw_only=True)
class DeviceSpec:
    """One device of the registry. A module that defines a device also defines its `DeviceSpec`."""

    make: Callable[[DeviceOptions], Device]
    """Opens the device."""
    engage: Engage
    """How a person takes over with it unless the program says otherwise."""
    help: str
    """One sentence that says what the device is and how it takes over."""


DEVICES: Registry[DeviceSpec] = Registry(
    "device",
    "gym_hil.devices",
    {
        "gamepad": "gym_hil.devices.gamepad:SPEC",
        "keyboard": "gym_hil.devices.keyboard:SPEC",
        "global-keyboard": "gym_hil.devices.global_keyboard:SPEC",
        "spacemouse": "gym_hil.devices.spacemouse:SPEC",
        "terminal": "gym_hil.devices.terminal:SPEC",
        "browser": "gym_hil.devices.page:SPEC",
    },
)
"""All devices by name. Other packages add theirs through the entry-point group ``gym_hil.devices``."""
