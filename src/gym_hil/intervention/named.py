"""Operators by name, for ids and command lines: scripts, simulated humans, and people with any registered
device.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from gym_hil.core.errors import require_one_of
from gym_hil.core.registry import Registry
from gym_hil.devices.registry import DEVICES, DeviceOptions
from gym_hil.intervention.end_effector_operators import EndEffectorOperators
from gym_hil.intervention.human import Human
from gym_hil.intervention.limits import DEFAULT_PRESET, get_limits
from gym_hil.intervention.operator import Operator

if TYPE_CHECKING:
    from gym_hil.devices.page import PageAddress


def _expert(preset: str) -> Operator:
    from gym_hil.intervention.operator import Expert

    return Expert()


OPERATORS: Registry[Callable[[Any], Operator]] = Registry(
    "operator",
    "gym_hil.operators",
    {
        "expert": "gym_hil.intervention.named:_expert",
        "simulated": "gym_hil.intervention.simulated_human:SimulatedHuman",
        "simulated-keyboard": "gym_hil.intervention.held_devices:keyboard",
        "simulated-gamepad": "gym_hil.intervention.held_devices:gamepad",
        "simulated-spacemouse": "gym_hil.intervention.held_devices:spacemouse",
        "simulated-leader": "gym_hil.intervention.held_devices:leader",
    },
)
"""Operators that need no device. Each value is called with the name of a preset, which it may ignore; those
in `SIMULATED` also accept `Limits`."""
SIMULATED_DEVICES = ("simulated-keyboard", "simulated-gamepad", "simulated-spacemouse", "simulated-leader")
"""Names of the simulated humans who operate a device."""
SIMULATED = ("simulated", *SIMULATED_DEVICES)
"""Names of the operators that are simulated humans; their limits are given by a preset."""
PEOPLE = DEVICES
"""The devices with which a person can drive, by name."""


def operator_names() -> tuple[str, ...]:
    """Return the names that `make_operator` accepts."""
    return (*OPERATORS, *DEVICES)


def training_operator_names() -> tuple[str, ...]:
    """Return the names of operators that can help during training. With ``none``, demonstrations are scripted
    and nobody takes over afterwards.
    """
    return (*(name for name in operator_names() if name != "expert"), "none")


def make_operator(
    name: str,
    *,
    preset: str = DEFAULT_PRESET,
    controller_config_path: str | os.PathLike[str] | None = None,
    gamepad_name: str | None = None,
    page: PageAddress | None = None,
) -> Operator:
    """Return the operator with the given name, or a person with the device of that name.

    Args:
        name: a name in `OPERATORS` or `DEVICES`; for a robot with several end effectors also one for each of them, such
            as ``"gamepad+spacemouse"``.
        preset: preset of the simulated human.
        controller_config_path: JSON file that maps a gamepad's axes and buttons.
        gamepad_name: part of the name of the gamepad to use; None for the one on which a button is pressed.
        page: address of the browser's page.

    Raises:
        InvalidArgumentError: the name is unknown; the message contains the nearest known names.
    """
    options = DeviceOptions(
        controller_config_path=controller_config_path, gamepad_name=gamepad_name, page=page
    )
    if "+" in name:
        return EndEffectorOperators([_operator(part, preset, options) for part in name.split("+")])
    return _operator(name, preset, options)


def _operator(name: str, preset: str, options: DeviceOptions) -> Operator:
    if name in DEVICES:
        spec = DEVICES[name]
        make_next = None if spec.make_next is None else partial(spec.make_next, options)
        return Human(spec.make(options), spec.engage, make_next=make_next)
    require_one_of("operator", name, operator_names())
    return OPERATORS[name](preset)


def make_demonstrator(
    name: str, preset: str = DEFAULT_PRESET, *, page: PageAddress | None = None
) -> Operator:
    """Return an operator that demonstrates; a simulated human takes over at once and never hands back.

    Args:
        name: a name in `OPERATORS` or `DEVICES`.
        preset: preset of the simulated human.
        page: address of the browser's page.

    Raises:
        InvalidArgumentError: the operator or the preset is unknown; the message contains the nearest names.
    """
    if name not in SIMULATED:
        return make_operator(name, preset=preset, page=page)
    return OPERATORS[name](get_limits(preset).driving())
