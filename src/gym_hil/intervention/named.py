"""Operators by name, for ids and command lines: scripts, and a person with any registered device."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gym_hil.core.errors import require_one_of
from gym_hil.core.registry import Registry
from gym_hil.devices.registry import DEVICES, DeviceOptions
from gym_hil.intervention.human import Human
from gym_hil.intervention.operator import Operator

if TYPE_CHECKING:
    from gym_hil.devices.page import PageAddress


def _expert(preset: str) -> Operator:
    from gym_hil.intervention.scripted import Expert

    return Expert()


OPERATORS: Registry[Callable[[str], Operator]] = Registry(
    "operator",
    "gym_hil.operators",
    {
        "expert": "gym_hil.intervention.named:_expert",
        "simulated": "gym_hil.intervention.simulated_human:SimulatedHuman",
    },
)
"""Operators that need no device. Each value is called with the name of a preset, which it may ignore."""
PEOPLE = DEVICES
"""The devices that a person can drive with, by name."""
NAMES = (*OPERATORS, *PEOPLE)
TEACHERS = (*(name for name in OPERATORS if name != "expert"), *PEOPLE, "none")
"""Who may help a policy that learns; none: scripted demonstrations, and nobody afterwards."""


def make_operator(
    name: str,
    *,
    preset: str = "expert",
    controller_config_path: str | None = None,
    page: PageAddress | None = None,
) -> Operator:
    """Return the operator or the person with a device that is called `name`.

    Args:
        name: a name in `OPERATORS` or `DEVICES`.
        preset: limits of the simulated human.
        controller_config_path: JSON file that maps a gamepad's axes and buttons.
        page: where the browser's page is served.

    Raises:
        InvalidArgumentError: the name is unknown; the message names the nearest known ones.
    """
    if name in DEVICES:
        spec = DEVICES[name]
        options = DeviceOptions(controller_config_path=controller_config_path, page=page)
        return Human(spec.make(options), spec.engage)
    require_one_of("operator", name, (*OPERATORS, *DEVICES))
    return OPERATORS[name](preset)
