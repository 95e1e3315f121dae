"""A person with a device: engages by holding a button, by toggling it, or by moving."""

from __future__ import annotations

import enum
from dataclasses import replace
from typing import Any

import numpy as np

from gym_hil.core.command import Command, Twist
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError, require_one_of
from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.devices.base import Device, DeviceReading, Engage, merged
from gym_hil.devices.speed import Speed
from gym_hil.intervention.hands import Hands
from gym_hil.intervention.operator import Decision, Operator, View


class Grip(str, enum.Enum):
    """What the gripper buttons mean; the same on every device."""

    COMMAND = "command"
    """Close, open, and stay while neither is pressed."""
    HELD = "held"
    """Closed while the button that closes is held, open otherwise: a trigger."""


class Human(Operator):
    """Reads a device once per step.

    Args:
        device: where the input comes from; closed with the operator.
        engage: hold the button, press it once to take over and once more to let go, or simply move.
        hold_over_steps: with `Engage.MOTION`, steps without motion before control goes back: 5 are 0.5 s
            at 10 Hz, so that a short pause does not flip control.
        grip: what the gripper buttons mean.
        speed: the speed to begin with. The person changes it with the device's button for the next speed, and
            it stays from one episode to the next.
    """

    name = "human"

    def __init__(
        self,
        device: Device,
        engage: Engage | str = Engage.HOLD,
        hold_over_steps: int = 5,
        grip: Grip | str = Grip.COMMAND,
        speed: Speed | str = Speed.COARSE,
    ) -> None:
        require_one_of("engage", str(getattr(engage, "value", engage)), [mode.value for mode in Engage])
        require_one_of("grip", str(getattr(grip, "value", grip)), [mode.value for mode in Grip])
        require_one_of("speed", str(getattr(speed, "value", speed)), [each.value for each in Speed])
        self.engage, self.grip, self.speed = Engage(engage), Grip(grip), Speed(speed)
        if hold_over_steps < 0:
            raise InvalidArgumentError(f"hold_over_steps={hold_over_steps!r} must be at least 0")
        self.device = device
        self._hold_over_steps = hold_over_steps
        self._toggled = False
        self._still_steps = hold_over_steps + 1
        self._paused = False
        self._early: list[DeviceReading] = []

    @property
    def paused(self) -> bool:
        """Whether the pause button was pressed, and not yet once more."""
        return self._paused

    def idle(self) -> None:
        """Listen while paused; an unplugged device ends the pause."""
        reading = self.device.poll()
        self._early.append(reading)
        self._paused = reading.connected and self._pause_toggled(reading)

    def reset(self, env: EnvironmentInterface, seed: int | None) -> None:
        """Forget what was pressed during the reset; a takeover never outlives its episode's toggle."""
        self.device.flush()
        self._early.clear()
        self._paused = False
        self._toggled = False
        self._still_steps = self._hold_over_steps + 1

    def decide(self, view: View) -> Decision:
        """Read the device, and act while engaged. A device that is unplugged lets go."""
        last = self.device.poll()
        reading = merged([*self._early, last])
        self._early.clear()
        self.speed = self.speed.after(reading.events)
        reading = replace(reading, speed=self.speed)
        if not reading.connected:
            self._toggled = self._paused = False
            self._still_steps = self._hold_over_steps + 1
            return Decision(events=reading.events, reading=reading)
        self._paused = self._pause_toggled(last)
        # In slow motion the hand moves less in every step as well, so that a person can be precise.
        factor = self.speed.factor / self.time_scale
        x, y, z, rx, ry, rz = (factor * np.clip(reading.motion, -1.0, 1.0)).tolist()
        twist = (x, y, z, rx, ry, rz)
        if not self._is_engaged(reading, view, twist):
            return Decision(events=reading.events, reading=reading)
        command = Command(twist, self._gripper(reading.gripper))
        return Decision(view.env.command_action(command), reading.events, reading)

    def for_hands(self, count: int) -> Operator:
        """Return a person whose only device drives the first end effector."""
        return Hands([self])

    def get_state(self) -> Any:
        """Return whether the person has toggled the takeover on, for how long the device has been still, and the
        chosen speed.
        """
        return self._toggled, self._still_steps, self.speed

    def set_state(self, state: Any) -> None:
        """Continue from what `get_state` returned."""
        self._toggled, self._still_steps, self.speed = state

    def help(self) -> str:
        """Return the device's line."""
        return self.device.help()

    def close(self) -> None:
        """Close the device."""
        self.device.close()

    def _pause_toggled(self, reading: DeviceReading) -> bool:
        return self._paused ^ (reading.events.count(EpisodeEvent.PAUSE) % 2 == 1)

    def _gripper(self, pressed: GripperCommand) -> GripperCommand:
        if self.grip is Grip.COMMAND:
            return pressed
        return GripperCommand.CLOSE if pressed is GripperCommand.CLOSE else GripperCommand.OPEN

    def _is_engaged(self, reading: DeviceReading, view: View, twist: Twist) -> bool:
        toggles = reading.events.count(EpisodeEvent.TOGGLE_INTERVENTION)
        if self.engage is Engage.TOGGLE:
            toggles += reading.engage_presses
        self._toggled ^= toggles % 2 == 1
        if self._toggled or self.engage is Engage.TOGGLE:
            return self._toggled
        if self.engage is Engage.HOLD:
            return reading.engage
        moving = False
        if any(abs(level) > 1e-6 for level in reading.motion):
            # A motion that the action space lacks, such as a rotation, does not take over.
            action = view.env.command_action(Command(twist))
            moving = not np.array_equal(action, view.env.neutral_action())
        self._still_steps = 0 if moving else self._still_steps + 1
        return self._still_steps <= self._hold_over_steps
