"""The leaderboard: verified results in a JSON file of the repository."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.files import write_atomically
from gym_hil.core.schema import with_present_keys
from gym_hil.experiments.benchmark import PROTOCOL, VERIFIED, protocol_differences
from gym_hil.experiments.statistics import iqm_and_interval
from gym_hil.experiments.study_report import FinishedRun

MIN_SEEDS = 3
"""Smallest number of seeds of a row."""
Row = dict[str, Any]


def digest(finished: Sequence[FinishedRun]) -> str:
    """Return the SHA-256 digest of records."""
    texts = sorted(json.dumps(entry.record, sort_keys=True) for entry in finished)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def write_verified(folder: Path, finished: Sequence[FinishedRun], repeated: Sequence[str]) -> None:
    """Record that some runs of the results in `folder` were repeated exactly."""
    facts = {"records_sha256": digest(finished), "repeated": list(repeated)}
    write_atomically(folder / VERIFIED, json.dumps(facts, indent=2) + "\n")


def make_rows(folder: Path, finished: Sequence[FinishedRun], submitter: str) -> list[Row]:
    """Return one leaderboard row for each setting of the results.

    Args:
        folder: folder of the results, verified by `gym-hil benchmark verify`.
        finished: the runs.
        submitter: name of the submitter.

    Raises:
        InvalidArgumentError: the results were changed or not verified, differ from the protocol, use seeds
            for development, or have too few seeds.
    """
    try:
        verified = json.loads((folder / VERIFIED).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(
            f"{folder} was not verified: {error}; run `gym-hil benchmark verify {folder}` first"
        ) from error
    if verified.get("records_sha256") != digest(finished):
        raise InvalidArgumentError(
            f"{folder} has changed since it was verified; run `gym-hil benchmark verify {folder}` again"
        )
    groups: dict[tuple[str, ...], list[FinishedRun]] = {}
    for entry in finished:
        if wrong := protocol_differences(entry):
            raise InvalidArgumentError(f"{entry.run.name} deviates from the protocol: {'; '.join(wrong)}")
        if entry.record["purpose"] != "report":
            raise InvalidArgumentError(
                f"{entry.run.name} has a seed for development; the leaderboard accepts only seeds for reports"
            )
        groups.setdefault(entry.run.group, []).append(entry)
    few = [" ".join(group) for group, runs in groups.items() if len(runs) < MIN_SEEDS]
    if few:
        raise InvalidArgumentError(f"fewer than {MIN_SEEDS} seeds: {', '.join(few)}")
    return [_row(runs, submitter, verified["repeated"]) for runs in groups.values()]


def add_rows(path: Path, rows: Sequence[Row]) -> None:
    """Add rows to the leaderboard at `path`. They replace rows of the same submitter and setting."""
    kept = [row for row in read_rows(path) if all(_key(row) != _key(new) for new in rows)]
    write_atomically(path, json.dumps([*kept, *rows], indent=1) + "\n")


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a leaderboard; none if the file does not exist."""
    if not path.is_file():
        return []
    try:
        rows: list[Row] = [with_present_keys(row) for row in json.loads(path.read_text(encoding="utf-8"))]
        for row in rows:
            _key(row)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidArgumentError(f"{path} is not a leaderboard: {error!r}") from error
    return rows


def as_table(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows as text, best first for each task and human."""
    header = ["task", "human", "method", "submitter", "seeds", "success", "mean success over the run"]
    header += ["acting seconds", "watching seconds", "takeovers", "version", "processor"]
    ordered = sorted(
        rows, key=lambda row: (row["task"], row["human"], -row["success"][0], -row["mean_success"][0])
    )
    lines = []
    for row in ordered:
        shares = [
            f"{mean:.1%} ({low:.1%} to {high:.1%})"
            for mean, low, high in (row["success"], row["mean_success"])
        ]
        spent = [f"{row[name][0]:.0f}" for name in ("human_s", "watched_s", "takeovers")]
        setting = [row[name] for name in ("task", "human", "method", "submitter")]
        lines.append([*setting, str(len(row["seeds"])), *shares, *spent, row["gym_hil"], row["processor"]])
    return header, lines


def _row(found: Sequence[FinishedRun], submitter: str, repeated: Sequence[str]) -> Row:
    first = found[0]
    measured = {
        "success": [entry.success for entry in found],
        "mean_success": [entry.mean_success for entry in found],
        **{
            name: [float(entry.curve[name][-1]) for entry in found]
            for name in ("human_s", "watched_s", "takeovers")
        },
    }
    figures = {
        name: [round(float(end), 5) for end in iqm_and_interval(np.array(values))]
        for name, values in measured.items()
    }
    return {
        "submitter": submitter,
        **{axis: first.run.axis_values[axis] for axis in ("task", "human", "method")},
        "seeds": [entry.run.config.seed for entry in found],
        **figures,
        "protocol": PROTOCOL,
        "gym_hil": first.record["config"]["gym_hil"],
        "commit": first.record["commit"],
        "processor": first.record["processor"],
        "repeated": [entry.run.name for entry in found if entry.run.name in repeated],
        "records_sha256": digest(found),
    }


def _key(row: Row) -> tuple[str, ...]:
    return row["submitter"], row["task"], row["human"], row["method"]
