"""Plots as SVG, drawn by hand: few, small, and without a library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

HUMAN, POLICY, SUCCESS, FAILURE = "#d65d0e", "#26629c", "#238636", "#b62324"
LINES = ("#26629c", "#8250df", "#0a7d77", "#777777")


def _svg(width: float, height: float, body: Sequence[str], label: str) -> str:
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-label="{label}"><title>{label}</title>{"".join(body)}</svg>'
    )


def _rect(x: float, y: float, width: float, height: float, colour: str, title: str = "") -> str:
    inside = f"<title>{title}</title>" if title else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.0):.1f}" height="{max(height, 0.0):.1f}" '
        f'fill="{colour}">{inside}</rect>'
    )


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def length_bars(lengths: Sequence[int], human: Sequence[int], success: Sequence[bool]) -> str:
    """Return a bar per episode: as tall as it is long, orange where a human acted, with its success below."""
    count, tall = len(lengths), 130.0
    wide = min(28.0, max(4.0, 900.0 / max(count, 1)))
    top = max([*lengths, 1])
    body = [_text(34, 16, f"{top}", "end"), _text(34, tall + 10, "0", "end")]
    for number, (length, by_human, good) in enumerate(zip(lengths, human, success, strict=True)):
        x = 40 + number * wide
        title = f"episode {number}: {length} steps, {by_human} by a human"
        full, part = tall * length / top, tall * by_human / top
        body.append(_rect(x, 10 + tall - full, wide - 2, full - part, POLICY, title))
        body.append(_rect(x, 10 + tall - part, wide - 2, part, HUMAN, title))
        body.append(_rect(x, 13 + tall, wide - 2, 5, SUCCESS if good else FAILURE, title))
    return _svg(50 + count * wide, tall + 24, body, "steps per episode")


def histogram(
    values: NDArray[np.float32],
    by_human: NDArray[np.bool_],
    span: tuple[float, float],
    bins: int,
    name: str,
    ticks: Mapping[float, str],
) -> str:
    """Return how often each of `values` occurs, the human's share in orange on top of the policy's. `ticks`
    are values and what is written below them.
    """
    edges = np.linspace(*span, bins + 1)
    policy = np.histogram(values[~by_human], edges)[0]
    human = np.histogram(values[by_human], edges)[0]
    wide, tall = 220.0, 90.0
    bar, top = wide / bins, max(int((policy + human).max()), 1)
    body = []
    for number, (one, other) in enumerate(zip(policy, human, strict=True)):
        title = f"{edges[number]:.2f} to {edges[number + 1]:.2f}: {one} by the policy, {other} by a human"
        low, high = tall * one / top, tall * other / top
        body.append(_rect(10 + number * bar, 18 + tall - low, bar - 1, low, POLICY, title))
        body.append(_rect(10 + number * bar, 18 + tall - low - high, bar - 1, high, HUMAN, title))
    body.append(_text(10 + wide / 2, 13, name))
    for value, tick in ticks.items():
        body.append(_text(10 + wide * (value - span[0]) / (span[1] - span[0]), tall + 32, tick))
    return _svg(wide + 20, tall + 38, body, f"histogram of {name}")


def timeline(
    curves: Mapping[str, NDArray[np.float32]], by_human: NDArray[np.bool_], seconds_per_step: float
) -> str:
    """Return `curves`, each scaled to its own range, over time, shaded where a human acted."""
    wide, tall, steps = 460.0, 110.0, len(by_human)
    step = wide / max(steps, 1)
    body = [
        _rect(10 + number * step, 4, step + 0.2, tall, f"{HUMAN}33")
        for number in np.flatnonzero(by_human).tolist()
    ]
    for (name, curve), colour in zip(curves.items(), LINES, strict=False):
        low, high = float(curve.min()), float(curve.max())
        level = (curve - low) / max(high - low, 1e-9)
        points = " ".join(
            f"{10 + number * step:.1f},{4 + (1 - value) * tall:.1f}" for number, value in enumerate(level)
        )
        body.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        row = list(curves).index(name)
        body.append(_rect(10 + row * 118, tall + 12, 10, 3, colour))
        body.append(_text(24 + row * 118, tall + 17, f"{name} {low:.2f}..{high:.2f}", "start"))
    body.append(_text(wide + 10, tall + 31, f"{steps * seconds_per_step:.1f} s", "end"))
    return _svg(wide + 20, tall + 36, body, "the episode over time")
