"""Charts as SVG, drawn with Matplotlib. They use the page's text colour, and show values under the pointer."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.errors import MissingExtraError
from gym_hil.core.palette import FAILURE, HUMAN, POLICY, SERIES, SUCCESS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#010203"
"""Placeholder of the page's text colour, which no other part of a chart has."""
FONT = "DejaVu Sans"
"""A font of Matplotlib, with which it measures texts."""
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "gym-hil",
    "text.parse_math": False,
    "font.family": FONT,
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.alpha": 0.15,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "grid.color"), INK
    ),
}
LEAST_RANGE = 0.01
"""Smallest range of a vertical axis of `timeline`, below which differences are numerical noise, such as 1 cm."""
SVG = "http://www.w3.org/2000/svg"
_LINK = "{http://www.w3.org/1999/xlink}href"


@dataclass(frozen=True)
class Line:
    """A curve, with an optional band.

    Attributes:
        name: name in the legend and under the pointer.
        x: positions, in the unit of the chart's `x_label`.
        y: values, of the same length; NaN leaves a gap.
        low: lower bound of the band at each position.
        high: upper bound of the band at each position.
        markers: whether every value has a marker that shows it under the pointer.
        dashed: whether the curve is dashed, so that a curve below it remains visible.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    markers: bool = True
    dashed: bool = False


@dataclass
class _Chart:
    """A figure, and the texts that its parts show under the pointer."""

    width: float
    height: float
    label: str
    rows: int = 1
    columns: int = 1
    hints: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from matplotlib.figure import Figure

        self.figure: Figure = Figure((self.width, self.height), dpi=72, layout="constrained")
        made = self.figure.subplots(self.rows, self.columns, squeeze=False, sharex=self.columns == 1)
        self.axes: list[Axes] = list(made.flat)

    def hint(self, artist: Any, *texts: str) -> None:
        """Show a text under the pointer at `artist`, or one text at each of its markers."""
        name = f"hint-{len(self.hints)}"
        artist.set_gid(name)
        self.hints[name] = list(texts)

    def as_svg(self, ink: str = "currentColor") -> str:
        """Return an ``<svg>`` element, in which all text is escaped."""
        target = io.StringIO()
        self.figure.savefig(target, format="svg", metadata={"Date": None})
        root = ElementTree.fromstring(target.getvalue())
        for child in root.findall(f"{{{SVG}}}metadata"):
            root.remove(child)
        for name, texts in self.hints.items():
            part = next(element for element in root.iter() if element.get("id") == name)
            markers = list(part.iter(f"{{{SVG}}}use")) or [part]
            for element, text in zip(markers, texts, strict=False):
                ElementTree.SubElement(element, f"{{{SVG}}}title").text = text
        _drop_unused_ids(root)
        root.set("role", "img")
        root.set("aria-label", self.label)
        ElementTree.register_namespace("", SVG)
        ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
        svg = ElementTree.tostring(root, encoding="unicode")
        return svg.replace(INK, ink).replace(f"'{FONT}'", f"'{FONT}', sans-serif")


def require_matplotlib() -> None:
    """Require Matplotlib.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("matplotlib", "report", "A report") from error


def line_chart(
    lines: Sequence[Line],
    *,
    title: str,
    x_label: str,
    percent: bool = False,
    size: tuple[float, float] = (500, 300),
    standalone: bool = False,
) -> str:
    """Return a line chart.

    Args:
        lines: the curves, in the colours of `SERIES`.
        title: quantity on the vertical axis.
        x_label: quantity on the horizontal axis, with its unit.
        percent: whether the values are fractions in [0, 1] that are shown as percentages.
        size: width and height (pixels).
        standalone: whether the chart is a file of its own, black on white, instead of a part of a page.

    Returns:
        An ``<svg>`` element, with a legend if there are several lines.

    Raises:
        MissingExtraError: Matplotlib is not installed.
    """
    with _styled():
        fit = sum(7 * len(line.name) + 45 for line in lines) < size[0]
        legend_px = 0 if len(lines) < 2 else 22 if fit else 18 * len(lines) + 8
        chart = _Chart(size[0] / 96, (size[1] + legend_px) / 96, title)
        (axes,) = chart.axes
        for line, colour in zip(lines, _repeated(SERIES, len(lines)), strict=True):
            _draw_line(chart, axes, line, colour, percent)
        axes.set_title(title)
        axes.set_xlabel(x_label)
        axes.set_xlim(left=0)
        axes.set_ylim(0, 1.03 if percent else None)
        if percent:
            _write_percent(axes)
        if len(lines) > 1:
            chart.figure.legend(loc="outside lower left", ncols=len(lines) if fit else 1)
        if standalone:
            chart.figure.set_facecolor("white")
        return chart.as_svg("#1f2328" if standalone else "currentColor")


def length_chart(lengths: Sequence[int], human: Sequence[int], success: Sequence[bool]) -> str:
    """Return a chart with one bar per episode: its steps by policy and human, and a mark for its success.

    Args:
        lengths: number of steps of each episode.
        human: number of steps of each episode in which the human acted.
        success: whether each episode succeeded.

    Raises:
        MissingExtraError: Matplotlib is not installed.
    """
    with _styled():
        from matplotlib.ticker import MaxNLocator

        chart = _Chart(min(1000, max(420, 28 * len(lengths) + 70)) / 96, 210 / 96, "steps per episode")
        (axes,) = chart.axes
        mark = 0.05 * max([*lengths, 1])
        for number, (length, acted, good) in enumerate(zip(lengths, human, success, strict=True)):
            parts = (
                axes.bar(number, length - acted, 0.85, bottom=acted, color=POLICY),
                axes.bar(number, acted, 0.85, color=HUMAN),
                axes.bar(number, -mark, 0.85, bottom=-0.4 * mark, color=SUCCESS if good else FAILURE),
            )
            hint = f"episode {number}: {length} steps, {acted} by a human, "
            for part in parts:
                chart.hint(part.patches[0], hint + ("success" if good else "no success"))
        axes.set_xlabel("episode")
        axes.set_ylabel("steps")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        return chart.as_svg()


