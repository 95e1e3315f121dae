"""Line charts as inline SVG: nothing to install, nothing to load, and they follow the page's text colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7f7f7f")
"""Told apart by most colour-blind people (Okabe and Ito 2008), darkest first."""
WIDTH, HEIGHT = 520, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 30, 42
"""Pixels around the plotted area."""
LEGEND_ROW = 18


@dataclass(frozen=True)
class Line:
    """A curve, and where given the band around it. All of the same length; NaN leaves a gap."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


def chart(
    lines: Sequence[Line],
    *,
    title: str,
    x_label: str,
    percent: bool = False,
    y_top: float | None = None,
    standalone: bool = False,
) -> str:
    """Return an ``<svg>``. `percent` shows shares in [0, 1] as percent; `y_top` is where the axis ends.

    `standalone` is for a file of its own: black on white, with a legend. In a page, put `legend` beside it.
    """
    tops = [value for line in lines for value in (*line.y, *(line.high or ())) if math.isfinite(value)]
    x_ticks = ticks(max((max(line.x) for line in lines if len(line.x)), default=1.0))
    y_ticks = ticks(y_top if y_top is not None else 1.0 if percent else max(tops, default=1.0))
    plot = _Plot(x_ticks[-1], y_ticks[-1])
    height = HEIGHT + (LEGEND_ROW * len(lines) if standalone else 0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}" font-family="sans-serif" font-size="12" fill="currentColor">',
        f'<text x="{LEFT}" y="18" font-weight="bold">{escape(title)}</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"{escape(x_label)}</text>",
    ]
    if standalone:
        parts.insert(1, f'<rect width="{WIDTH}" height="{height}" fill="white"/>')
    for tick in y_ticks:
        y = plot.y(tick)
        label = f"{tick:.0%}" if percent else f"{tick:g}"
        parts.append(
            f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="currentColor" opacity=".15"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
        )
    for tick in x_ticks:
        x, y = plot.x(tick), HEIGHT - BOTTOM + 16
        parts.append(f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{tick:g}</text>')
    for number, line in enumerate(lines):
        parts += _drawn(plot, line, COLOURS[number % len(COLOURS)])
        if standalone:
            y = HEIGHT + LEGEND_ROW // 2 + number * LEGEND_ROW
            parts.append(
                f'<path d="M{LEFT} {y - 4}h16" stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="3"/>'
                f'<text x="{LEFT + 22}" y="{y}">{escape(line.name)}</text>'
            )
    return "".join([*parts, "</svg>"])


def legend(names: Sequence[str]) -> str:
    """Return HTML that says which colour is whose, in the order of the lines."""
    items = (
        '<span style="white-space:nowrap">'
        f'<span style="color:{COLOURS[number % len(COLOURS)]}">&#9644;</span> {escape(name)}</span>'
        for number, name in enumerate(names)
    )
    return f"<p>{' &nbsp; '.join(items)}</p>"


def ticks(top: float) -> list[float]:
    """Return at most six round numbers from 0 to `top` or just above."""
    if not top > 0:
        return [0.0, 1.0]
    raw = top / 5
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * (1 - 1e-9))
    return [round(step * number, 12) for number in range(math.ceil(top / step - 1e-9) + 1)]


@dataclass(frozen=True)
class _Plot:
    x_top: float
    y_top: float

    def x(self, value: float) -> float:
        return LEFT + value / self.x_top * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - min(value, self.y_top) / self.y_top * (HEIGHT - TOP - BOTTOM)

    def path(self, x: Sequence[float], y: Sequence[float]) -> str:
        """Return an SVG path, interrupted where a value is not finite."""
        path, drawing = "", False
        for across, up in zip(x, y, strict=True):
            if math.isfinite(up):
                path += f"{'L' if drawing else 'M'}{self.x(across):.1f} {self.y(up):.1f}"
            drawing = math.isfinite(up)
        return path


def _drawn(plot: _Plot, line: Line, colour: str) -> list[str]:
    parts = []
    if line.low is not None and line.high is not None:
        around = [
            (x, low, high)
            for x, low, high in zip(line.x, line.low, line.high, strict=True)
            if math.isfinite(low) and math.isfinite(high)
        ]
        if around:
            x, low, high = map(list, zip(*around, strict=True))
            band = plot.path(x + x[::-1], high + low[::-1])
            parts.append(f'<path d="{band}Z" fill="{colour}" opacity=".18"/>')
    path = plot.path(line.x, line.y)
    name = f"<title>{escape(line.name)}</title>"
    parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2">{name}</path>')
    return parts
