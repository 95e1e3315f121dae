"""A window that shows the robot and who acts, and reads keys while it has the focus."""

from __future__ import annotations

import os
import time
from typing import Any

import mujoco

from gym_hil.core import palette
from gym_hil.core.errors import DeviceError
from gym_hil.core.observer import Watcher
from gym_hil.devices import sdl
from gym_hil.simulation.gl import has_display
from gym_hil.simulation.rendering import FAST, Renderer
from gym_hil.viewers.base import Viewer
from gym_hil.viewers.window_motion import Motion

BANNER = 60
"""Height of the banner that shows who acts (pixels)."""
HELP_COLUMN, HELP_LINE = 210, 24
"""Smallest width of a column and height of a line of the text that explains the keys (pixels)."""
WHITE, DARK, GREY = (255, 255, 255), (28, 31, 36), (165, 171, 181)


class Window(Viewer):
    """The window. A process can have only one, in its main thread.

    Closing it does not end the episode, but disconnects the keyboards whose input it delivers.

    Args:
        title: title of the window.
        model: the model to show.
        camera: index of the camera.
        size: width and height of the image (pixels).
        show_help: whether to explain the keys of its keyboards.

    Raises:
        DeviceError: there is no display, or another window is open.
        MissingExtraError: pygame is not installed.
    """

    def __init__(
        self, title: str, model: mujoco.MjModel, camera: int, size: tuple[int, int], *, show_help: bool = True
    ) -> None:
        if not has_display():
            raise DeviceError("there is no display")
        # By default, SDL would create a second OpenGL context in addition to the renderer's.
        os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
        os.environ.setdefault("SDL_VIDEO_CENTERED", "1")
        self._pygame = pygame = sdl.start("A window", extra="viewer")
        if pygame.display.get_driver() == "dummy":
            raise DeviceError("the display cannot be used")
        if pygame.display.get_surface() is not None:
            raise DeviceError("this process already has a window")
        pygame.font.init()
        super().__init__()
        self._size, self._camera, self._show_help = size, camera, show_help
        self._renderer = Renderer(model, size[1], size[0], FAST)
        self._motion = Motion(model)
        self._keyboards: list[Any] = []
        self._clock_s = self._drawing_s = 0.0
        pygame.display.set_caption(title)
        self._screen = pygame.display.set_mode((size[0], BANNER + size[1]))

    def deliver_to(self, device: Any) -> None:
        """Deliver all keys to the keyboard `device`, and explain them."""
        device.connected = True
        self._keyboards.append(device)
        if self._show_help:
            self._draw_help([entry.split(": ", 1) for entry in device.help().split(", ") if entry])

    def pump(self) -> None:
        """Process keys and the request to close the window."""
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

    def show(self, data: mujoco.MjData, clock_s: float, *, success: bool = False) -> None:
        """Show a state of the robot, who acts, and the time in the episode (s)."""
        self.pump()
        if self.closed:
            return
        self._clock_s = clock_s
        self._motion.note(data)
        moving = None if success or not self.paced else self._motion.at(0.0)
        self._draw_robot(data if moving is None else moving)
        self._draw_banner("SUCCESS" if success else self.who)
        self._pygame.display.flip()

    def watch_step(self) -> Watcher | None:
        """Return a function that stores states within the next step."""
        self._motion.begin()
        return None if self.closed else self._motion.note

    def on_wait(self, fraction: float, deadline: float) -> None:
        """Process keys, and show the state at a fraction of the last step if there is time.

        Args:
            fraction: elapsed fraction of the control period, in [0, 1].
            deadline: time on `time.perf_counter` until which the window may draw (s).
        """
        self.pump()
        start = time.perf_counter()
        if self.closed or start + 2.0 * self._drawing_s > deadline:
            return
        data = self._motion.at(fraction)
        if data is not None:
            self._draw_robot(data)
            self._pygame.display.update((0, BANNER, *self._size))
            self._drawing_s = time.perf_counter() - start

    def begin(self) -> None:
        """Begin an episode."""
        self._motion.begin()

    def refresh(self) -> None:
        """Redraw the banner."""
        if not self.closed:
            self._draw_banner(self.who)
            self._pygame.display.flip()

    def close(self) -> None:
        """Close the window and disconnect its keyboards. It may be called more than once."""
        if self.closed:
            return
        self.closed = True
        for keyboard in self._keyboards:
            keyboard.connected = False
        self._renderer.close()
        sdl.close_window(self._pygame)

    def _draw_robot(self, data: mujoco.MjData) -> None:
        image = self._renderer.render(data, self._camera)
        self._screen.blit(self._pygame.image.frombuffer(image.tobytes(), self._size, "RGB"), (0, BANNER))

    def _draw_banner(self, word: str) -> None:
        width = self._size[0]
        self._screen.fill(palette.rgb(palette.NAMES[word.lower()]), (0, 0, width, BANNER))
        left, right = self._text_image(word, 52), self._text_image(f"{self._clock_s:.1f} s", 52)
        free = width - left.get_width() - right.get_width() - 60
        status = " · ".join(part for part in (self.speed and f"speed: {self.speed}", self.note) if part)
        notes = [self._text_image(status, size) for size in (32, 22)]
        note = next((note for note in notes if note.get_width() <= free), notes[-1])
        for text, x in (
            (note, (width - note.get_width()) // 2),
            (left, 14),
            (right, width - 14 - right.get_width()),
        ):
            self._screen.blit(text, (x, (BANNER - text.get_height()) // 2))

    def _draw_help(self, entries: list[list[str]]) -> None:
        """Extend the window below the image, and explain the keys there in columns."""
        width, top = self._size[0], BANNER + self._size[1]
        columns = max(1, width // HELP_COLUMN)
        rows = -(-len(entries) // columns)
        self._screen = self._pygame.display.set_mode((width, top + rows * HELP_LINE + 12))
        self._screen.fill(DARK)
        for number, (key, *meaning) in enumerate(entries):
            column, row = divmod(number, rows)
            position = 12 + column * (width // columns), top + 6 + row * HELP_LINE
            key_image = self._text_image(key, HELP_LINE)
            self._screen.blit(key_image, position)
            text = self._text_image("".join(meaning), HELP_LINE, GREY)
            self._screen.blit(text, (position[0] + key_image.get_width() + 10, position[1]))

    def _text_image(self, text: str, size: int, colour: tuple[int, int, int] = WHITE) -> Any:
        return self._pygame.font.Font(None, size).render(text, True, colour)


def _key_name(name: str) -> str:
    """Convert pygame's name of a key to a spelling that `canonical_key` knows: ``"right ctrl"`` becomes
    ``"right_control"``.
    """
    return name.replace(" ", "_").replace("ctrl", "control")
