"""Adapters by which a simulated person operates the device classes that people use."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from gym_hil.core.clock import Clock
from gym_hil.devices.base import STILL, Device, Engage, Motion
from gym_hil.devices.combined import CombinedDevice
from gym_hil.devices.controls import Control
from gym_hil.devices.gamepad import GAMEPAD
from gym_hil.devices.keyboard import Keyboard
from gym_hil.devices.keymap import TERMINAL
from gym_hil.devices.lerobot_teleoperator import DELTAS, ROTATIONS, LeRobotTeleoperator
from gym_hil.devices.page import PageGamepad
from gym_hil.devices.spacemouse import BUTTONS, DEADZONE, FedSpaceMouse


class Handle(abc.ABC):
    """The controls of a device, for a simulated person.

    Attributes:
        device: the device.
    """

    device: Device

    @abc.abstractmethod
    def press(self, control: Control, at: float) -> None:
        """Press the button or key of a control.

        Args:
            control: the control.
            at: time of the clock (s).
        """

    @abc.abstractmethod
    def release(self, control: Control, at: float) -> None:
        """Release the button or key of a control; arguments as for `press`."""

    def move(self, motion: Motion, *, turning: bool) -> None:  # noqa: B027
        """Deflect the axes.

        Args:
            motion: levels for x, y, z and the rotations about them, each in [-1, 1], world axes.
            turning: whether the button for rotation is held, on devices that have one.
        """


class KeyboardHandle(Handle):
    """A keyboard."""

    def __init__(self, clock: Clock) -> None:
        self.device = self._keyboard = Keyboard(clock=clock)
        self._keys = {control: key for key, control in self._keyboard.keymap.items()}

    def press(self, control: Control, at: float) -> None:
        """Press a key."""
        self._keyboard.press(self._keys[control], at)

    def release(self, control: Control, at: float) -> None:
        """Release a key."""
        self._keyboard.release(self._keys[control], at)


class GamepadHandle(Handle):
    """A gamepad that is read by a web browser."""

    def __init__(self, clock: Clock) -> None:
        self.device = self._pad = PageGamepad(deadzone=STICK_DEADZONE)
        self._buttons = {control: button for button, control in GAMEPAD.items()}
        self._down: set[str] = set()
        self._sticks = [0.0] * 4
        self._update()

    def press(self, control: Control, at: float) -> None:
        """Press a button."""
        self._down.add(self._buttons[control])
        self._update()

    def release(self, control: Control, at: float) -> None:
        """Release a button."""
        self._down.discard(self._buttons[control])
        self._update()

    def move(self, motion: Motion, *, turning: bool) -> None:
        """Deflect both sticks."""
        x, y, z, rx, ry, rz = motion
        self._sticks = [rx, ry, -rz, 0.0] if turning else [-y, x, 0.0, z]
        self._update()

    def _update(self) -> None:
        self._pad.update(self._sticks, self._down)


class SpaceMouseHandle(Handle):
    """A SpaceMouse with two buttons, and the keys of a terminal for all other controls."""

    def __init__(self, clock: Clock) -> None:
        self._mouse, self._keyboard = FedSpaceMouse(), Keyboard(TERMINAL)
        self.device = CombinedDevice(self._mouse, self._keyboard)
        self._numbers = {control: number for number, control in BUTTONS.items()}
        self._keys = {control: key for key, control in self._keyboard.keymap.items()}
        self._state = SimpleNamespace(buttons=[0] * len(BUTTONS))
        self.move(STILL, turning=False)

    def press(self, control: Control, at: float) -> None:
        """Press a button or a key."""
        self._set(control, down=True)

    def release(self, control: Control, at: float) -> None:
        """Release a button or a key."""
        self._set(control, down=False)

    def move(self, motion: Motion, *, turning: bool) -> None:
        """Deflect the cap."""
        state = self._state
        state.x, state.y, state.z, state.roll, state.pitch, state.yaw = motion
        self._mouse.feed(state)

    def _set(self, control: Control, *, down: bool) -> None:
        if control in self._numbers:
            self._state.buttons[self._numbers[control]] = int(down)
            self._mouse.feed(self._state)
        elif down:
            self._keyboard.press(self._keys[control])
        else:
            self._keyboard.release(self._keys[control])


class Leader:
    """A leader arm with the interface of LeRobot's teleoperators, which are asked for one action per step."""

    name = "leader arm"
    is_connected = True

    def __init__(self) -> None:
        self.motion: Motion = STILL
        self.down: set[Control] = set()

    def get_action(self) -> dict[str, float]:
        """Return the motion since the last step, in units of the action, and the gripper command of the trigger."""
        gripper = 0.0 if Control.CLOSE in self.down else 2.0 if Control.OPEN in self.down else 1.0
        return {**dict(zip((*DELTAS, *ROTATIONS), self.motion, strict=True)), "gripper": gripper}

    def get_teleop_events(self) -> dict[str, bool]:
        """Return whether the person has taken over."""
        return {"is_intervention": Control.ENGAGE in self.down}


