"""A game controller, through SDL's mapping database, so that buttons have names on every pad and system."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices import sdl
from gym_hil.devices.base import DISCONNECTED, Device, DeviceReading, Engage
from gym_hil.devices.controller_config import find_controller_config, load_controller_config
from gym_hil.devices.controls import Control, PressLatch, beyond_deadzone
from gym_hil.devices.gamepad_sdl import MappedPad, Pad, RawPad
from gym_hil.devices.registry import DeviceSpec

GAMEPAD: Mapping[str, Control] = {
    "rb": Control.ENGAGE,
    "lt": Control.CLOSE,
    "rt": Control.OPEN,
    "y": Control.SUCCESS,
    "a": Control.FAILURE,
    "x": Control.RERECORD,
    "start": Control.PAUSE,
}
"""What the buttons mean, by their names on an Xbox pad; ``lt`` and ``rt`` are the triggers."""

STICKS_HELP = "left stick: forward, back, left, right, right stick: up, down"
_log = logging.getLogger(__name__)
_taken: set[int] = set()
"""Instance ids of the pads that gamepads of this process use now."""


class Gamepad(Device):
    """The first pad that no other `Gamepad` uses. It may be plugged in late, pulled out and put back at any
    time; meanwhile readings say that nothing is connected. Create and poll it in the main thread.
    """

    name = "gamepad"

    def __init__(
        self,
        config_path: str | os.PathLike[str] | None = None,
        *,
        buttons: Mapping[str, Control] = GAMEPAD,
        deadzone: float = 0.1,
    ) -> None:
        """`config_path` is a `controller_config.json`; a pad that it names, or its ``"default"``, is read by
        those raw numbers instead of SDL's database. Sticks within `deadzone`, in [0, 1), of the centre rest;
        beyond it their level grows from 0 to 1.
        """
        if not 0.0 <= deadzone < 1.0:
            raise InvalidArgumentError(f"deadzone={deadzone!r} is not in [0, 1)")
        if config_path is not None:
            find_controller_config((), config_path)
        self._config_path = config_path
        self._buttons = dict(buttons)
        self._deadzone = deadzone
        self._latch = PressLatch()
        self._pad: Pad | None = None
        self._complaint = ""
        self._closed = False
        self._pygame = sdl.start()
        self._pygame.event.pump()
        self._plug_in()
        if self._pad is None:
            _log.warning(
                "No gamepad found. Plug one in at any time, or use another device: the keyboard, "
                "the browser page, a SpaceMouse, a LeRobot teleoperator or the simulated human."
            )

    def poll(self) -> DeviceReading:
        """Return the newest stick levels and every press since the last poll."""
        if self._closed:
            return DISCONNECTED
        if self._pad is None:
            self._pygame.event.pump()
            try:
                self._plug_in()
            except InvalidArgumentError as error:
                self._complain(str(error))
        if self._pad is None:
            return DISCONNECTED
        self._collect(self._pad)
        if not self._pad.attached():
            return self._unplugged(self._pad)
        x, y, z = self._level("left_y"), -self._level("left_x"), self._level("right_y")
        return self._latch.take().reading((x, y, z, 0.0, 0.0, 0.0))

    def help(self) -> str:
        """Return one line that names the sticks and the buttons that this pad has."""
        known = self._buttons if self._pad is None else self._buttons.keys() & self._pad.buttons
        names = (
            f"{button.upper()}: {self._buttons[button].value}" for button in self._buttons if button in known
        )
        return ", ".join((STICKS_HELP, *names))

    def close(self) -> None:
        """Let the pad go; it is free for another `Gamepad`."""
        self._closed = True
        if self._pad is not None:
            self._let_go(self._pad)

    def _collect(self, pad: Pad) -> None:
        """Note presses in their order, then trust the buttons' state where somebody else took the events."""
        for button, down in pad.changes():
            self._note(button, down)
        for button in self._buttons.keys() & pad.buttons:
            self._note(button, pad.down(button))

    def _note(self, button: str, down: bool) -> None:
        if button in self._buttons and down:
            self._latch.press(button, self._buttons[button])
        elif not down:
            self._latch.release(button)

    def _level(self, stick: str) -> float:
        assert self._pad is not None
        return beyond_deadzone(self._pad.stick(stick), self._deadzone)

    def _plug_in(self) -> None:
        """Use the first free pad, if there is one."""
        pygame = self._pygame
        for index in range(pygame.joystick.get_count()):
            try:
                joystick = pygame.joystick.Joystick(index)
                if joystick.get_instance_id() in _taken:
                    continue
                self._pad = self._open(index, str(joystick.get_name()))
            except pygame.error as error:
                self._complain(f"Gamepad {index} cannot be opened: {error}")
                continue
            _taken.add(self._pad.instance_id)
            _log.info('Gamepad "%s" is ready: %s.', self._pad.name, self.help())
            return

    def _open(self, index: int, name: str) -> Pad:
        from pygame._sdl2 import controller

        if self._config_path is not None:
            mapped_name = str(controller.name_forindex(index))
            config = find_controller_config((name, mapped_name), self._config_path)
            if config is not None:
                return RawPad(self._pygame, index, config)
        if controller.is_controller(index):
            return MappedPad(self._pygame, index)
        return RawPad(self._pygame, index, load_controller_config(name))

    def _unplugged(self, pad: Pad) -> DeviceReading:
        """Return what was pressed before the unplug, if anything, with all levels at rest."""
        _log.warning('Gamepad "%s" was unplugged; plug it in again to go on.', pad.name)
        events = self._latch.take().reading(DISCONNECTED.motion).events
        self._let_go(pad)
        return DeviceReading(events=events, connected=False)

    def _let_go(self, pad: Pad) -> None:
        _taken.discard(pad.instance_id)
        pad.close()
        self._pad = None
        self._latch.clear()

    def _complain(self, complaint: str) -> None:
        """Log a complaint once, not at every poll."""
        if complaint != self._complaint:
            _log.error("%s", complaint)
            self._complaint = complaint


SPEC = DeviceSpec(
    make=lambda options: Gamepad(options.controller_config_path),
    engage=Engage.HOLD,
    help="A game controller: hold RB to take over.",
)
