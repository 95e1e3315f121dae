"""The window's panel: what the cameras see, rates, their plot, and buttons, to be read from two metres."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from gym_hil.devices.controls import Control
from gym_hil.simulation.rendering import Image

WIDTH = 400
INSET = (182, 136)
"""Size of a camera's picture (width, height; pixels)."""
PAD = 12
GROUND, PLOT, LINES, BUTTON = (28, 31, 36), (20, 22, 26), (51, 58, 68), (58, 64, 74)
WHITE, GREY, GREEN, ORANGE, PRESSED = (
    (235, 235, 235),
    (165, 171, 181),
    (86, 211, 100),
    (255, 154, 85),
    (214, 93, 14),
)
_RATES_Y, _PLOT_Y, _BUTTONS_Y = 160, 238, 338
_PLOT_HEIGHT, _BUTTON_HEIGHT, _GAP = 88, 52, 8
_LABELS: dict[Control | None, str] = {
    Control.TOGGLE: "take over / let go",
    Control.SUCCESS: "success",
    Control.FAILURE: "failure",
    Control.RERECORD: "re-record",
    Control.RESET: "reset",
    Control.PAUSE: "pause",
    None: "slow motion",
}


@dataclass(frozen=True)
class Button:
    """One button."""

    control: Control | None
    """What it means to a device; None for slow motion, which is the window's own."""
    label: str
    box: tuple[int, int, int, int]
    """Left, top, width, height in the panel (pixels)."""

    def holds(self, x: int, y: int) -> bool:
        """Return whether a point of the panel lies on it."""
        left, top, width, height = self.box
        return left <= x < left + width and top <= y < top + height


class Panel:
    """Draws itself on a surface of its own. It has buttons once somebody listens to them."""

    def __init__(self, pygame: ModuleType) -> None:
        self._pygame = pygame
        self._huge, self._medium, self._small = (pygame.font.Font(None, size) for size in (60, 28, 22))
        self.buttons: tuple[Button, ...] = ()
        self._show()

    def add_buttons(self) -> None:
        """Have buttons from now on."""
        self.buttons = _buttons()
        self._show()

    @property
    def height(self) -> int:
        """Height (pixels)."""
        return int(self.surface.get_height())

    def button_at(self, x: int, y: int) -> Button | None:
        """Return the button at a point of the panel, if there is one."""
        return next((button for button in self.buttons if button.holds(x, y)), None)

    def draw(
        self, report: Mapping[str, Any], seen: Mapping[str, Image], lit: Collection[Control | None]
    ) -> None:
        """Draw a tally's `report`, what the cameras have `seen`, and the buttons, those in `lit` coloured."""
        self.surface.fill(GROUND)
        for number, (name, image) in enumerate(seen.items()):
            left = PAD + number * (INSET[0] + PAD)
            self.surface.blit(self._pygame.image.frombuffer(image.tobytes(), INSET, "RGB"), (left, PAD))
            text = self._small.render(name, True, WHITE, GROUND)
            self.surface.blit(text, (left, PAD + INSET[1] - text.get_height()))
        self._draw_rates(report)
        self._draw_plot(report["history"])
        for button in self.buttons:
            colour = PRESSED if button.control in lit else BUTTON
            self._pygame.draw.rect(self.surface, colour, button.box, border_radius=8)
            text = self._medium.render(button.label, True, WHITE)
            left, top, width, height = button.box
            at = (left + (width - text.get_width()) // 2, top + (height - text.get_height()) // 2)
            self.surface.blit(text, at)

    def _show(self) -> None:
        height = max((top + tall for _, top, _, tall in (b.box for b in self.buttons)), default=0)
        self.surface = self._pygame.Surface((WIDTH, max(height, _PLOT_Y + _PLOT_HEIGHT) + PAD))

    def _draw_rates(self, report: Mapping[str, Any]) -> None:
        shown = (
            (_percent(report["success"]), "success", GREEN, PAD),
            (_percent(report["human"]), "by a human", ORANGE, PAD + 140),
            (str(report["episodes"]), "episodes", WHITE, PAD + 290),
        )
        for number, label, colour, left in shown:
            self._write(number, self._huge, colour, (left, _RATES_Y))
            self._write(label, self._small, GREY, (left, _RATES_Y + 46))

    def _draw_plot(self, history: list[tuple[float, float]]) -> None:
        draw, edge = self._pygame.draw, 8
        width, height = WIDTH - 2 * PAD, _PLOT_HEIGHT
        draw.rect(self.surface, PLOT, (PAD, _PLOT_Y, width, height), border_radius=8)

        def place(across: float, share: float) -> tuple[float, float]:
            x = PAD + edge + across * (width - 2 * edge)
            return x, _PLOT_Y + height - edge - share * (height - 2 * edge)

        for share in (0.0, 0.5, 1.0):
            draw.line(self.surface, LINES, place(0.0, share), place(1.0, share))
        for rate, colour in enumerate((GREEN, ORANGE)):
            last = max(1, len(history) - 1)
            points = [place(episode / last, rates[rate]) for episode, rates in enumerate(history)]
            if len(points) > 1:
                draw.lines(self.surface, colour, False, points, 3)
            for point in points[-1:]:
                draw.circle(self.surface, colour, point, 4)

    def _write(self, text: str, font: Any, colour: tuple[int, int, int], at: tuple[int, int]) -> None:
        self.surface.blit(font.render(text, True, colour), at)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _buttons() -> tuple[Button, ...]:
    """Return the buttons: a wide one, below it two in a row."""
    full = WIDTH - 2 * PAD
    half = (full - _GAP) // 2
    made = []
    for number, (control, label) in enumerate(_LABELS.items()):
        row, column = divmod(number + 1, 2) if number else (0, 0)
        left = PAD + column * (half + _GAP)
        top = _BUTTONS_Y + row * (_BUTTON_HEIGHT + _GAP)
        made.append(Button(control, label, (left, top, half if number else full, _BUTTON_HEIGHT)))
    return tuple(made)
