"""Interactive mapping of the sticks and buttons of unknown gamepads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.core.errors import DeviceError
from gym_hil.devices import sdl
from gym_hil.devices.controller_config import STICKS, TRIGGERS, ControllerConfig, save_controller_config

STEPS: tuple[tuple[str, str], ...] = (
    ("left_x", "push the left stick to the right"),
    ("left_y", "push the left stick up"),
    ("right_x", "push the right stick to the right"),
    ("right_y", "push the right stick up"),
    ("rb", "press the right shoulder button, which will take over (RB)"),
    ("lb", "press the left shoulder button (LB)"),
    ("lt", "press the left trigger (LT)"),
    ("rt", "press the right trigger (RT)"),
    ("a", "of the four buttons at the right, press the lowest (A)"),
    ("b", "press the right one of the four (B)"),
    ("x", "press the left one of the four (X)"),
    ("y", "press the upper one of the four (Y)"),
    ("start", "press Start"),
)
"""Names in a `ControllerConfig`, and the instructions for the person, in order."""
MOVED = 0.6
"""Deflection of an axis from its rest position that counts as an answer."""
POLL_S = 0.02
"""Polling interval (s)."""


class GamepadMapper:
    """Asks for one stick or button after the other, and stores its number.

    Args:
        axes: levels of all axes at rest, in [-1, 1].
    """

    def __init__(self, axes: Sequence[float]) -> None:
        self._rest = tuple(axes)
        self._step = 0
        self._released = True
        self.config: ControllerConfig = {"axes": {}, "buttons": {}, "axis_inversion": {}}

    @property
    def prompt(self) -> str | None:
        """The current instruction for the person, or None if the mapping is complete."""
        return STEPS[self._step][1] if self._step < len(STEPS) else None

    def look(self, axes: Sequence[float], buttons: Sequence[bool]) -> None:
        """Process the state of the gamepad. One press is one answer, no matter how long it lasts.

        Args:
            axes: levels of all axes, in [-1, 1].
            buttons: whether each button is held.
        """
        moves = [level - rest for level, rest in zip(axes, self._rest, strict=True)]
        axis = next((number for number, move in enumerate(moves) if abs(move) > MOVED), None)
        button = next((number for number, down in enumerate(buttons) if down), None)
        if axis is None and button is None:
            self._released = True
            return
        if not self._released or self.prompt is None:
            return
        name = STEPS[self._step][0]
        if name in STICKS:
            if axis is None:
                return
            self.config["axes"][name] = axis
            self.config["axis_inversion"][name] = moves[axis] < 0.0
        elif button is not None:
            self.config["buttons"][name] = button
        elif name in TRIGGERS and axis is not None:
            self.config["axes"][name] = axis
        else:
            return
        self._released = False
        self._step += 1


def map_gamepad(notify: Callable[[str], object], clock: Clock = SYSTEM_CLOCK) -> Path:
    """Map the first gamepad interactively, and store its configuration in the user's file.

    Args:
        notify: called with the instructions for the person.
        clock: clock of the polling.

    Returns:
        The path of the user's file.

    Raises:
        DeviceError: there is no gamepad, or it was unplugged.
        MissingExtraError: pygame is not installed.
    """
    pygame = sdl.start()
    pygame.event.pump()
    if pygame.joystick.get_count() == 0:
        raise DeviceError("no gamepad is connected; plug one in")
    pad = pygame.joystick.Joystick(0)
    axes = range(pad.get_numaxes())
    mapper = GamepadMapper([pad.get_axis(axis) for axis in axes])
    shown: str | None = ""
    while mapper.prompt is not None:
        if mapper.prompt != shown:
            shown = mapper.prompt
            notify(shown)
        clock.sleep(POLL_S)
        sdl.take_events(pygame, pad.get_instance_id())
        if pygame.joystick.get_count() == 0:
            raise DeviceError("the gamepad was unplugged before the mapping was complete")
        buttons = [bool(pad.get_button(button)) for button in range(pad.get_numbuttons())]
        mapper.look([pad.get_axis(axis) for axis in axes], buttons)
    return save_controller_config(str(pad.get_name()), mapper.config)
