"""The learning curve: how good the policy is alone and with help, and what that cost."""

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
    """Control steps so far, demonstrations included."""
    episodes: int
    """Episodes so far, demonstrations included."""
    robot_minutes: float
    wall_s: float
    """Seconds since the run began, evaluations included; what a stopped run was not running is left out."""
    success_alone: float
    """Share of evaluation episodes that succeed without a human."""
    success_with_help: float
    """Share of training episodes since the last row that succeed."""
    intervention_rate: float
    """Share of training steps since the last row in which the human acted."""
    human_s: float
    """Seconds in which the human acted so far, demonstrations included."""
    updates: int
    """Gradient steps of the critic so far."""
    updates_per_s: float
    """Gradient steps of the critic per second of learning, measured."""
    watched_s: float
    """Seconds in which the policy acted and the human watched so far, ready to take over."""
    takeovers: int
    """How often the human took over from the policy so far."""
    switches: int
    """How often control changed hands so far."""


class Curve:
    """Points of a run, in a file that is rewritten whole at every new one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.points: list[Point] = read_curve(path) if path.is_file() else []

    def add(self, point: Point) -> None:
        """Append a point."""
        self.points.append(point)
        self._write()

    def keep_until(self, steps: int) -> None:
        """Forget points that lie beyond `steps`."""
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
    """Return the points of a file.

    Raises:
        InvalidDatasetError: it cannot be read.
    """
    whole = {field.name for field in fields(Point) if field.type == "int"}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows: list[dict[str, Any]] = [
                {name: int(text) if name in whole else float(text) for name, text in row.items()}
                for row in csv.DictReader(file)
            ]
            return [Point(**row) for row in rows]
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise InvalidDatasetError(f"{path} cannot be read as a learning curve: {error}") from error
