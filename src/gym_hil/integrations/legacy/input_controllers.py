"""The input controllers of gym-hil 0.1.14, with their methods `start`, `update`, `get_deltas` and so on."""

from __future__ import annotations

import os

from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.devices.base import NEUTRAL, Device, DeviceReading
from gym_hil.devices.controller_config import load_controller_config as load_controller_config

_GRIPPER = {GripperCommand.CLOSE: "close", GripperCommand.STAY: "no-op", GripperCommand.OPEN: "open"}
_ENDS = {
    EpisodeEvent.SUCCESS: "success",
    EpisodeEvent.FAILURE: "failure",
    EpisodeEvent.RERECORD: "rerecord_episode",
}


class InputController:
    """Base class of the controllers. It commands no motion itself.

    Args:
        x_step_size: value that `get_deltas` returns for full motion along x.
        y_step_size: the same for y.
        z_step_size: the same for z.
    """

    def __init__(
        self, x_step_size: float = 0.01, y_step_size: float = 0.01, z_step_size: float = 0.01
    ) -> None:
        self.x_step_size, self.y_step_size, self.z_step_size = x_step_size, y_step_size, z_step_size
        self.running = True
        self.episode_end_status: str | None = None
        self.intervention_flag = False
        self.open_gripper_command = False
        self.close_gripper_command = False

    def start(self) -> None:
        """Open the device."""

    def stop(self) -> None:
        """Close the device."""

    def reset(self) -> None:
        """Discard the presses made before an episode."""

    def update(self) -> None:
        """Read the device. To be called once per step."""

    def get_deltas(self) -> tuple[float, float, float]:
        """Return the motion along x, y and z, each between plus and minus its step size."""
        return 0.0, 0.0, 0.0

    def should_intervene(self) -> bool:
        """Return whether the person has taken over."""
        return self.intervention_flag

    def gripper_command(self) -> str:
        """Return ``"open"``, ``"close"`` or ``"no-op"``."""
        if self.open_gripper_command == self.close_gripper_command:
            return "no-op"
        return "open" if self.open_gripper_command else "close"

    def get_episode_end_status(self) -> str | None:
        """Return ``"success"``, ``"failure"``, ``"rerecord_episode"`` or None. Each press is returned once."""
        status, self.episode_end_status = self.episode_end_status, None
        return status

    def __enter__(self) -> InputController:
        """Start the controller and return it."""
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop the controller."""
        self.stop()


class DeviceController(InputController):
    """Base class of controllers that read a device of this package.

    Args:
        sizes: step sizes along x, y and z.
    """

    def __init__(self, *sizes: float) -> None:
        super().__init__(*sizes)
        self._reading: DeviceReading = NEUTRAL
        self.device = self._open()

    def _open(self) -> Device:
        raise NotImplementedError

    def start(self) -> None:
        """Begin, and discard earlier presses."""
        self.reset()

    def stop(self) -> None:
        """Close the device."""
        self.running = False
        self.device.close()

    def reset(self) -> None:
        """Discard the presses made between episodes."""
        self.device.flush()
        self._take(NEUTRAL)
        self.episode_end_status = None

    def update(self) -> None:
        """Read the device. To be called once per step."""
        self._take(self.device.poll())

    def get_deltas(self) -> tuple[float, float, float]:
        """Return the motion along x, y and z."""
        x, y, z = self._reading.motion[:3]
        return x * self.x_step_size, y * self.y_step_size, z * self.z_step_size

    def _take(self, reading: DeviceReading) -> None:
        self._reading = reading
        self.intervention_flag = reading.engage
        self.open_gripper_command = reading.gripper is GripperCommand.OPEN
        self.close_gripper_command = reading.gripper is GripperCommand.CLOSE
        ends = [_ENDS[event] for event in reading.events if event in _ENDS]
        self.episode_end_status = ends[0] if ends else self.episode_end_status


class KeyboardController(DeviceController):
    """The keyboard, whichever window has the focus. Space starts and ends an intervention.

    Where the operating system does not allow a program to read the keys of other windows, call
    ``controller.device.press(key)`` and ``controller.device.release(key)``.
    """

    def __init__(
        self, x_step_size: float = 0.01, y_step_size: float = 0.01, z_step_size: float = 0.01
    ) -> None:
        super().__init__(x_step_size, y_step_size, z_step_size)

    def _open(self) -> Device:
        from gym_hil.devices.global_keyboard import GlobalKeyboard, unsupported_reason
        from gym_hil.devices.keyboard import Keyboard

        return Keyboard() if unsupported_reason() else GlobalKeyboard()

    def _take(self, reading: DeviceReading) -> None:
        engaged = self.intervention_flag and reading is not NEUTRAL
        super()._take(reading)
        self.intervention_flag = engaged ^ (reading.engage_presses % 2 == 1)

    def should_save(self) -> bool:
        """Return whether success or failure was pressed and `get_episode_end_status` has not returned it yet."""
        return self.episode_end_status in ("success", "failure")


class GamepadController(DeviceController):
    """The first gamepad.

    Args:
        x_step_size: see `InputController`.
        y_step_size: see `InputController`.
        z_step_size: see `InputController`.
        deadzone: deflection of a stick that counts as released, as a fraction of its range.
        config_path: JSON file that maps axes and buttons.
    """

    def __init__(
        self,
        x_step_size: float = 0.01,
        y_step_size: float = 0.01,
        z_step_size: float = 0.01,
        deadzone: float = 0.1,
        config_path: str | os.PathLike[str] | None = None,
    ) -> None:
        self.deadzone, self.config_path = deadzone, config_path
        super().__init__(x_step_size, y_step_size, z_step_size)

    def _open(self) -> Device:
        from gym_hil.devices.gamepad import Gamepad

        return Gamepad(self.config_path, deadzone=self.deadzone)


GamepadControllerHID = GamepadController
"""Another name of `GamepadController`: SDL reads gamepads on every operating system."""
