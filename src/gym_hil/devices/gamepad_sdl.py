"""Connected gamepads with named sticks, triggers and buttons, read by one of SDL's two interfaces.

Names are the same for both: sticks ``left_x, left_y, right_x, right_y`` in [-1, 1] with right and up positive, and
buttons ``a, b, x, y, lb, rb, lt, rt, start``. A trigger counts as pressed beyond half of its range.
"""

from __future__ import annotations

import abc
from types import ModuleType

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices import sdl
from gym_hil.devices.controller_config import STICKS, ControllerConfig

_FULL = 32767


class Pad(abc.ABC):
    """A connected gamepad. After it was unplugged, a new object is needed."""

    name: str
    instance_id: int
    """SDL's number of the gamepad, which changes when it is plugged in again."""
    buttons: frozenset[str]
    """Names of the buttons for `changes` and `down`."""
    is_guess: bool = False
    """Whether this type of gamepad is unknown, so that names of buttons may be wrong."""

    @abc.abstractmethod
    def attached(self) -> bool:
        """Return whether the gamepad is still plugged in."""

    @abc.abstractmethod
    def stick(self, name: str) -> float:
        """Return the newest level of a stick axis, in [-1, 1]."""

    @abc.abstractmethod
    def changes(self) -> list[tuple[str, bool]]:
        """Return the events since the last call, oldest first, each with the name of the button and whether it was
        pressed. Triggers may repeat their state.
        """

    @abc.abstractmethod
    def down(self, button: str) -> bool:
        """Return whether a button is held."""

    @abc.abstractmethod
    def close(self) -> None:
        """Release the gamepad."""


class MappedPad(Pad):
    """A gamepad in SDL's mapping database.

    Args:
        pygame: the module.
        index: SDL's index of the gamepad.
    """

    def __init__(self, pygame: ModuleType, index: int) -> None:
        from pygame._sdl2 import controller

        self._pygame = pygame
        self._controller = controller.Controller(index)
        self.instance_id = self._controller.as_joystick().get_instance_id()
        self.name = str(self._controller.name)
        self._axes = {
            "left_x": (pygame.CONTROLLER_AXIS_LEFTX, 1.0),
            "left_y": (pygame.CONTROLLER_AXIS_LEFTY, -1.0),
            "right_x": (pygame.CONTROLLER_AXIS_RIGHTX, 1.0),
            "right_y": (pygame.CONTROLLER_AXIS_RIGHTY, -1.0),
        }
        self._triggers = {
            "lt": pygame.CONTROLLER_AXIS_TRIGGERLEFT,
            "rt": pygame.CONTROLLER_AXIS_TRIGGERRIGHT,
        }
        self._buttons = {
            "a": pygame.CONTROLLER_BUTTON_A,
            "b": pygame.CONTROLLER_BUTTON_B,
            "x": pygame.CONTROLLER_BUTTON_X,
            "y": pygame.CONTROLLER_BUTTON_Y,
            "lb": pygame.CONTROLLER_BUTTON_LEFTSHOULDER,
            "rb": pygame.CONTROLLER_BUTTON_RIGHTSHOULDER,
            "start": pygame.CONTROLLER_BUTTON_START,
        }
        self._button_of = {index: name for name, index in self._buttons.items()}
        sdl.take_events(pygame, self.instance_id)  # discard earlier presses
        self._trigger_of = {index: name for name, index in self._triggers.items()}
        self.buttons = frozenset(self._buttons) | frozenset(self._triggers)

    def attached(self) -> bool:
        """Return whether the gamepad is still plugged in."""
        return bool(self._controller.attached())

    def stick(self, name: str) -> float:
        """Return the newest level of a stick axis, in [-1, 1]."""
        axis, sign = self._axes[name]
        return _clip(sign * self._controller.get_axis(axis) / _FULL)

    def changes(self) -> list[tuple[str, bool]]:
        """Return the events since the last call, oldest first."""
        pygame, result = self._pygame, []
        for event in sdl.take_events(pygame, self.instance_id):
            if event.type == pygame.CONTROLLERAXISMOTION and event.axis in self._trigger_of:
                result.append((self._trigger_of[event.axis], event.value > _FULL / 2))
            elif event.type == pygame.CONTROLLERBUTTONDOWN and event.button in self._button_of:
                result.append((self._button_of[event.button], True))
            elif event.type == pygame.CONTROLLERBUTTONUP and event.button in self._button_of:
                result.append((self._button_of[event.button], False))
        return result

    def down(self, button: str) -> bool:
        """Return whether a button is held."""
        if button in self._triggers:
            return bool(self._controller.get_axis(self._triggers[button]) > _FULL / 2)
        return bool(self._controller.get_button(self._buttons[button]))

    def close(self) -> None:
        """Release the gamepad."""
        self._controller.quit()


