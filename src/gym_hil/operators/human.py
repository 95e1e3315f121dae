"""A person with a device: engages by holding a button, by toggling it, or by moving."""

from __future__ import annotations

import enum

import numpy as np

from gym_hil.devices.base import Device, DeviceReading
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.errors import InvalidArgumentError
from gym_hil.operators.base import Decision, Operator, View, ee_action
from gym_hil.schema import EpisodeEvent


class Engage(str, enum.Enum):
    """How a person takes over; the same on every device."""

    HOLD = "hold"
    TOGGLE = "toggle"
    MOTION = "motion"


class Human(Operator):
    """Reads a device once per step.

    Args:
        device: where the input comes from; closed with the operator.
        engage: hold the button, press it once to take over and once more to let go, or simply move.
        hold_over_steps: with `Engage.MOTION`, steps without motion before control goes back: 5 are 0.5 s
            at 10 Hz, so that a short pause does not flip control.
    """

    name = "human"

    def __init__(self, device: Device, engage: Engage | str = Engage.HOLD, hold_over_steps: int = 5) -> None:
        try:
            self.engage = Engage(engage)
        except ValueError:
            valid = ", ".join(mode.value for mode in Engage)
            raise InvalidArgumentError(f"engage={engage!r} is not known. Valid: {valid}.") from None
        if hold_over_steps < 0:
            raise InvalidArgumentError(f"hold_over_steps={hold_over_steps!r} must be at least 0")
        self.device = device
        self._hold_over_steps = hold_over_steps
        self._toggled = False
        self._still_steps = hold_over_steps + 1

    def reset(self, env: ManipulationEnv, seed: int | None) -> None:
        """Forget what was pressed during the reset; a takeover never outlives its episode's toggle."""
        self.device.flush()
        self._toggled = False
        self._still_steps = self._hold_over_steps + 1

    def decide(self, view: View) -> Decision:
        """Read the device, and act while engaged. A device that is unplugged lets go."""
        reading = self.device.poll()
        if not reading.connected:
            self._toggled = False
            self._still_steps = self._hold_over_steps + 1
            return Decision(events=reading.events)
        if not self._is_engaged(reading):
            return Decision(events=reading.events)
        x, y, z = np.clip(reading.motion[:3], -1.0, 1.0)
        return Decision(ee_action(x, y, z, reading.gripper), reading.events)

    def help(self) -> str:
        """Return the device's line."""
        return self.device.help()

    def close(self) -> None:
        """Close the device."""
        self.device.close()

    def _is_engaged(self, reading: DeviceReading) -> bool:
        presses = reading.engage_presses + reading.events.count(EpisodeEvent.TOGGLE_INTERVENTION)
        if self.engage is Engage.HOLD:
            return reading.engage
        if self.engage is Engage.TOGGLE:
            self._toggled ^= presses % 2 == 1
            return self._toggled
        moving = any(abs(level) > 1e-6 for level in reading.motion)
        self._still_steps = 0 if moving else self._still_steps + 1
        return self._still_steps <= self._hold_over_steps
