"""Charts show their values, also as text under the pointer, and are well-formed."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from gym_hil.core.palette import HUMAN, POLICY, SERIES
from gym_hil.reports.charts import SVG, Histogram, Line, histograms, length_chart, line_chart, timeline


def titles(svg: str) -> list[str]:
    return [title.text for title in ElementTree.fromstring(svg).iter(f"{{{SVG}}}title")]


def texts(svg: str) -> list[str]:
    return [text.text for text in ElementTree.fromstring(svg).iter(f"{{{SVG}}}text")]


def points(svg: str, colour: str) -> list[tuple[float, float]]:
    """Return the corners of the one open path of a colour."""
    paths = [
        path.get("d")
        for path in ElementTree.fromstring(svg).iter(f"{{{SVG}}}path")
        if f"stroke: {colour}" in path.get("style", "")
        and path.get("d").count("L") >= 2
        and "z" not in path.get("d")
    ]
    found = re.findall(r"[ML] (\S+) (\S+)", paths[0])
    return [(float(x), float(y)) for x, y in found]


def test_a_line_is_drawn_through_its_values():
    svg = line_chart([Line("a", [0, 5, 10], [0.0, 0.5, 1.0])], title="t", x_label="x", percent=True)
    (x0, y0), (x1, y1), (x2, y2) = points(svg, SERIES[0])
    assert x1 - x0 == pytest.approx(x2 - x1) and y0 - y1 == pytest.approx(y1 - y2) and y0 > y2
    assert titles(svg) == ["a, 0: 0%", "a, 5: 50%", "a, 10: 100%"]


def test_a_missing_value_is_a_gap():
    svg = line_chart(
        [Line("a", [0, 1, 2, 3, 4], [1, 2, math.nan, 4, 5], [0, 1, 2, 3, 4], [2, 3, 4, 5, 6])],
        title="t",
        x_label="x",
    )
    assert "nan" not in svg.lower()
    assert titles(svg) == ["a, 0: 1", "a, 1: 2", "a, 3: 4", "a, 4: 5"]


def test_text_is_escaped_and_a_chart_without_lines_is_empty():
    svg = line_chart(
        [Line("<b>$x$</b>", [0, 1], [0, 1]), Line("b & c", [0, 1], [1, 0])], title='"<t>"', x_label="&"
    )
    root = ElementTree.fromstring(svg)
    assert root.get("aria-label") == '"<t>"' and {"<b>$x$</b>", "b & c", '"<t>"', "&"} <= set(texts(svg))
    assert not list(root.iter("b"))
    ElementTree.fromstring(line_chart([], title="t", x_label="x"))


def test_a_chart_in_a_page_takes_the_pages_colour_and_one_of_its_own_is_dark_on_white():
    lines = [Line("a", [0, 1], [0, 1])]
    inside = line_chart(lines, title="t", x_label="x")
    alone = line_chart(lines, title="t", x_label="x", standalone=True)
    assert "currentColor" in inside and "currentColor" not in alone
    assert "fill: #ffffff" in alone and "fill: #ffffff" not in inside


def test_charts_can_share_a_page():
    svgs = [line_chart([Line("a", [0, 1], [0, number])], title="t", x_label="x") for number in (1, 2)]
    ids = [dict(re.findall(r'<(?:\w+) id="([^"]+)"([^>]*)', svg)) for svg in svgs]
    shared = ids[0].keys() & ids[1].keys()
    assert all(ids[0][name] == ids[1][name] for name in shared), "one id has two meanings"
    assert svgs[0] == line_chart([Line("a", [0, 1], [0, 1])], title="t", x_label="x"), "drawing is repeatable"


def test_bars_show_the_length_of_an_episode_and_who_acted():
    svg = length_chart([10, 20], [4, 0], [True, False])
    said = set(titles(svg))
    assert said == {
        "episode 0: 10 steps, 4 by a human, success",
        "episode 1: 20 steps, 0 by a human, no success",
    }
    assert POLICY in svg and HUMAN in svg


def test_a_histogram_counts_every_value_once():
    values, by_human = np.array([-1.0, -1.0, 0.9, 1.0], np.float32), np.array([True, False, False, False])
    svg = histograms([Histogram("x", values, np.linspace(-1, 1, 3), {0.0: "0"})], by_human)
    assert set(titles(svg)) == {
        "x -1.00 to 0.00: 1 by the policy, 1 by a human",
        "x 0.00 to 1.00: 2 by the policy, 0 by a human",
    }


def test_a_timeline_is_shaded_where_the_human_acted():
    curve = np.array([0.0, 1.0, 2.0, 3.0], np.float32)
    svg = timeline({"height (m)": {"z": curve}}, np.array([False, True, True, False]), 0.1)
    shades = [
        [float(x) for x, _ in re.findall(r"[ML] (\S+) (\S+)", path.get("d"))]
        for path in ElementTree.fromstring(svg).iter(f"{{{SVG}}}path")
        if f"fill: {HUMAN}" in path.get("style", "")
    ]
    (shade,) = shades
    drawn = [x for x, _ in points(svg, SERIES[0])]
    assert min(shade) == pytest.approx(drawn[1], abs=0.1) and max(shade) == pytest.approx(drawn[3], abs=0.1)
    assert titles(svg) == ["z: 0 to 3 height (m)"]