class LeaderHandle(Handle):
    """A leader arm, read through LeRobot's interface."""

    def __init__(self, clock: Clock) -> None:
        self._leader = Leader()
        self.device = LeRobotTeleoperator(self._leader)

    def press(self, control: Control, at: float) -> None:
        """Take over, or move the trigger."""
        self._leader.down.add(control)

    def release(self, control: Control, at: float) -> None:
        """Hand back, or release the trigger."""
        self._leader.down.discard(control)

    def move(self, motion: Motion, *, turning: bool) -> None:
        """Move the arm; a level of 1 is the motion of one step at full speed."""
        self._leader.motion = motion


@dataclass(frozen=True, kw_only=True)
class HeldDevice:
    """A device that a simulated person operates.

    Attributes:
        name: name of the operator that uses it.
        hold: opens the device, given the person's clock, and returns its handle.
        engage: how the person takes over.
        resolution: smallest difference of two levels that the device reports; None if directions are keys.
        deadzone: levels up to this value are reported as 0; the person knows this and pushes further.
        turns_with_button: whether a button switches the directions from translation to rotation. Other
            devices have an axis for each rotation.
        changes_speed: whether it has a button for the next speed.
        pulls: whether it reports the position of the hand and not the deflection of an axis.
    """

    name: str
    hold: Callable[[Clock], Handle]
    engage: Engage
    resolution: float | None = None
    deadzone: float = 0.0
    turns_with_button: bool = False
    changes_speed: bool = True
    pulls: bool = False


STICK_DEADZONE = 0.1
"""Dead zone of the page's gamepad."""
KEYBOARD = HeldDevice(
    name="simulated-keyboard", hold=KeyboardHandle, engage=Engage.TOGGLE, turns_with_button=True
)
GAMEPAD_PAGE = HeldDevice(
    name="simulated-gamepad",
    hold=GamepadHandle,
    engage=Engage.HOLD,
    resolution=1 / 128,
    deadzone=STICK_DEADZONE,
    turns_with_button=True,
)
"""A gamepad whose sticks have 8 bits, such as a DualShock 4."""
SPACEMOUSE = HeldDevice(
    name="simulated-spacemouse",
    hold=SpaceMouseHandle,
    engage=Engage.MOTION,
    resolution=1 / 350,
    deadzone=DEADZONE,
)
"""A SpaceMouse with 350 counts in each direction, as pyspacemouse reads it."""
LEADER = HeldDevice(
    name="simulated-leader",
    hold=LeaderHandle,
    engage=Engage.HOLD,
    resolution=0.015,
    changes_speed=False,
    pulls=True,
)
"""A leader arm with 4096 counts per turn, like the servos of an SO-101: 0.4 mm at a radius of 0.25 m, or
0.015 of a step of 25 mm."""


def _person(held: HeldDevice) -> Callable[[Any], Any]:
    def make(preset: Any) -> Any:
        from gym_hil.intervention.simulated_human_with_device import SimulatedHumanWithDevice

        return SimulatedHumanWithDevice(preset, held=held)

    return make


keyboard, gamepad, spacemouse, leader = map(_person, (KEYBOARD, GAMEPAD_PAGE, SPACEMOUSE, LEADER))
"""Functions that return a simulated person with one of the devices, given a preset or `Limits`."""
