"""A person with a device, who takes over by holding a button, by toggling it, or by moving."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gym_hil.core.command import Command, Twist
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError, require_one_of
from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.devices.base import Device, DeviceReading, Engage, merged
from gym_hil.devices.speed import Speed
from gym_hil.intervention.end_effector_operators import EndEffectorOperators
from gym_hil.intervention.operator import Decision, Operator, View


class Grip(str, enum.Enum):
    """Meaning of the gripper buttons."""

    COMMAND = "command"
    """The buttons close and open the gripper; it stays while neither is pressed."""
    HELD = "held"
    """The gripper is closed while the closing button is held, and open otherwise."""


class Human(Operator):
    """A person with a device, which is read once per step.

    Args:
        device: the device, which is closed together with the operator.
        engage: way of taking over, see `Engage`.
        release_after_steps: with `Engage.MOTION`, number of steps without motion after which control is released. The
            default of 5 steps (0.5 s at 10 Hz) bridges short pauses.
        grip: meaning of the gripper buttons.
        speed: initial speed. The person changes it by a button of the device, and it is kept across episodes.
        make_next: opens a device of the same kind for a further end effector; None if there can be only one.
        hold_over_steps: name of `release_after_steps` in version 0.1.15.

    Raises:
        InvalidArgumentError: an argument is invalid.
    """

    name = "human"

    def __init__(
        self,
        device: Device,
        engage: Engage | str = Engage.HOLD,
        release_after_steps: int = 5,
        grip: Grip | str = Grip.COMMAND,
        speed: Speed | str = Speed.COARSE,
        make_next: Callable[[], Device] | None = None,
        hold_over_steps: int | None = None,
    ) -> None:
        if hold_over_steps is not None:
            release_after_steps = hold_over_steps
        require_one_of("engage", str(getattr(engage, "value", engage)), [mode.value for mode in Engage])
        require_one_of("grip", str(getattr(grip, "value", grip)), [mode.value for mode in Grip])
        require_one_of("speed", str(getattr(speed, "value", speed)), [each.value for each in Speed])
        self.engage, self.grip, self.speed = Engage(engage), Grip(grip), Speed(speed)
        if release_after_steps < 0:
            raise InvalidArgumentError(f"release_after_steps={release_after_steps!r} must be at least 0")
        self.device = device
        self._release_after_steps = release_after_steps
        self._make_next = make_next
        self._toggled = False
        self._still_steps = release_after_steps + 1
        self._paused = False
        self._read_in_pause: list[DeviceReading] = []

    @property
    def paused(self) -> bool:
        """Whether the person has paused the environment."""
        return self._paused

    def poll_in_pause(self) -> None:
        """Read the device during a pause. Unplugging it ends the pause."""
        reading = self.device.poll()
        self._read_in_pause.append(reading)
        self._paused = reading.connected and self._pause_toggled(reading)

    def reset(self, env: EnvironmentInterface, seed: int | None) -> None:
        """Begin an episode, and discard earlier presses. A toggled takeover does not continue in the next
        episode.
        """
        self.device.flush()
        self._read_in_pause.clear()
        self._paused = False
        self._toggled = False
        self._still_steps = self._release_after_steps + 1

    def decide(self, view: View) -> Decision:
        """Read the device, and act while engaged. If the device is unplugged, control is released."""
        last = self.device.poll()
        reading = merged([*self._read_in_pause, last])
        self._read_in_pause.clear()
        self.speed = self.speed.after(reading.events)
        reading = replace(reading, speed=self.speed)
        if not reading.connected:
            self._toggled = self._paused = False
            self._still_steps = self._release_after_steps + 1
            return Decision(events=reading.events, reading=reading)
        self._paused = self._pause_toggled(last)
        # In slow motion, the motion per step is reduced as well.
        factor = self.speed.factor / self.time_scale
        x, y, z, rx, ry, rz = (factor * np.clip(reading.motion, -1.0, 1.0)).tolist()
        twist = (x, y, z, rx, ry, rz)
        if not self._is_engaged(reading, view, twist):
            return Decision(events=reading.events, reading=reading)
        command = Command(twist, self._gripper(reading.gripper))
        return Decision(view.env.command_action(command), reading.events, reading)

    def for_end_effectors(self, count: int) -> Operator:
        """Return a person with one device per end effector, or with one device that drives the first of them."""
        if self._make_next is None:
            return EndEffectorOperators([self])
        more = (
            Human(self._make_next(), self.engage, self._release_after_steps, self.grip, self.speed)
            for _ in range(count - 1)
        )
        return EndEffectorOperators([self, *more])

    def get_state(self) -> Any:
        """Return whether the takeover is toggled on, the number of steps without motion, and the speed."""
        return self._toggled, self._still_steps, self.speed

    def set_state(self, state: Any) -> None:
        """Restore the result of `get_state`."""
        self._toggled, self._still_steps, self.speed = state

    def help(self) -> str:
        """Return the help of the device."""
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
            # Motion that the action space does not include, such as a rotation, does not start a takeover.
            action = view.env.command_action(Command(twist))
            moving = not np.array_equal(action, view.env.neutral_action())
        self._still_steps = 0 if moving else self._still_steps + 1
        return self._still_steps <= self._release_after_steps
