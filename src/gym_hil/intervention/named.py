"""Operators by name, for ids and command lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gym_hil.core.errors import require_one_of
from gym_hil.intervention.human import Engage, Human
from gym_hil.intervention.operator import Operator
from gym_hil.intervention.scripted import Expert
from gym_hil.intervention.simulated_human import SimulatedHuman

if TYPE_CHECKING:
    from gym_hil.devices.page import PageAddress

PEOPLE = ("gamepad", "keyboard", "global-keyboard", "spacemouse", "terminal", "browser")
"""Devices that a person can drive with; the spacemouse's episodes are ended with keys in the terminal."""
NAMES = ("expert", "simulated", *PEOPLE)
TEACHERS = ("simulated", *PEOPLE, "none")
"""Who may help a policy that learns; none: scripted demonstrations, and nobody afterwards."""


def make_operator(
    name: str,
    *,
    preset: str = "expert",
    controller_config_path: str | None = None,
    page: PageAddress | None = None,
) -> Operator:
    """Return the operator called `name`; `preset` is the simulated human's, `page` where the web page is."""
    require_one_of("operator", name, NAMES)
    if name == "expert":
        return Expert()
    if name == "simulated":
        return SimulatedHuman(preset)
    if name == "keyboard":
        from gym_hil.devices.keyboard import WindowKeyboard

        return Human(WindowKeyboard(), Engage.TOGGLE)
    if name == "global-keyboard":
        from gym_hil.devices.global_keyboard import GlobalKeyboard

        return Human(GlobalKeyboard(), Engage.TOGGLE)
    if name == "spacemouse":
        from gym_hil.devices.combined import CombinedDevice
        from gym_hil.devices.spacemouse import SpaceMouse
        from gym_hil.devices.terminal import TerminalKeyboard

        return Human(CombinedDevice(SpaceMouse(), TerminalKeyboard()), Engage.MOTION)
    if name == "browser":
        from gym_hil.devices.page import PageDevice

        return Human(PageDevice(page))
    if name == "terminal":
        from gym_hil.devices.terminal import TerminalKeyboard

        return Human(TerminalKeyboard(), Engage.TOGGLE)
    from gym_hil.devices.gamepad import Gamepad

    return Human(Gamepad(controller_config_path))
