"""Figures in sentences, from the records of the benchmark.

A figure is written as ``{QUANTITY: TASK HUMAN METHOD}``, such as ``{success: InsertPeg average iwr}``, and becomes the
range over seeds, such as "99 to 100 %". Add a seed for the figure of one run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.experiments.study_report import FinishedRun

FIGURE = re.compile(r"\{(\w+): (\w+) ([\w-]+) ([\w-]+)(?: (\d+))?\}")
PERCENT = ("success", "worst", "first", "mean")
"""Quantities in percent."""


def _evaluations(entry: FinishedRun) -> list[float]:
    return [100.0 * value for value in entry.curve["success_alone"]]


QUANTITIES: dict[str, Callable[[FinishedRun], float]] = {
    "success": lambda entry: 100.0 * entry.success,
    "first": lambda entry: _evaluations(entry)[0],
    "worst": lambda entry: min(_evaluations(entry)),
    "mean": lambda entry: 100.0 * entry.mean_success,
    "acting": lambda entry: entry.result["human_s"],
    "watching": lambda entry: entry.result["watched_s"],
    "takeovers": lambda entry: entry.result["takeovers"],
    "demonstration": lambda entry: entry.curve["human_s"][0] / entry.run.config.demos,
    "cycle": lambda entry: entry.result["cycle_s"] or float("nan"),
}
"""Quantities of a run by name: success of the last, first and worst evaluation and mean over the run (%), seconds in
which the human acted and watched, number of takeovers, seconds in which the human acted per demonstration, and seconds
per success of the policy."""


def insert(markdown: str, finished: Sequence[FinishedRun]) -> str:
    """Return a page with its figures.

    Args:
        markdown: the page.
        finished: the runs of the benchmark.

    Raises:
        InvalidArgumentError: the page names an unknown quantity, or runs that have no records.
    """

    def put(match: re.Match[str]) -> str:
        name, *place, seed = match.groups()
        if name not in QUANTITIES:
            raise InvalidArgumentError(f"there is no quantity {name!r}; there are {list(QUANTITIES)}")
        values = [
            QUANTITIES[name](entry)
            for entry in finished
            if [entry.run.axis_values[axis] for axis in ("task", "human", "method")] == place
            and seed in (None, entry.run.axis_values["seed"])
        ]
        if not values:
            raise InvalidArgumentError(f"{match.group()} has no records")
        return _range(values, name)

    return FIGURE.sub(put, markdown)


def _range(values: Sequence[float], name: str) -> str:
    style, unit = (
        ".1f" if name in ("demonstration", "cycle", *PERCENT) else ".0f",
        " %" if name in PERCENT else "",
    )
    low, high = (format(value, style).removesuffix(".0") for value in (min(values), max(values)))
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"
