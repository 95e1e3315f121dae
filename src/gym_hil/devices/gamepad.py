"""Gamepads, whose buttons are identified by SDL's mapping database on every operating system."""

from __future__ import annotations

import gc
import logging
import os
import weakref
from collections.abc import Mapping

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices import sdl
from gym_hil.devices.base import DISCONNECTED, Device, DeviceReading, Engage, Motion
from gym_hil.devices.controller_config import (
    STICKS,
    find_controller_config,
    load_controller_config,
    named_controller_config,
)
from gym_hil.devices.controls import Control, PressLatch, beyond_deadzone, turned
from gym_hil.devices.gamepad_sdl import MappedPad, Pad, RawPad
from gym_hil.devices.registry import DeviceOptions, DeviceSpec

GAMEPAD: Mapping[str, Control] = {
    "rb": Control.ENGAGE,
    "lb": Control.TURN,
    "lt": Control.CLOSE,
    "rt": Control.OPEN,
    "b": Control.SPEED,
    "y": Control.SUCCESS,
    "a": Control.FAILURE,
    "x": Control.RERECORD,
    "start": Control.PAUSE,
}
"""Control of each button, by its name on an Xbox gamepad. ``lt`` and ``rt`` are the triggers."""

STICKS_HELP = "left stick: forward, back, left, right, right stick: up, down"
COLLECT_EVERY_S = 1.0
"""Interval of garbage collections that free gamepads of environments that were not closed (s)."""
_log = logging.getLogger(__name__)
_in_use: weakref.WeakValueDictionary[int, Gamepad] = weakref.WeakValueDictionary()
"""The `Gamepad` that uses each connected gamepad in this process, by SDL's instance id."""


def stick_motion(left_x: float, left_y: float, right_x: float, right_y: float, *, turning: bool) -> Motion:
    """Return the motion that the sticks of a gamepad command. All levels are in [-1, 1].

    Args:
        left_x: deflection of the left stick to the right: moves to the right, or tilts the hand to the right.
        left_y: deflection of the left stick upwards: moves forward, or tilts the hand forward.
        right_x: deflection of the right stick to the right: turns the hand clockwise seen from above.
        right_y: deflection of the right stick upwards: moves up.
        turning: whether the sticks rotate the hand instead of moving it.
    """
    if turning:
        return turned(left_y, -left_x, -right_x or 0.0)
    return (left_y, -left_x or 0.0, right_y, 0.0, 0.0, 0.0)


