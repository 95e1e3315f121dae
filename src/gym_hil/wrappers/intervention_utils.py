"""Controllers as existing users call them: `start`, then `update`, `get_deltas`, `should_intervene`, ... ."""

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
    """Any device. Step sizes scale its motion levels in [-1, 1]."""

    def __init__(
        self, device: Device, x_step_size: float = 1.0, y_step_size: float = 1.0, z_step_size: float = 1.0
    ) -> None:
        self.device = device
        self.step_sizes = (x_step_size, y_step_size, z_step_size)
        self._reading: DeviceReading = NEUTRAL
        self._end: str | None = None

    def start(self) -> None:
        """Begin; what was pressed before is forgotten."""
        self.reset()

    def stop(self) -> None:
        """Release the device."""
        self.device.close()

    def reset(self) -> None:
        """Forget what was pressed: it belongs to no episode."""
        self.device.flush()
        self._reading, self._end = NEUTRAL, None

    def update(self) -> None:
        """Read the device; call it once per step."""
        self._reading = self.device.poll()
        called = [_ENDS[event] for event in self._reading.events if event in _ENDS]
        self._end = called[0] if called else self._end

    def get_deltas(self) -> tuple[float, float, float]:
        """Return the motion along x, y, z."""
        x, y, z = (level * size for level, size in zip(self._reading.motion, self.step_sizes, strict=False))
        return x, y, z

    def should_intervene(self) -> bool:
        """Return whether the intervention button is held."""
        return self._reading.engage

    def gripper_command(self) -> str:
        """Return ``"open"``, ``"close"`` or ``"no-op"``."""
        return _GRIPPER[self._reading.gripper]

    def get_episode_end_status(self) -> str | None:
        """Return ``"success"``, ``"failure"``, ``"rerecord_episode"`` or None, each press once."""
        end, self._end = self._end, None
        return end


class KeyboardController(InputController):
    """A keyboard; feed it with ``controller.device.press(key)`` and ``release(key)``."""

    def __init__(self, x_step_size: float = 1.0, y_step_size: float = 1.0, z_step_size: float = 1.0) -> None:
        from gym_hil.devices.keyboard import Keyboard

        super().__init__(Keyboard(), x_step_size, y_step_size, z_step_size)


class GamepadController(InputController):
    """The first gamepad; sticks within `deadzone` of the centre rest."""

    def __init__(
        self,
        x_step_size: float = 1.0,
        y_step_size: float = 1.0,
        z_step_size: float = 1.0,
        deadzone: float = 0.1,
        config_path: str | os.PathLike[str] | None = None,
    ) -> None:
        from gym_hil.devices.gamepad import Gamepad

        super().__init__(Gamepad(config_path, deadzone=deadzone), x_step_size, y_step_size, z_step_size)


GamepadControllerHID = GamepadController
"""SDL reads pads on every system, so there is no other reader."""
