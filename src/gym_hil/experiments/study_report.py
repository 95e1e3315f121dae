"""The results of a study: tables of runs and settings, and learning curves with confidence bands."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.errors import MissingExtraError
from gym_hil.core.files import write_atomically
from gym_hil.experiments.statistics import iqm_and_interval, minutes_to_threshold
from gym_hil.experiments.study import Study, StudyRun, slug
from gym_hil.reports.charts import Line, line_chart
from gym_hil.reports.page import require_libraries, write_page

REACHED = 0.95
"""Success rate above which a task counts as learned; see `gym_hil.experiments.statistics.first_reached`."""
MEASURES = (
    ("success_alone", "success without a human", True),
    ("success_with_help", "success while learning, help included", True),
    ("intervention_rate", "share of steps in which the human acted", True),
    ("human_s", "seconds in which the human acted, demonstrations included", False),
    ("watched_s", "seconds in which the human watched", False),
)
"""Column of the learning curve, title of its chart, and whether it is a fraction in [0, 1]."""
HUMAN = ("human_s", "watched_s", "takeovers", "switches")
"""Columns of the learning curve with the human cost."""
log = logging.getLogger(__name__)
X_LABELS = {"robot_minutes": "robot minutes", "wall_s": "wall-clock (s)"}
Array = NDArray[np.float64]


class FinishedRun:
    """A finished run.

    Args:
        run: the run of the study.
        record: its record, see `gym_hil.experiments.run_record`.

    Attributes:
        result: its last evaluation and cost.
        curve: columns of its learning curve.
    """

    def __init__(self, run: StudyRun, record: Mapping[str, Any]) -> None:
        self.run, self.record = run, record
        self.result: dict[str, Any] = record["result"]
        self.curve: dict[str, Array] = {
            name: np.array(column, np.float64) for name, column in record["curve"].items()
        }

    @property
    def success(self) -> float:
        """Success rate of the last evaluation, in [0, 1]."""
        return float(self.result["successes"]) / float(self.result["episodes"])

    @property
    def minutes_until_learned(self) -> float:
        """Robot minutes until the task was learned; infinite if it was not, or if there are too few
        evaluation episodes.
        """
        config, points = self.run.config, len(self.curve["success_alone"])
        episodes = [config.eval_episodes] * (points - 1) + [self.result["episodes"]]
        return minutes_to_threshold(
            self.curve["success_alone"], self.curve["robot_minutes"], episodes, REACHED
        )

    @property
    def mean_success(self) -> float:
        """Mean success rate without a human over robot time, in [0, 1]. The curve begins at 0 with success 0, except
        for runs with a single evaluation, in which the policy acts only at the end.
        """
        minutes, success = (np.append(0.0, self.curve[name]) for name in ("robot_minutes", "success_alone"))
        if len(minutes) == 2:
            return float(success[1])
        areas = np.diff(minutes) * (success[1:] + success[:-1]) / 2.0
        return float(areas.sum() / minutes[-1])

    @property
    def return_on_effort(self) -> float:
        """Success without a human per minute in which the human acted (percentage points per minute); NaN
        without human actions.
        """
        minutes = self.curve["human_s"][-1] / 60.0
        return 100.0 * self.success / minutes if minutes else nan


def write_study_report(study: Study, finished: Sequence[FinishedRun], out: Path) -> None:
    """Write ``results.csv`` (runs), ``table.md`` (settings), ``report.html`` (settings and curves) and
    ``curves*.svg``. If the packages for reports are not installed, a warning is logged instead of writing the
    page and the images.
    """
    header, rows = table(study, finished)
    count = f"{len(finished)} of {len(study.runs)} runs have ended, with seeds for {study.purpose}."
    write_atomically(out / "table.md", f"# {study.title}\n\n{count}\n\n{as_markdown(header, rows)}\n")
    write_atomically(out / "results.csv", _runs_as_csv(study, finished))
    try:
        require_libraries()
    except MissingExtraError as error:
        log.warning("There is no report: %s", error)
        return
    facets = _facets(study, finished)
    note = "Bands are 95 % bootstrap intervals of the interquartile mean over seeds."
    charts = {facet or "Curves": _charts(shown) for facet, shown in facets.items()}
    facts = {"title": study.title, "count": count, "note": note, "header": header, "rows": rows}
    write_page(out / "report.html", "study.html", facets=charts, **facts)
    for facet, shown in facets.items():
        title = f"{facet}: {MEASURES[0][1]}" if facet else MEASURES[0][1]
        svg = _chart(shown, MEASURES[0][0], title, "robot_minutes", standalone=True)
        write_atomically(out / (f"curves-{slug(facet)}.svg" if facet else "curves.svg"), svg)


def _of_group(study: Study, finished: Sequence[FinishedRun]) -> dict[tuple[str, ...], list[FinishedRun]]:
    return {
        group: entries
        for group in study.groups
        if (entries := [entry for entry in finished if entry.run.group == group])
    }


def table(study: Study, finished: Sequence[FinishedRun]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the table of settings, with one row for all seeds of a setting.

    Values are interquartile means over seeds, with 95 % bootstrap intervals in brackets.
    """
    header = [
        *study.axes,
        "success without a human, by seed",
        "success, interquartile mean",
        "mean success over the run",
        f"robot minutes to {REACHED:.0%}, by seed",
        "robot minutes",
        "seconds per success",
        "acting seconds",
        "watching seconds",
        "takeovers",
        "percentage points per minute of acting",
        "wall-clock",
    ]
    rows = []
    for group, entries in _of_group(study, finished).items():
        minutes_until = [entry.minutes_until_learned for entry in entries]
        cycles = [entry.result["cycle_s"] for entry in entries if entry.result["cycle_s"] is not None]
        spent = [
            [entry.curve[name][-1] for entry in entries] for name in ("human_s", "watched_s", "takeovers")
        ]
        rows.append(
            [
                *group,
                ", ".join(f"{entry.success:.1%}" for entry in entries),
                _with_interval([entry.success for entry in entries], ".1%", most=1.0),
                _with_interval([entry.mean_success for entry in entries], ".1%", most=1.0),
                ", ".join(f"{minutes:.1f}" if minutes < inf else "never" for minutes in minutes_until)
                if min(minutes_until) < inf
                else "never",
                _range([entry.curve["robot_minutes"][-1] for entry in entries], ".1f"),
                _with_interval(cycles, ".1f") if cycles else "-",
                *(_with_interval(values, ".0f") for values in spent),
                _with_interval([entry.return_on_effort for entry in entries], ".0f"),
                _range([entry.result["wall_s"] for entry in entries], ".0f") + " s",
            ]
        )
    return header, rows


