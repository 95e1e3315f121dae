"""The learning curve: success with and without help, robot time and human time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from gym_hil.core.errors import InvalidDatasetError
from gym_hil.core.files import write_atomically

CURVE = "curve.csv"


@dataclass(frozen=True)
class Point:
    """One row of the learning curve."""

    steps: int
    """Number of control steps so far, including demonstrations."""
    episodes: int
    """Number of episodes so far, including demonstrations."""
    robot_minutes: float
    """Simulated time so far (min), including demonstrations."""
    wall_s: float
    """Wall-clock time of the run so far (s), including evaluations, without interruptions of the run."""
    success_alone: float
    """Success rate of the evaluation without a human, in [0, 1]."""
    success_with_help: float
    """Success rate of the training episodes since the previous row, in [0, 1]."""
    intervention_rate: float
    """Fraction of the training steps since the previous row in which the human acted."""
    human_s: float
    """Time in which the human acted so far (s), including demonstrations."""
    updates: int
    """Number of gradient steps of the critic so far."""
    updates_per_s: float
    """Measured gradient steps of the critic per second of learning."""
    watched_s: float
    """Time in which the policy acted and the human watched so far (s)."""
    takeovers: int
    """Number of takeovers by the human so far."""
    switches: int
    """Number of changes of control between policy and human so far."""


class Curve:
    """The learning curve of a run in a CSV file, which is rewritten completely for every new point.

    Args:
        path: the file. Its points are read if it exists.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.points: list[Point] = read_curve(path) if path.is_file() else []

    def add(self, point: Point) -> None:
        """Append a point."""
        self.points.append(point)
        self._write()

    def keep_until(self, steps: int) -> None:
        """Remove the points after `steps`."""
        self.points = [point for point in self.points if point.steps <= steps]
        self._write()

    def _write(self) -> None:
        write_atomically(self._path, as_csv(self.points).encode())


def as_csv(points: Iterable[Point]) -> str:
    """Return points as CSV with a header."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(field.name for field in fields(Point))
    writer.writerows(asdict(point).values() for point in points)
    return text.getvalue()


def read_curve(path: Path) -> list[Point]:
    """Return the points in a CSV file.

    Raises:
        InvalidDatasetError: the file cannot be read as a learning curve.
    """
    integer_names = {field.name for field in fields(Point) if field.type == "int"}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows: list[dict[str, Any]] = [
                {name: int(text) if name in integer_names else float(text) for name, text in row.items()}
                for row in csv.DictReader(file)
            ]
            return [Point(**row) for row in rows]
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise InvalidDatasetError(f"{path} cannot be read as a learning curve: {error}") from error
