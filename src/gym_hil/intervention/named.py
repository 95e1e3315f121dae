"""Operators by name, for ids and command lines: scripts, and a person with any registered device."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gym_hil.core.errors import require_one_of
from gym_hil.core.registry import Registry
from gym_hil.devices.registry import DEVICES, DeviceOptions
from gym_hil.intervention.human import Human
from gym_hil.intervention.limits import DEFAULT_PRESET, limits_of
from gym_hil.intervention.operator import Operator

if TYPE_CHECKING:
    from gym_hil.devices.page import PageAddress


def _expert(preset: str) -> Operator:
    from gym_hil.intervention.scripted import Expert

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
"""Operators that need no device. Each value is called with the name of a preset, which it may ignore; those in
`SIMULATED` take `Limits` as well."""
SIMULATED_DEVICES = ("simulated-keyboard", "simulated-gamepad", "simulated-spacemouse", "simulated-leader")
"""Names of the simulated humans who work a device."""
SIMULATED = ("simulated", *SIMULATED_DEVICES)
"""Names of the operators that are simulated humans, whose preset says what they can do."""
PEOPLE = DEVICES
"""The devices that a person can drive with, by name."""


def operator_names() -> tuple[str, ...]:
    """Return the names that `make_operator` takes: those of operators, and of devices that a person drives with."""
    return (*OPERATORS, *DEVICES)


def teacher_names() -> tuple[str, ...]:
    """Return who may help a policy that learns; none: scripted demonstrations, and nobody afterwards."""
    return (*(name for name in operator_names() if name != "expert"), "none")


def make_operator(
    name: str,
    *,
    preset: str = DEFAULT_PRESET,
    controller_config_path: str | os.PathLike[str] | None = None,
    gamepad_name: str | None = None,
    page: PageAddress | None = None,
) -> Operator:
    """Return the operator or the person with a device that is called `name`.

    Args:
        name: a name in `OPERATORS` or `DEVICES`.
        preset: limits of the simulated human.
        controller_config_path: JSON file that maps a gamepad's axes and buttons.
        gamepad_name: part of the name of the gamepad to use; None for whichever one the person picks up.
        page: where the browser's page is served.

    Raises:
        InvalidArgumentError: the name is unknown; the message names the nearest known ones.
    """
    if name in DEVICES:
        spec = DEVICES[name]
        options = DeviceOptions(
            controller_config_path=controller_config_path, gamepad_name=gamepad_name, page=page
        )
        return Human(spec.make(options), spec.engage)
    require_one_of("operator", name, operator_names())
    return OPERATORS[name](preset)


def make_demonstrator(name: str, preset: str = DEFAULT_PRESET) -> Operator:
    """Return an operator who demonstrates: a simulated human takes over at once and never lets go.

    Args:
        name: a name in `OPERATORS`.
        preset: limits of the simulated human.

    Raises:
        InvalidArgumentError: the operator or the preset is unknown; the message names the nearest ones.
    """
    if name not in SIMULATED:
        return make_operator(name, preset=preset)
    return OPERATORS[name](limits_of(preset).driving())
