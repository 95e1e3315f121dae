"""A window that shows images and hears keys. It sees keys only while it has the focus."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from gym_hil.devices import sdl
from gym_hil.devices.keyboard import Keyboard
from gym_hil.errors import DeviceError
from gym_hil.sim.gl import has_display
from gym_hil.viewers.screen import Screen

STRIP = 40
"""Height of the strip that says who acts (pixels)."""
LINE = 18
"""Height of a line of help (pixels)."""
COLOURS = {
    "POLICY": (38, 94, 150),
    "HUMAN": (214, 93, 14),
    "SUCCESS": (35, 134, 54),
    "PAUSED": (110, 84, 148),
}
"""Background of the strip by the word in it."""
WHITE = (255, 255, 255)

_current: Window | None = None


class Window(Screen):
    """The one window of this process, for images of `width` x `height` pixels. Use it in the main thread.

    Raises:
        DeviceError: there is no display, or another window is open.
        MissingExtraError: pygame is not installed.
    """

    def __init__(self, title: str, width: int, height: int, *, show_help: bool = True) -> None:
        global _current
        if not has_display():
            raise DeviceError("there is no display here")
        if _current is not None:
            raise DeviceError("this process has a window already")
        # SDL would else draw the window through an OpenGL context of its own, beside the renderer's.
        os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
        self._pygame = pygame = sdl.start("A window", extra="viewer")
        if pygame.display.get_driver() == "dummy":
            raise DeviceError("the display cannot be used")
        pygame.font.init()
        self._size = (width, height)
        self._help_lines: list[str] = []
        self._show_help = show_help
        self._title = title
        self._screen = pygame.display.set_mode((width, STRIP + height))
        pygame.display.set_caption(title)
        self._big, self._small = pygame.font.Font(None, 32), pygame.font.Font(None, 18)
        self._keyboards: list[Keyboard] = []
        self._clock_s = 0.0
        super().__init__()
        _current = self

    def feed(self, keyboard: Keyboard) -> None:
        """Give all keys to `keyboard`, and show what they do."""
        self._keyboards.append(keyboard)
        if self._show_help:
            self._help_lines = _wrapped(keyboard.help(), self._size[0] // 7)
            height = STRIP + self._size[1] + LINE * len(self._help_lines)
            self._screen = self._pygame.display.set_mode((self._size[0], height))

    def pump(self) -> None:
        """Hear keys, and whether the person closed the window."""
        if self.closed:
            return
        pygame = self._pygame
        for event in sdl.take_window_events(pygame):
            if event.type == pygame.QUIT:
                self.close()
                return
            for keyboard in self._keyboards:
                if event.type == pygame.KEYDOWN:
                    keyboard.press(_key_name(pygame.key.name(event.key)))
                elif event.type == pygame.KEYUP:
                    keyboard.release(_key_name(pygame.key.name(event.key)))
                elif event.type == pygame.WINDOWFOCUSLOST:
                    keyboard.release_all()

    def show(self, image: NDArray[np.uint8], clock_s: float, *, success: bool = False) -> None:
        """Draw `image` (height, width, 3), who acts, the rates, and the episode's clock (s)."""
        self.pump()
        if self.closed:
            return
        pygame, screen = self._pygame, self._screen
        width, height = self._size
        self._clock_s = clock_s
        self._draw_strip("SUCCESS" if success else self.who)
        screen.blit(pygame.image.frombuffer(image.tobytes(), self._size, "RGB"), (0, STRIP))
        screen.fill((30, 30, 30), (0, STRIP + height, width, LINE * len(self._help_lines)))
        for number, line in enumerate(self._help_lines):
            text = self._small.render(line, True, (235, 235, 235))
            screen.blit(text, (8, STRIP + height + 2 + LINE * number))
        pygame.display.flip()

    def refresh(self) -> None:
        """Draw the strip anew."""
        if not self.closed:
            self._draw_strip(self.who)
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
        self._pygame.display.quit()

    def _draw_strip(self, word: str) -> None:
        screen, width = self._screen, self._size[0]
        screen.fill(COLOURS[word], (0, 0, width, STRIP))
        screen.blit(self._big.render(word, True, WHITE), (12, 10))
        clock = self._big.render(f"{self._clock_s:.1f} s", True, WHITE)
        screen.blit(clock, (width - 12 - clock.get_width(), 10))
        rates = self.tally.rates()
        shown = "" if rates is None else f"success {rates[0]:.0%}   by a human {rates[1]:.0%}"
        middle = self._small.render(self.note or shown, True, WHITE)
        screen.blit(middle, ((width - middle.get_width()) / 2, 14))


def _key_name(name: str) -> str:
    """Return pygame's name of a key as `canonical_key` knows it: ``"right ctrl"`` is ``"right_control"``."""
    return name.replace(" ", "_").replace("ctrl", "control")


def _wrapped(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for part in text.split(", "):
        if lines and len(lines[-1]) + len(part) + 3 <= width:
            lines[-1] += f"   {part}"
        else:
            lines.append(part)
    return lines
