"""The devices that a simulated person can hold, and how each is worked from outside: what a hand presses, pushes,
turns or pulls. Behind it is the device class that people use.
"""

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
    """What the hands touch of a device.

    Attributes:
        device: the device.
    """

    device: Device

    @abc.abstractmethod
    def press(self, control: Control, at: float) -> None:
        """Push a button or key down, at a time of the clock (s)."""

    @abc.abstractmethod
    def release(self, control: Control, at: float) -> None:
        """Let it go."""

    def move(self, motion: Motion, *, turning: bool) -> None:  # noqa: B027
        """Push the levers.

        Args:
            motion: levels for x, y, z and the rotations about them, each in [-1, 1], world axes.
            turning: whether the button for turning is held, where there is one.
        """


class KeyboardHandle(Handle):
    """The keys of a keyboard."""

    def __init__(self, clock: Clock) -> None:
        self.device = self._keyboard = Keyboard(clock=clock)
        self._keys = {control: key for key, control in self._keyboard.keymap.items()}

    def press(self, control: Control, at: float) -> None:
        """Push a key down."""
        self._keyboard.press(self._keys[control], at)

    def release(self, control: Control, at: float) -> None:
        """Let it go."""
        self._keyboard.release(self._keys[control], at)


class GamepadHandle(Handle):
    """Sticks and buttons of a gamepad that a web browser reads."""

    def __init__(self, clock: Clock) -> None:
        self.device = self._pad = PageGamepad(deadzone=STICK_DEADZONE)
        self._buttons = {control: button for button, control in GAMEPAD.items()}
        self._down: set[str] = set()
        self._sticks = [0.0] * 4
        self._update()

    def press(self, control: Control, at: float) -> None:
        """Push a button down."""
        self._down.add(self._buttons[control])
        self._update()

    def release(self, control: Control, at: float) -> None:
        """Let it go."""
        self._down.discard(self._buttons[control])
        self._update()

    def move(self, motion: Motion, *, turning: bool) -> None:
        """Push both sticks."""
        x, y, z, rx, ry, rz = motion
        self._sticks = [rx, ry, -rz, 0.0] if turning else [-y, x, 0.0, z]
        self._update()

    def _update(self) -> None:
        self._pad.update(self._sticks, self._down)


class SpaceMouseHandle(Handle):
    """The cap of a SpaceMouse and its two buttons, and the keys of a terminal for everything else."""

    def __init__(self, clock: Clock) -> None:
        self._mouse, self._keyboard = FedSpaceMouse(), Keyboard(TERMINAL)
        self.device = CombinedDevice(self._mouse, self._keyboard)
        self._numbers = {control: number for number, control in BUTTONS.items()}
        self._keys = {control: key for key, control in self._keyboard.keymap.items()}
        self._state = SimpleNamespace(buttons=[0] * len(BUTTONS))
        self.move(STILL, turning=False)

    def press(self, control: Control, at: float) -> None:
        """Push a button or a key down."""
        self._set(control, down=True)

    def release(self, control: Control, at: float) -> None:
        """Let it go."""
        self._set(control, down=False)

    def move(self, motion: Motion, *, turning: bool) -> None:
        """Push and turn the cap."""
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
    """A leader arm as LeRobot's teleoperators are: asked for an action once per step."""

    name = "leader arm"
    is_connected = True

    def __init__(self) -> None:
        self.motion: Motion = STILL
        self.down: set[Control] = set()

    def get_action(self) -> dict[str, float]:
        """Return how far it was pulled since the last step, in units of action, and where its trigger is."""
        gripper = 0.0 if Control.CLOSE in self.down else 2.0 if Control.OPEN in self.down else 1.0
        return {**dict(zip((*DELTAS, *ROTATIONS), self.motion, strict=True)), "gripper": gripper}

    def get_teleop_events(self) -> dict[str, bool]:
        """Return whether the person holds it in order to drive."""
        return {"is_intervention": Control.ENGAGE in self.down}


class LeaderHandle(Handle):
    """The hand of a leader arm, behind LeRobot's interface."""

    def __init__(self, clock: Clock) -> None:
        self._leader = Leader()
        self.device = LeRobotTeleoperator(self._leader)

    def press(self, control: Control, at: float) -> None:
        """Take hold of it, or move its trigger."""
        self._leader.down.add(control)

    def release(self, control: Control, at: float) -> None:
        """Let it go."""
        self._leader.down.discard(control)

    def move(self, motion: Motion, *, turning: bool) -> None:
        """Pull it, as a part of the way per step at full speed."""
        self._leader.motion = motion


@dataclass(frozen=True, kw_only=True)
class HeldDevice:
    """A device as a simulated person holds it.

    Attributes:
        name: name of the operator that holds it.
        hold: opens the device, with the person's clock.
        engage: how the person takes over.
        resolution: smallest difference of two levels that the device tells; None where directions are keys.
        deadzone: levels up to this count as rest. Who knows the device pushes beyond.
        turns_with_button: whether a button makes directions turn the hand instead of moving it. Otherwise it has an
            axis for each rotation.
        changes_speed: whether it has a button for the next speed.
        pulls: whether it tells where the hand is, rather than how far a lever is pushed.
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
"""What the page's gamepad takes for rest."""
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
"""Sticks that tell 8 bits, as those of a DualShock 4 do."""
SPACEMOUSE = HeldDevice(
    name="simulated-spacemouse",
    hold=SpaceMouseHandle,
    engage=Engage.MOTION,
    resolution=1 / 350,
    deadzone=DEADZONE,
)
"""A cap that tells 350 counts to each side, as pyspacemouse reads it."""
LEADER = HeldDevice(
    name="simulated-leader",
    hold=LeaderHandle,
    engage=Engage.HOLD,
    resolution=0.015,
    changes_speed=False,
    pulls=True,
)
"""An arm with 4096 counts per turn, as those of the SO-101's servos, which is 0.4 mm at 0.25 m or 0.015 of a step of
25 mm."""


def _person(held: HeldDevice) -> Callable[[Any], Any]:
    def make(preset: Any) -> Any:
        from gym_hil.intervention.simulated_person import SimulatedPerson

        return SimulatedPerson(preset, held=held)

    return make


keyboard, gamepad, spacemouse, leader = map(_person, (KEYBOARD, GAMEPAD_PAGE, SPACEMOUSE, LEADER))