class RawPad(Pad):
    """A gamepad whose axes and buttons are identified by a `ControllerConfig`.

    Args:
        pygame: the module.
        index: SDL's index of the gamepad.
        config: numbers of the axes and buttons.
        is_guess: whether the configuration may be wrong for this gamepad.

    Raises:
        InvalidArgumentError: the gamepad does not have an axis or button of the configuration.
    """

    def __init__(
        self, pygame: ModuleType, index: int, config: ControllerConfig, *, is_guess: bool = False
    ) -> None:
        self.is_guess = is_guess
        self._pygame = pygame
        self._joystick = pygame.joystick.Joystick(index)
        self.instance_id = self._joystick.get_instance_id()
        self._config = config
        self._removed = False
        sdl.take_events(pygame, self.instance_id)
        self.name = str(self._joystick.get_name())
        for kind, count in (
            ("axes", self._joystick.get_numaxes()),
            ("buttons", self._joystick.get_numbuttons()),
        ):
            for name, number in config[kind].items():  # type: ignore[literal-required]
                if number >= count:
                    raise InvalidArgumentError(
                        f"controller config gives {name!r} number {number} among the {kind}, but the gamepad "
                        f"{self.name!r} has {count}, numbered from 0"
                    )
        self._button_of = {number: name for name, number in config["buttons"].items()}
        self._trigger_of = {number: name for name, number in config["axes"].items() if name not in STICKS}
        self.buttons = frozenset(self._button_of.values()) | frozenset(self._trigger_of.values())

    def attached(self) -> bool:
        """Return whether the gamepad is still plugged in."""
        # SDL reports the removal of a joystick only once, by an event.
        return not self._removed and self._pygame.joystick.get_count() > 0

    def stick(self, name: str) -> float:
        """Return the newest level of a stick axis, in [-1, 1]."""
        number = self._config["axes"].get(name)
        if number is None:
            return 0.0
        sign = -1.0 if self._config["axis_inversion"].get(name, False) else 1.0
        return _clip(sign * self._joystick.get_axis(number))

    def changes(self) -> list[tuple[str, bool]]:
        """Return the events since the last call, oldest first."""
        pygame, result = self._pygame, []
        for event in sdl.take_events(pygame, self.instance_id):
            if event.type == pygame.JOYAXISMOTION and event.axis in self._trigger_of:
                result.append((self._trigger_of[event.axis], event.value > 0.0))
            elif event.type == pygame.JOYBUTTONDOWN and event.button in self._button_of:
                result.append((self._button_of[event.button], True))
            elif event.type == pygame.JOYBUTTONUP and event.button in self._button_of:
                result.append((self._button_of[event.button], False))
            elif event.type == pygame.JOYDEVICEREMOVED:
                self._removed = True
        return result

    def down(self, button: str) -> bool:
        """Return whether a button is held."""
        if button in self._config["buttons"]:
            return bool(self._joystick.get_button(self._config["buttons"][button]))
        number = self._config["axes"].get(button)
        return number is not None and bool(self._joystick.get_axis(number) > 0.0)

    def close(self) -> None:
        """Release the gamepad."""
        self._joystick.quit()


def _clip(value: float) -> float:
    return max(-1.0, min(1.0, value))
