"""The window's key map: which key does what, in columns."""

from __future__ import annotations

from types import ModuleType
from typing import Any

COLUMN = 210
"""Least width of a column (pixels)."""
LINE = 24
PAD = 12
GROUND, KEY, MEANING = (28, 31, 36), (235, 235, 235), (165, 171, 181)


def key_map(pygame: ModuleType, text: str, width: int) -> Any:
    """Return a surface, `width` pixels wide, that shows a device's line of help."""
    entries = [entry.split(": ", 1) for entry in text.split(", ") if entry]
    columns = max(1, width // COLUMN)
    rows = -(-len(entries) // columns)
    surface = pygame.Surface((width, rows * LINE + PAD))
    surface.fill(GROUND)
    font = pygame.font.Font(None, LINE)
    for number, (key, *meaning) in enumerate(entries):
        column, row = divmod(number, rows)
        left, top = PAD + column * (width // columns), PAD // 2 + row * LINE
        shown = font.render(key, True, KEY)
        surface.blit(shown, (left, top))
        surface.blit(font.render("".join(meaning), True, MEANING), (left + shown.get_width() + 10, top))
    return surface