@dataclass(frozen=True)
class Histogram:
    """Values of one entry of an action.

    Attributes:
        name: name of the entry.
        values: its values (steps,).
        edges: edges of the bins, ascending.
        ticks: labels on the axis, by value.
    """

    name: str
    values: NDArray[np.float32]
    edges: NDArray[np.floating[Any]]
    ticks: Mapping[float, str]


def histograms(shown: Sequence[Histogram], by_human: NDArray[np.bool_]) -> str:
    """Return histograms of actions, one panel per entry, with the human's steps on top of the policy's.

    Args:
        shown: the entries, each with one value per step.
        by_human: whether the human acted in each step (steps,).

    Raises:
        MissingExtraError: Matplotlib is not installed.
    """
    with _styled():
        chart = _Chart(1000 / 96, 200 / 96, "histograms of the action's entries", columns=len(shown))
        for axes, entry in zip(chart.axes, shown, strict=True):
            policy = np.histogram(entry.values[~by_human], entry.edges)[0]
            human = np.histogram(entry.values[by_human], entry.edges)[0]
            left, width = entry.edges[:-1], 0.92 * np.diff(entry.edges)
            low = axes.bar(left, policy, width, align="edge", color=POLICY)
            high = axes.bar(left, human, width, align="edge", bottom=policy, color=HUMAN)
            for number, (first, second) in enumerate(zip(policy, human, strict=True)):
                span = f"{entry.edges[number]:.2f} to {entry.edges[number + 1]:.2f}"
                text = f"{entry.name} {span}: {first} by the policy, {second} by a human"
                chart.hint(low.patches[number], text)
                chart.hint(high.patches[number], text)
            axes.set_title(entry.name)
            axes.set_xticks(list(entry.ticks), list(entry.ticks.values()))
        return chart.as_svg()


def timeline(
    panels: Mapping[str, Mapping[str, NDArray[np.float32]]],
    by_human: NDArray[np.bool_],
    seconds_per_step: float,
) -> str:
    """Return curves over the time of an episode, with shading where the human acted.

    Args:
        panels: the curves by name, grouped by the quantity and unit of their vertical axis; each has one
            value per step.
        by_human: whether the human acted in each step (steps,).
        seconds_per_step: control period (s).

    Raises:
        MissingExtraError: Matplotlib is not installed.
    """
    with _styled():
        chart = _Chart(500 / 96, 370 / 96, "the episode over time", rows=len(panels))
        clock = np.arange(len(by_human)) * seconds_per_step
        edges = np.flatnonzero(np.diff(np.concatenate([[False], by_human, [False]]).astype(int)))
        for axes, (quantity, curves) in zip(chart.axes, panels.items(), strict=True):
            for start, stop in edges.reshape(-1, 2) * seconds_per_step:
                axes.axvspan(start, stop, color=HUMAN, alpha=0.2, linewidth=0)
            for (name, curve), colour in zip(curves.items(), _repeated(SERIES, len(curves)), strict=True):
                (drawn,) = axes.plot(clock, curve, color=colour, linewidth=1.5, label=name)
                chart.hint(drawn, f"{name}: {curve.min():.3g} to {curve.max():.3g} {quantity}")
            axes.set_ylabel(quantity)
            bottom, top = axes.get_ylim()
            missing = max(0.0, LEAST_RANGE - (top - bottom))
            axes.set_ylim(bottom - 0.5 * missing, top + 0.5 * missing)
            axes.set_xlim(0, max(len(by_human) * seconds_per_step, 1e-9))
            if len(curves) > 1:
                axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(curves), borderpad=0)
        chart.axes[-1].set_xlabel("time (s)")
        return chart.as_svg()


def _styled() -> Any:
    require_matplotlib()
    from matplotlib import rc_context

    return rc_context(STYLE)


def _repeated(colours: Sequence[str], count: int) -> list[str]:
    return [colours[number % len(colours)] for number in range(count)]


def _draw_line(chart: _Chart, axes: Axes, line: Line, colour: str, percent: bool) -> None:
    x, y = np.asarray(line.x, float), np.asarray(line.y, float)
    if line.low is not None and line.high is not None:
        axes.fill_between(x, line.low, line.high, color=colour, alpha=0.18, linewidth=0)
    style = (0, (4.0, 2.0)) if line.dashed else "solid"
    axes.plot(x, y, color=colour, linewidth=2, label=line.name, linestyle=style)
    if line.markers:
        known = np.isfinite(y)
        (marks,) = axes.plot(x[known], y[known], ".", color=colour, markersize=9, clip_on=False)
        shown = [f"{value:.0%}" if percent else f"{value:.4g}" for value in y[known]]
        chart.hint(
            marks, *(f"{line.name}, {at:.4g}: {text}" for at, text in zip(x[known], shown, strict=True))
        )


def _write_percent(axes: Axes) -> None:
    from matplotlib.ticker import PercentFormatter

    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _drop_unused_ids(root: ElementTree.Element) -> None:
    """Remove ids without references, because several charts on a page would repeat them."""
    used = {element.get(_LINK, "").removeprefix("#") for element in root.iter()}
    for element in root.iter():
        used |= {value[5:-1] for value in element.attrib.values() if value.startswith("url(#")}
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)
