"""A window that shows the robot and hears keys and the mouse. It sees keys only while it has the focus."""

from __future__ import annotations

import os
import time
from typing import Any

import mujoco

from gym_hil.core.errors import DeviceError
from gym_hil.core.observer import Watcher
from gym_hil.devices import sdl
from gym_hil.devices.controls import Control
from gym_hil.devices.keyboard import Keyboard
from gym_hil.simulation.gl import has_display
from gym_hil.simulation.rendering import Image
from gym_hil.viewers.base import SLOW_MOTION, Viewer
from gym_hil.viewers.window_keys import key_map
from gym_hil.viewers.window_motion import Motion
from gym_hil.viewers.window_panel import GROUND, INSET, WIDTH, Button, Panel
from gym_hil.viewers.window_pictures import Pictures

STRIP = 60
"""Height of the strip that says who acts (pixels)."""
COLOURS = {
    "POLICY": (38, 94, 150),
    "HUMAN": (214, 93, 14),
    "SUCCESS": (35, 134, 54),
    "PAUSED": (110, 84, 148),
}
"""Background of the strip by the word in it."""
WHITE = (255, 255, 255)

_current: Window | None = None


class Window(Viewer):
    """The one window of this process: `model` seen by camera number `camera`, in `size` (width, height;
    pixels), beside a panel. Use it in the main thread.

    Raises:
        DeviceError: there is no display, or another window is open.
        MissingExtraError: pygame is not installed.
    """

    delivers = "window"

    def __init__(
        self,
        title: str,
        model: mujoco.MjModel,
        camera: int,
        size: tuple[int, int],
        *,
        show_help: bool = True,
    ) -> None:
        global _current
        if not has_display():
            raise DeviceError("there is no display here")
        if _current is not None:
            raise DeviceError("this process has a window already")
        # SDL would else draw the window through an OpenGL context of its own, beside the renderer's.
        os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
        os.environ.setdefault("SDL_VIDEO_CENTERED", "1")
        self._pygame = pygame = sdl.start("A window", extra="viewer")
        if pygame.display.get_driver() == "dummy":
            raise DeviceError("the display cannot be used")
        pygame.font.init()
        super().__init__()
        self._size = size
        self._show_help = show_help
        self._fonts = [pygame.font.Font(None, size) for size in (52, 32, 22)]
        self._pictures = Pictures(model, camera, size, INSET)
        self._motion = Motion(model)
        self._playing_s = 0.0
        self._panel = Panel(pygame)
        self._keys: Any = None
        self._keyboards: list[Keyboard] = []
        self._held: Button | None = None
        self._slow = False
        self._clock_s = 0.0
        self._seen: dict[str, Image] = {}
        pygame.display.set_caption(title)
        self._lay_out()
        _current = self

    @property
    def time_scale(self) -> float:  # type: ignore[override]
        """How many times slower than in real time the person wants the environment to run."""
        return SLOW_MOTION if self._slow and not self.closed else 1.0

    @property
    def buttons(self) -> dict[str, tuple[int, int]]:
        """Where to click (x, y; pixels), by what is written there. None without a keyboard to work."""
        boxes = ((button.label, button.box) for button in self._panel.buttons)
        return {
            label: (self._size[0] + left + width // 2, STRIP + top + height // 2)
            for label, (left, top, width, height) in boxes
        }

    def feed(self, device: Any) -> None:
        """Give all keys to the keyboard `device`, show what they do, and have buttons that do the same."""
        device.connected = True
        self._keyboards.append(device)
        self._panel.add_buttons()
        if self._show_help:
            self._keys = key_map(self._pygame, device.help(), self._size[0])
        self._lay_out()

    def pump(self) -> None:
        """Hear keys and the mouse, and whether the person closed the window."""
        if self.closed:
            return
        pygame = self._pygame
        for event in sdl.take_window_events(pygame):
            if event.type == pygame.QUIT:
                self.close()
                return
            if event.type == pygame.MOUSEBUTTONDOWN and event.button == pygame.BUTTON_LEFT:
                self._press(self._panel.button_at(event.pos[0] - self._size[0], event.pos[1] - STRIP))
            elif event.type in (pygame.MOUSEBUTTONUP, pygame.WINDOWFOCUSLOST):
                self._let_go()
            for keyboard in self._keyboards:
                if event.type == pygame.KEYDOWN:
                    keyboard.press(_key_name(pygame.key.name(event.key)))
                elif event.type == pygame.KEYUP:
                    keyboard.release(_key_name(pygame.key.name(event.key)))
                elif event.type == pygame.WINDOWFOCUSLOST:
                    keyboard.release_all()

    def show(self, data: mujoco.MjData, clock_s: float, *, success: bool = False) -> None:
        """Draw the robot in the state `data`, who acts, the panel, and the episode's clock (s)."""
        self.pump()
        if self.closed:
            return
        self._clock_s = clock_s
        self._motion.note(data)
        moving = None if success or not self.paced else self._motion.at(0.0)
        self._draw_robot(data if moving is None else moving)
        self._seen = self._pictures.inside(data)
        self._draw_strip("SUCCESS" if success else self.who)
        self._draw_panel()
        self._pygame.display.flip()

    def watch_step(self) -> Watcher | None:
        """Return what notes how the robot moves within the next step."""
        self._motion.begin()
        return None if self.closed else self._motion.note

    def on_wait(self, fraction: float, deadline: float) -> None:
        """Draw the robot as it was after a fraction of the last step, unless there is no time."""
        start = time.perf_counter()
        if self.closed or start + 2.0 * self._playing_s > deadline:
            return
        data = self._motion.at(fraction)
        if data is not None:
            self._draw_robot(data)
            self._pygame.display.update((0, STRIP, *self._size))
            self._playing_s = time.perf_counter() - start

    def begin(self) -> None:
        """Begin an episode."""
        self._motion.begin()

    def refresh(self) -> None:
        """Draw strip and panel anew."""
        if not self.closed:
            self._draw_strip(self.who)
            self._draw_panel()
            self._pygame.display.flip()

    def close(self) -> None:
        """Close the window; its keyboards are unplugged. Calling it twice is allowed."""
        global _current
        if self.closed:
            return
        self.closed = True
        _current = None
        for keyboard in self._keyboards:
            keyboard.connected = False
        self._pictures.close()
        self._pygame.display.quit()

    def _press(self, button: Button | None) -> None:
        if button is None:
            return
        self._held = button
        if button.control is None:
            self._slow = not self._slow
        else:
            for keyboard in self._keyboards:
                keyboard.press_button(button.control)
        self._redraw_panel()

    def _let_go(self) -> None:
        button, self._held = self._held, None
        if button is None:
            return
        if button.control is not None:
            for keyboard in self._keyboards:
                keyboard.release_button(button.control)
        self._redraw_panel()

    def _draw_robot(self, data: mujoco.MjData) -> None:
        image = self._pygame.image.frombuffer(self._pictures.outside(data).tobytes(), self._size, "RGB")
        self._screen.blit(image, (0, STRIP))

    def _lay_out(self) -> None:
        width, height = self._size
        below = 0 if self._keys is None else self._keys.get_height()
        size = (width + WIDTH, STRIP + max(height + below, self._panel.height))
        self._screen = self._pygame.display.set_mode(size)
        self._screen.fill(GROUND)
        if self._keys is not None:
            self._screen.blit(self._keys, (0, STRIP + height))

    def _redraw_panel(self) -> None:
        self._draw_panel()
        self._pygame.display.flip()

    def _draw_panel(self) -> None:
        lit: set[Control | None] = {self._held.control} if self._held and self._held.control else set()
        if self._slow:
            lit.add(None)
        if self.who in _LIT:
            lit.add(_LIT[self.who])
        self._panel.draw(self.statistics.report(), self._seen, lit)
        self._screen.blit(self._panel.surface, (self._size[0], STRIP))

    def _draw_strip(self, word: str) -> None:
        screen, width = self._screen, self._size[0] + WIDTH
        screen.fill(COLOURS[word], (0, 0, width, STRIP))
        big = self._fonts[0]
        left, right = big.render(word, True, WHITE), big.render(f"{self._clock_s:.1f} s", True, WHITE)
        free = width - left.get_width() - right.get_width() - 60
        notes = [font.render(self.note, True, WHITE) for font in self._fonts[1:]]
        note = next((note for note in notes if note.get_width() <= free), notes[-1])
        for text, x in (
            (note, (width - note.get_width()) // 2),
            (left, 14),
            (right, width - 14 - right.get_width()),
        ):
            screen.blit(text, (x, (STRIP - text.get_height()) // 2))


_LIT = {"HUMAN": Control.TOGGLE, "PAUSED": Control.PAUSE}
"""The button that has brought about who acts."""


def _key_name(name: str) -> str:
    """Return pygame's name of a key as `canonical_key` knows it: ``"right ctrl"`` is ``"right_control"``."""
    return name.replace(" ", "_").replace("ctrl", "control")
