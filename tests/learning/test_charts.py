"""Charts show the values they are given, at the right places, and are well-formed."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from gym_hil.learning.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Line, chart, ticks

SVG = "{http://www.w3.org/2000/svg}"


def paths(svg: str) -> list[str]:
    drawn = ElementTree.fromstring(svg).iter(f"{SVG}path")
    return [path.get("d") for path in drawn if path.get("stroke") != "currentColor"]


def test_a_line_goes_through_its_values():
    (path,) = paths(chart([Line("a", [0, 5, 10], [0.0, 0.5, 1.0])], title="t", x_label="x", percent=True))
    middle = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    assert path == f"M{LEFT}.0 {HEIGHT - BOTTOM}.0L{middle[0]:.1f} {middle[1]:.1f}L{WIDTH - RIGHT}.0 {TOP}.0"


def test_a_band_is_closed_and_a_missing_value_is_a_gap():
    line = Line("a", [0, 1, 2, 3], [1, 2, math.nan, 4], [0, 1, math.nan, 3], [2, 3, math.nan, 5])
    band, path = paths(chart([line], title="t", x_label="x"))
    assert band.endswith("Z") and band.count("L") == 5
    assert path.count("M") == 2 and "nan" not in band + path


def test_names_are_escaped_and_no_line_is_no_error():
    svg = chart([Line("<&>", [0, 1], [0, 1])], title='"<t>"', x_label="&")
    assert ElementTree.fromstring(svg).get("aria-label") == '"<t>"'
    ElementTree.fromstring(chart([], title="t", x_label="x"))


@pytest.mark.parametrize(
    "top, expected",
    [(1.0, [0, 0.2, 0.4, 0.6, 0.8, 1]), (10, [0, 2, 4, 6, 8, 10]), (7, [0, 2, 4, 6, 8]), (0, [0, 1])],
)
def test_ticks_are_round(top, expected):
    assert ticks(top) == pytest.approx(expected)


def test_a_file_of_its_own_has_room_for_long_names():
    names = [f"{number} demonstrations of everything, and no human at all" for number in range(3)]
    root = ElementTree.fromstring(
        chart([Line(name, [0, 1], [0, 1]) for name in names], title="t", x_label="x", standalone=True)
    )
    texts = {text.text: text for text in root.iter(f"{SVG}text")}
    wide, high = map(float, root.attrib["viewBox"].split()[2:])
    places = [(float(texts[name].attrib["x"]), float(texts[name].attrib["y"])) for name in names]
    assert all(x + 7.5 * len(name) < wide and y < high for name, (x, y) in zip(names, places, strict=True))
    assert len({y for _, y in places}) == 3
