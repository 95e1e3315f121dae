"""pygame starts with any video driver, or the error says what to change."""

from __future__ import annotations

import os
import sys
from types import ModuleType, SimpleNamespace

import pytest

from gym_hil.core.errors import DeviceError, MissingExtraError
from gym_hil.devices import sdl


class FakePygame(ModuleType):
    """Takes the place of pygame on a machine on which only SDL's dummy driver works."""

    error = RuntimeError

    def __init__(self):
        super().__init__("pygame")
        self.started = []
        self.display = SimpleNamespace(get_init=lambda: False, init=self.start_video)
        self.joystick = SimpleNamespace(init=lambda: self.started.append("joystick"))

    def start_video(self):
        driver = os.environ.get("SDL_VIDEODRIVER", "the best one")
        if driver != "dummy":
            raise self.error(f"{driver} not available")
        self.started.append(driver)


@pytest.fixture
def pygame(monkeypatch):
    module, controller = FakePygame(), ModuleType("pygame._sdl2.controller")
    controller.init = lambda: module.started.append("controller")
    package = ModuleType("pygame._sdl2")
    package.controller = controller
    for name, each in (("pygame", module), ("pygame._sdl2", package), (controller.__name__, controller)):
        monkeypatch.setitem(sys.modules, name, each)
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    return module


def test_gamepads_are_read_where_no_video_driver_works(pygame):
    assert sdl.start() is pygame
    assert pygame.started == ["dummy", "joystick", "controller"]
    assert "SDL_VIDEODRIVER" not in os.environ, "a window that is opened later tries the best one again"


def test_a_video_driver_that_does_not_work_is_named(pygame, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "nonsense")
    with pytest.raises(DeviceError, match=r"SDL_VIDEODRIVER=nonsense: nonsense not available\. Unset it"):
        sdl.start()
    assert pygame.started == []


def test_without_pygame_the_extra_of_the_feature_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(MissingExtraError, match="A window needs the package"):
        sdl.start("A window", extra="viewer")