def as_markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _with_interval(values: Sequence[float], style: str, most: float = inf) -> str:
    """Return the interquartile mean over seeds and its interval, limited to possible values."""
    mean, low, high = iqm_and_interval(np.array(values, np.float64))
    if np.isnan(mean):
        return "-"
    middle = f"{float(mean):{style}}"
    low_text, high_text = f"{max(0.0, float(low)):{style}}", f"{min(most, float(high)):{style}}"
    certain = np.isnan(low) or middle == low_text == high_text
    return middle if certain else f"{middle} ({low_text} to {high_text})"


def _range(values: Sequence[float], style: str) -> str:
    low, high = format(min(values), style), format(max(values), style)
    return low if low == high else f"{low} to {high}"


def _runs_as_csv(study: Study, finished: Sequence[FinishedRun]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    measured = ("successes", "episodes", "low", "high", "cycle_s", "steps", "wall_s")
    writer.writerow(
        ["run", *study.runs[0].axis_values, *measured, *HUMAN, "minutes_until_learned", "mean_success"]
    )
    for entry in finished:
        facts = [entry.result.get(name) for name in measured]
        spent = [
            *(entry.record["curve"][name][-1] for name in HUMAN),
            entry.minutes_until_learned,
            entry.mean_success,
        ]
        writer.writerow([entry.run.name, *entry.run.axis_values.values(), *facts, *spent])
    return text.getvalue()


def _curve(name: str, found: Sequence[FinishedRun], column: str, x: str, share: bool, end: float) -> Line:
    """Return mean and band for the range that all seeds cover; a curve with a single point is extended."""
    start = max(entry.curve[x][0] for entry in found)
    stop = min(entry.curve[x][-1] for entry in found)
    if stop - start < 0.02 * end:
        level, stop = True, end
    else:
        level = False
    across = np.linspace(start, stop, 101)
    values = np.stack(
        [
            np.full(101, entry.curve[column][-1])
            if level
            else np.interp(across, entry.curve[x], entry.curve[column])
            for entry in found
        ]
    )
    mean, low, high = iqm_and_interval(values)
    if share:
        low, high = np.maximum(low, 0.0), np.minimum(high, 1.0)
    x_values, values, lower, upper = (column.tolist() for column in (across, mean, low, high))
    return Line(name, x_values, values, lower, upper, markers=False)


def _facets(study: Study, finished: Sequence[FinishedRun]) -> dict[str, dict[str, list[FinishedRun]]]:
    """Return the settings in each set of charts by name, with one set per value of the first axis with
    several values.
    """
    facets: dict[str, dict[str, list[FinishedRun]]] = {}
    for group, entries in _of_group(study, finished).items():
        facet, rest = (group[0], group[1:]) if len(group) > 1 else ("", group)
        facets.setdefault(facet, {})[", ".join(rest) or study.title] = entries
    return facets


def _charts(shown: dict[str, list[FinishedRun]]) -> list[str]:
    charts = [_chart(shown, column, title, "robot_minutes") for column, title, _ in MEASURES]
    return [*charts, _chart(shown, *MEASURES[0][:2], "wall_s")]


def _chart(
    shown: dict[str, list[FinishedRun]], column: str, title: str, x: str, *, standalone: bool = False
) -> str:
    share = next(share for name, _, share in MEASURES if name == column)
    end = max(entry.curve[x][-1] for entries in shown.values() for entry in entries)
    lines = [_curve(name, entries, column, x, share, end) for name, entries in shown.items()]
    return line_chart(lines, title=title, x_label=X_LABELS[x], percent=share, standalone=standalone)
