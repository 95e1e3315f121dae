"""Put the benchmark's tables into the pages of the documentation, from the records in the repository.

A hook of MkDocs. A line ``<!-- benchmark: NAME -->`` of a page becomes the table of that name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.experiments.benchmark import rank_agreement, read_results, study_of
from gym_hil.experiments.leaderboard import as_table, read_rows
from gym_hil.experiments.study_report import Finished, as_markdown, table

FOLDER = Path(__file__).parents[1] / "benchmarks"
RECORDS, LEADERBOARD = FOLDER / "results", FOLDER / "leaderboard.json"
SPEED = FOLDER / "learning_speed.json"
MARKER = re.compile(r"^<!-- benchmark: (\w+) -->$", re.MULTILINE)


def settings(finished: Sequence[Finished]) -> str:
    """A section per task, with a row per human and method."""
    parts = []
    for task in dict.fromkeys(one.run.place["task"] for one in finished):
        of_task = [one for one in finished if one.run.place["task"] == task]
        header, rows = table(study_of(of_task), of_task)
        rows = [[*row[1:3], f"{row[3].count(',') + 1}", *row[3:]] for row in rows]
        parts.append(f"### {task}\n\n{as_markdown([*header[1:3], 'seeds', *header[3:]], rows)}")
    return "\n\n".join(parts)


def agreement(finished: Sequence[Finished]) -> str:
    """A row per task and pair of humans."""
    rows = [
        [task, first, second, str(count), "all equal" if tau != tau else f"{tau:.2f}"]
        for task, first, second, count, tau in rank_agreement(finished)
    ]
    if not rows:
        return "There are no results with two humans and two methods yet."
    return as_markdown(["task", "human", "other human", "methods", "Kendall's tau"], rows)


def runs(finished: Sequence[Finished]) -> str:
    """How many runs there are, what they took, and what made them."""
    hours = sum(one.result["wall_s"] for one in finished) / 3600.0
    minutes = sum(one.curve["robot_minutes"][-1] for one in finished)
    facts: dict[str, list[Any]] = {
        "runs": [len(finished)],
        "seeds": sorted({one.run.config.seed for one in finished}),
        "robot minutes": [f"{minutes:.0f}"],
        "hours of computation": [f"{hours:.1f}"],
        "processor": sorted({one.record["processor"] for one in finished}),
        "commit": sorted({f"`{one.record['commit']}`" for one in finished}),
        "PyTorch": sorted({one.record["versions"]["torch"] for one in finished}),
        "MuJoCo": sorted({one.record["versions"]["mujoco"] for one in finished}),
    }
    rows = [[name, ", ".join(str(value) for value in values)] for name, values in facts.items()]
    return as_markdown(["what", "value"], rows)


def leaderboard() -> str:
    """The rows of the leaderboard."""
    rows = read_rows(LEADERBOARD)
    return as_markdown(*as_table(rows)) if rows else "Nothing has been submitted yet."


def speed() -> str:
    """The updates per second of processor time of two versions, from the result of ``benchmarks/learning_speed.py``."""
    found = json.loads(SPEED.read_text(encoding="utf-8"))
    rows = [
        [
            name,
            *(f"{row[key]:.0f}" for key in found["commits"]),
            f"{row['ratio']:.2f}",
            f"{row['lowest']:.2f} to {row['highest']:.2f}",
        ]
        for name, row in found["updates"].items()
    ]
    commits = [f"`{commit[:10]}`" for commit in found["commits"].values()]
    return as_markdown(["learner", *commits, "ratio, median", "range"], rows)


def render(markdown: str) -> str:
    """Return a page with its tables.

    Raises:
        InvalidArgumentError: it asks for a table that does not exist, or a record cannot be read.
    """
    alone = {"leaderboard": leaderboard, "speed": speed}

    def put(match: re.Match[str]) -> str:
        name = match[1]
        if name in alone:
            return alone[name]()
        tables = {"settings": settings, "agreement": agreement, "runs": runs}
        if name not in tables:
            raise InvalidArgumentError(f"there is no table {name!r}; there are {[*tables, *alone]}")
        if not any(RECORDS.glob("*.json")):
            return "There are no records of this version of the protocol yet."
        return tables[name](read_results(RECORDS))

    return MARKER.sub(put, markdown)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Render a page; called by MkDocs."""
    return render(markdown)