class Gamepad(Device):
    """A gamepad that is not used by another `Gamepad`. Create and poll it in the main thread.

    It may be connected and disconnected at any time. Of several gamepads, the first one with known buttons is used,
    until the person presses the intervention button of another one.

    Args:
        config_path: a `controller_config.json`. A gamepad in it, or any gamepad if it has a ``"default"``, is read
            by its numbers instead of SDL's database.
        pad_name: text that the name of the gamepad must contain, ignoring case; None for any gamepad.
        buttons: control of each button.
        deadzone: deflection of a stick that counts as centred, in [0, 1). Beyond it, the level grows from 0 to 1.
        clock: clock for the interval between searches for gamepads that are not used any more.

    Raises:
        InvalidArgumentError: the dead zone or the file is invalid.
        MissingExtraError: pygame is not installed.
    """

    name = "gamepad"

    def __init__(
        self,
        config_path: str | os.PathLike[str] | None = None,
        *,
        pad_name: str | None = None,
        buttons: Mapping[str, Control] = GAMEPAD,
        deadzone: float = 0.1,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not 0.0 <= deadzone < 1.0:
            raise InvalidArgumentError(f"deadzone={deadzone!r} is not in [0, 1)")
        if config_path is not None:
            find_controller_config((), config_path)
        self._config_path = config_path
        self._pad_name = "" if pad_name is None else pad_name.lower()
        self._buttons = dict(buttons)
        self._deadzone = deadzone
        self._latch = PressLatch()
        self._pads: dict[int, Pad] = {}
        self._pad: Pad | None = None
        self._last_warning = ""
        self._closed = False
        self._clock = clock
        self._collect_at = clock.monotonic()
        self._pygame = sdl.start()
        self._release = weakref.finalize(self, _close_all, self._pads)
        self._pygame.event.pump()
        self._look_for_pads()
        if self._pad is None:
            _log.warning("%s", self._no_gamepad_message())

    def poll(self) -> DeviceReading:
        """Return the newest stick levels and all presses since the last poll."""
        if self._closed:
            return DISCONNECTED
        if self._pad is None:
            self._pygame.event.pump()
        try:
            self._look_for_pads()
        except InvalidArgumentError as error:
            self._warn_once(str(error))
        self._switch_pads()
        if self._pad is None:
            return DISCONNECTED
        self._collect(self._pad)
        if not self._pad.attached():
            return self._unplugged(self._pad)
        sticks = (self._level(name) for name in STICKS)
        presses = self._latch.take()
        return presses.reading(stick_motion(*sticks, turning=presses.active(Control.TURN)))

    def help(self) -> str:
        """Return one line that explains the sticks and the buttons of this gamepad."""
        known = self._buttons if self._pad is None else self._pad.buttons
        names = (
            f"{button.upper()}: {self._buttons[button].value}" for button in self._buttons if button in known
        )
        return ", ".join((STICKS_HELP, *names))

    def close(self) -> None:
        """Release the gamepad for use by another `Gamepad`."""
        self._closed = True
        self._pad = None
        self._latch.clear()
        for number in [number for number, user in _in_use.items() if user is self]:
            del _in_use[number]
        self._release()

    def _look_for_pads(self) -> None:
        """Open all free gamepads, and use the best one if none is used or the current one's buttons are a guess."""
        count = self._pygame.joystick.get_count()
        for number in [number for number in self._pads if not self._is_free(number)]:
            del self._pads[number]  # Another gamepad uses it and will close it.
        if self._pad is None and len(_in_use) >= count > 0 and self._clock.monotonic() >= self._collect_at:
            # Environments that were not closed but are unreachable may use the gamepads.
            self._collect_at = self._clock.monotonic() + COLLECT_EVERY_S
            gc.collect()
        if count != len(self._pads) or self._pad is None:
            for index in range(count):
                self._open(index)
        if self._pad is None or (self._pad.is_guess and not self._takes_over(self._pad)):
            best = min(self._pads.values(), key=lambda pad: pad.is_guess, default=None)
            if best is not None and (self._pad is None or not best.is_guess):
                self._use(best)

    def _open(self, index: int) -> None:
        """Open the gamepad with SDL's `index` if it is free and its name matches."""
        pygame = self._pygame
        try:
            joystick = pygame.joystick.Joystick(index)
            number, name = joystick.get_instance_id(), str(joystick.get_name())
            if number not in self._pads and self._is_free(number) and self._pad_name in name.lower():
                self._pads[number] = self._read(index, name)
        except pygame.error as error:
            self._warn_once(f"Gamepad {index} cannot be opened: {error}")

    def _read(self, index: int, name: str) -> Pad:
        """Return the gamepad, with the button names of the given file, the user's file, SDL's database or this
        package, in this order.
        """
        from pygame._sdl2 import controller

        mapped = controller.is_controller(index)
        # The name in SDL's database may differ. For gamepads that are not in it, pygame crashes.
        names = (name, str(controller.name_forindex(index))) if mapped else (name,)
        if self._config_path is not None:
            config = find_controller_config(names, self._config_path)
            if config is not None:
                return RawPad(self._pygame, index, config)
        config = named_controller_config(names, shipped=not mapped)
        if config is not None:
            return RawPad(self._pygame, index, config)
        if mapped:
            return MappedPad(self._pygame, index)
        return RawPad(self._pygame, index, load_controller_config(name), is_guess=True)

    def _switch_pads(self) -> None:
        """Use the gamepad whose intervention button the person presses."""
        for number, pad in list(self._pads.items()):
            if pad is self._pad:
                continue
            pad.changes()
            if not pad.attached():
                pad.close()
                del self._pads[number]
            elif self._takes_over(pad) and not (self._pad is not None and self._takes_over(self._pad)):
                self._use(pad)

    def _takes_over(self, pad: Pad) -> bool:
        return any(
            control is Control.ENGAGE and button in pad.buttons and pad.down(button)
            for button, control in self._buttons.items()
        )

    def _use(self, pad: Pad) -> None:
        if self._pad is not None:
            _in_use.pop(self._pad.instance_id, None)
        self._pad = pad
        _in_use[pad.instance_id] = self
        self._latch.clear()
        _log.warning('Gamepad "%s" is ready: %s.', pad.name, self.help())
        if pad.is_guess:
            _log.warning(
                'The buttons of "%s" are unknown, so their names are a guess. To set them, run '
                '"gym-hil doctor --map-gamepad", or use the browser page and map the gamepad there.',
                pad.name,
            )

    def _is_free(self, number: int) -> bool:
        return _in_use.get(number, self) is self

    def _collect(self, pad: Pad) -> None:
        """Register presses in their order, and then the state of buttons whose events other code has consumed."""
        for button, down in pad.changes():
            self._note(button, down)
        for button in self._buttons:
            if button in pad.buttons:
                self._note(button, pad.down(button))

    def _note(self, button: str, down: bool) -> None:
        if button in self._buttons and down:
            self._latch.press(button, self._buttons[button])
        elif not down:
            self._latch.release(button)

    def _level(self, stick: str) -> float:
        assert self._pad is not None
        return beyond_deadzone(self._pad.stick(stick), self._deadzone)

    def _unplugged(self, pad: Pad) -> DeviceReading:
        """Return the presses before the gamepad was unplugged."""
        _log.warning('Gamepad "%s" was unplugged; plug it in again to continue.', pad.name)
        events = self._latch.take().reading(DISCONNECTED.motion).events
        _in_use.pop(pad.instance_id, None)
        del self._pads[pad.instance_id]
        pad.close()
        self._pad = None
        self._latch.clear()
        return DeviceReading(events=events, connected=False)

    def _no_gamepad_message(self) -> str:
        """Return a message that explains why no gamepad is used."""
        if len(_in_use) >= self._pygame.joystick.get_count() > 0:
            return "Every gamepad is in use. This environment uses one as soon as another one is closed."
        named = f' whose name contains "{self._pad_name}"' if self._pad_name else ""
        return (
            f"No gamepad{named} found. Plug one in at any time, or use another device: the keyboard, "
            "the browser page, a SpaceMouse, a LeRobot teleoperator or the simulated human."
        )

    def _warn_once(self, message: str) -> None:
        """Log an error once instead of at every poll."""
        if message != self._last_warning:
            _log.error("%s", message)
            self._last_warning = message


def _close_all(pads: dict[int, Pad]) -> None:
    """Close the gamepads that a `Gamepad` has opened, except those that another one uses."""
    for number, pad in pads.items():
        if number not in _in_use:
            pad.close()
    pads.clear()


def _open(options: DeviceOptions) -> Gamepad:
    return Gamepad(options.controller_config_path, pad_name=options.gamepad_name)


SPEC = DeviceSpec(
    make=_open,
    make_next=_open,
    engage=Engage.HOLD,
    help="A game controller: hold RB to take over.",
)
