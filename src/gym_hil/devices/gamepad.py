"""A game controller, through SDL's mapping database, so that buttons have names on every pad and system."""

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
from gym_hil.devices.registry import DeviceSpec

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
"""What the buttons mean, by their names on an Xbox pad; ``lt`` and ``rt`` are the triggers."""

STICKS_HELP = "left stick: forward, back, left, right, right stick: up, down"
COLLECT_EVERY_S = 1.0
"""Seconds between two looks for pads of environments that are unreachable but were not closed."""
_log = logging.getLogger(__name__)
_in_use: weakref.WeakValueDictionary[int, Gamepad] = weakref.WeakValueDictionary()
"""The gamepad that uses each pad of this process, by SDL's instance id of the pad."""


def stick_motion(left_x: float, left_y: float, right_x: float, right_y: float, *, turning: bool) -> Motion:
    """Return the motion that the sticks of any gamepad command.

    Args:
        left_x: level of the left stick to the right, in [-1, 1], as all levels.
        left_y: the same upwards; moves forward, or tips the hand forward.
        right_x: level of the right stick to the right; turns the hand clockwise as seen from above.
        right_y: the same upwards; moves up.
        turning: whether the sticks turn the hand instead of moving it.
    """
    if turning:
        return turned(left_y, -left_x, -right_x or 0.0)
    return (left_y, -left_x or 0.0, right_y, 0.0, 0.0, 0.0)


class Gamepad(Device):
    """A pad that no other `Gamepad` uses. It may be plugged in late, pulled out and put back at any time;
    meanwhile readings say that nothing is connected. Create and poll it in the main thread.

    Of several pads the first one whose buttons are known is used, until the person presses the button that
    takes over on another one.

    Args:
        config_path: a `controller_config.json`; a pad that it names, or its ``"default"``, is read by those
            raw numbers instead of SDL's database.
        pad_name: only pads whose name contains this text are used, whatever its case; None for any.
        buttons: the meaning of each button.
        deadzone: sticks within it, in [0, 1), of the centre rest; beyond it their level grows from 0 to 1.
        clock: says when to look again whether a pad has become free.

    Raises:
        InvalidArgumentError: the deadzone or the file cannot be used.
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
        self._complaint = ""
        self._closed = False
        self._clock = clock
        self._collect_at = clock.monotonic()
        self._pygame = sdl.start()
        self._release = weakref.finalize(self, _close_all, self._pads)
        self._pygame.event.pump()
        self._look_for_pads()
        if self._pad is None:
            _log.warning("%s", self._why_none())

    def poll(self) -> DeviceReading:
        """Return the newest stick levels and every press since the last poll."""
        if self._closed:
            return DISCONNECTED
        if self._pad is None:
            self._pygame.event.pump()
        try:
            self._look_for_pads()
        except InvalidArgumentError as error:
            self._complain(str(error))
        self._follow_the_person()
        if self._pad is None:
            return DISCONNECTED
        self._collect(self._pad)
        if not self._pad.attached():
            return self._unplugged(self._pad)
        sticks = (self._level(name) for name in STICKS)
        presses = self._latch.take()
        return presses.reading(stick_motion(*sticks, turning=presses.active(Control.TURN)))

    def help(self) -> str:
        """Return one line that names the sticks and the buttons that this pad has."""
        known = self._buttons if self._pad is None else self._pad.buttons
        names = (
            f"{button.upper()}: {self._buttons[button].value}" for button in self._buttons if button in known
        )
        return ", ".join((STICKS_HELP, *names))

    def close(self) -> None:
        """Let the pad go; it is free for another `Gamepad`."""
        self._closed = True
        self._pad = None
        self._latch.clear()
        for number in [number for number, user in _in_use.items() if user is self]:
            del _in_use[number]
        self._release()

    def _look_for_pads(self) -> None:
        """Open every free pad, and use the best one if none is used, or if that one is a guess."""
        count = self._pygame.joystick.get_count()
        for number in [number for number in self._pads if not self._is_free(number)]:
            del self._pads[number]  # Another gamepad uses it and will close it.
        if self._pad is None and len(_in_use) >= count > 0 and self._clock.monotonic() >= self._collect_at:
            # The pads may be held by environments that nobody can reach any more.
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
        """Open the pad that SDL counts as `index` if it is free, and has the name that was asked for."""
        pygame = self._pygame
        try:
            joystick = pygame.joystick.Joystick(index)
            number, name = joystick.get_instance_id(), str(joystick.get_name())
            if number not in self._pads and self._is_free(number) and self._pad_name in name.lower():
                self._pads[number] = self._read(index, name)
        except pygame.error as error:
            self._complain(f"Gamepad {index} cannot be opened: {error}")

    def _read(self, index: int, name: str) -> Pad:
        """Return the pad; the file given, the user's, SDL's and the shipped one name its buttons."""
        from pygame._sdl2 import controller

        mapped = controller.is_controller(index)
        # SDL's database may call a pad otherwise; asked about one that it lacks, pygame crashes.
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

    def _follow_the_person(self) -> None:
        """Use the pad on which the person presses the button that takes over."""
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
                'Nobody knows the buttons of "%s", so their names are a guess. To set them, run '
                '"gym-hil doctor --map-gamepad", or drive from the browser page and map the gamepad there.',
                pad.name,
            )

    def _is_free(self, number: int) -> bool:
        return _in_use.get(number, self) is self

    def _collect(self, pad: Pad) -> None:
        """Note presses in their order, then trust the buttons' state where somebody else took the events."""
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
        """Return what was pressed before the unplug, if anything, with all levels at rest."""
        _log.warning('Gamepad "%s" was unplugged; plug it in again to go on.', pad.name)
        events = self._latch.take().reading(DISCONNECTED.motion).events
        _in_use.pop(pad.instance_id, None)
        del self._pads[pad.instance_id]
        pad.close()
        self._pad = None
        self._latch.clear()
        return DeviceReading(events=events, connected=False)

    def _why_none(self) -> str:
        """Return what to tell a person who has no pad to drive with."""
        if len(_in_use) >= self._pygame.joystick.get_count() > 0:
            return "Every gamepad is in use. This environment uses one as soon as another one is closed."
        named = f' whose name contains "{self._pad_name}"' if self._pad_name else ""
        return (
            f"No gamepad{named} found. Plug one in at any time, or use another device: the keyboard, "
            "the browser page, a SpaceMouse, a LeRobot teleoperator or the simulated human."
        )

    def _complain(self, complaint: str) -> None:
        """Log a complaint once, not at every poll."""
        if complaint != self._complaint:
            _log.error("%s", complaint)
            self._complaint = complaint


def _close_all(pads: dict[int, Pad]) -> None:
    """Close pads that a gamepad has opened. Those that another gamepad uses by now stay open."""
    for number, pad in pads.items():
        if number not in _in_use:
            pad.close()
    pads.clear()


SPEC = DeviceSpec(
    make=lambda options: Gamepad(options.controller_config_path, pad_name=options.gamepad_name),
    engage=Engage.HOLD,
    help="A game controller: hold RB to take over.",
)
