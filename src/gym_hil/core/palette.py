"""The colours of who acts and of how an episode ended, in images, charts, windows and pages."""

from __future__ import annotations

POLICY, HUMAN, PAUSED = "#265e96", "#d65d0e", "#6e5494"
SUCCESS, FAILURE = "#238636", "#b62324"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7f7f7f")
"""Colours of the lines in charts, which can be distinguished with most kinds of colour blindness (Okabe and
Ito 2008)."""
NAMES = {"policy": POLICY, "human": HUMAN, "paused": PAUSED, "success": SUCCESS, "failure": FAILURE}


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue, each from 0 to 255, of a colour ``"#rrggbb"``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def as_css() -> str:
    """Return a CSS rule that defines the palette as the variables ``--policy``, ``--human`` and so on."""
    return f":root {{ {' '.join(f'--{name}: {colour};' for name, colour in NAMES.items())} }}"
