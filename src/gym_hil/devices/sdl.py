"""Initialises the parts of pygame that gamepads need, with or without a display, and shares its event queue.

pygame has one event queue per process. A gamepad takes only its own events from the queue, and puts those of
other gamepads back. Events of keys, mouse and window are not touched.
"""

from __future__ import annotations

import functools
import os
from types import ModuleType
from typing import Any

from gym_hil.core.errors import DeviceError, MissingExtraError


def start(purpose: str = "A gamepad", extra: str = "gamepad") -> ModuleType:
    """Initialise pygame's display events, joysticks and controllers. It must be called in the main thread.

    Args:
        purpose: feature that needs pygame, for the error message.
        extra: extra that installs pygame, for the error message.

    Returns:
        The module pygame.

    Raises:
        MissingExtraError: pygame is not installed.
        DeviceError: pygame cannot start with the given ``SDL_VIDEODRIVER``.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    # Without this, SDL drops presses while no window of this process has the keyboard focus.
    os.environ.setdefault("SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS", "1")
    try:
        import pygame
        from pygame._sdl2 import controller
    except ImportError as error:
        raise MissingExtraError("pygame", extra, purpose) from error
    if not pygame.display.get_init():
        _init_display(pygame)
    pygame.joystick.init()
    controller.init()
    return pygame


def _init_display(pygame: ModuleType) -> None:
    """Start the video system, which owns the event queue, without opening a window."""
    try:
        pygame.display.init()
        return
    except pygame.error as error:
        if "SDL_VIDEODRIVER" in os.environ:
            raise DeviceError(
                f"pygame cannot start with SDL_VIDEODRIVER={os.environ['SDL_VIDEODRIVER']}: {error}. "
                "Unset it, or set it to dummy."
            ) from error
    os.environ["SDL_VIDEODRIVER"] = "dummy"
    try:
        pygame.display.init()
    finally:
        del os.environ["SDL_VIDEODRIVER"]


def close_window(pygame: ModuleType) -> None:
    """Close the window, and restart the video system, because gamepads need its event queue."""
    pygame.display.quit()
    _init_display(pygame)


def take_events(pygame: ModuleType, instance_id: int) -> list[Any]:
    """Remove the events of one gamepad from the queue and return them, oldest first. They include the events
    of both of SDL's interfaces, which would fill the queue otherwise.
    """
    # pygame sorts events by type if types are requested, but not if types are excluded.
    taken: list[Any] = []
    others: list[Any] = []
    removed = pygame.JOYDEVICEREMOVED
    events = list(pygame.event.get(exclude=[*_foreign_types(pygame), removed]))
    try:
        events += pygame.event.get(removed)
    except (SystemError, KeyError):
        # pygame fails at the removal of a gamepad that was not opened, and loses the events requested with it.
        if instance_id not in _present(pygame):
            events.append(pygame.event.Event(removed, instance_id=instance_id))
    for event in events:
        of_gamepad = event.type in _pad_types(pygame) and event.instance_id == instance_id
        (taken if of_gamepad else others).append(event)
    for event in others:
        pygame.event.post(event)
    return taken


def _present(pygame: ModuleType) -> set[int]:
    """Return SDL's numbers of the connected gamepads."""
    pads = (pygame.joystick.Joystick(index) for index in range(pygame.joystick.get_count()))
    return {pad.get_instance_id() for pad in pads}


def take_window_events(pygame: ModuleType) -> list[Any]:
    """Remove all events that are not those of gamepads from the queue, and return them, oldest first."""
    return list(pygame.event.get(exclude=list(_pad_types(pygame))))


@functools.cache
def _pad_types(pygame: ModuleType) -> frozenset[int]:
    names = "CONTROLLERAXISMOTION CONTROLLERBUTTONDOWN CONTROLLERBUTTONUP JOYAXISMOTION JOYBUTTONDOWN"
    more = "JOYBUTTONUP JOYHATMOTION JOYDEVICEREMOVED"
    return frozenset(getattr(pygame, name) for name in f"{names} {more}".split())


@functools.cache
def _foreign_types(pygame: ModuleType) -> list[int]:
    """Return the types of SDL's events that are not those of gamepads' sticks and buttons."""
    named = (kind for kind in range(pygame.NOEVENT + 1, pygame.USEREVENT))
    known = (kind for kind in named if pygame.event.event_name(kind) != "Unknown")
    return [kind for kind in known if kind not in _pad_types(pygame)]
