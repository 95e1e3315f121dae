"""The registry of devices. Other packages register devices by the entry points ``gym_hil.devices``."""

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
    """Options of devices from a program or a command line. A device ignores those that it does not use."""

    controller_config_path: str | os.PathLike[str] | None = None
    """JSON file that maps a gamepad's axes and buttons."""
    gamepad_name: str | None = None
    """Part of the name of the gamepad to use; None for any gamepad."""
    page: PageAddress | None = None
    """Address of the web page; None for a free port of this machine."""


@dataclass(frozen=True, kw_only=True)
class DeviceSpec:
    """A device in the registry."""

    make: Callable[[DeviceOptions], Device]
    """Opens the device."""
    engage: Engage
    """Default way of taking over with the device."""
    help: str
    """One sentence that describes the device and how it takes over."""
    make_next: Callable[[DeviceOptions], Device] | None = None
    """Opens a device of the same kind for a further end effector; None if there can be only one."""


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
        "leader": "gym_hil.integrations.lerobot.real_arm.leader:SPEC",
    },
)
"""Devices by name."""
