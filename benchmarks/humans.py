"""Let simulated humans drive alone, and print how often and how fast they succeed.

Run: python benchmarks/humans.py [--episodes 20] [--seed 20000] [--tasks ...] [--operators ...] [--presets ...]
[--json result.json]. With --json every row is written as soon as it is measured, and a further run continues from
the file: it measures only the episodes that are missing. With --episodes 0 it prints the table of the file.
"""

from __future__ import annotations

import json as json_module
import statistics
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import tyro

from gym_hil import __version__
from gym_hil.core import schema
from gym_hil.core.files import write_atomically
from gym_hil.intervention.limits import PRESETS, SCRIPT
from gym_hil.intervention.named import SIMULATED, make_demonstrator
from gym_hil.robots import ROBOTS
from gym_hil.stacks.build import make_env
from gym_hil.tasks import TASKS
from gym_hil.tasks.needs import fits

PATIENCE = 6
"""Largest duration of an episode, in multiples of the task's time limit, as for demonstrations in `gym-hil train`."""
GOALS, LEAST = {"experienced": 0.9}, 0.6
"""Least share of successes of the strongest preset, and of all others."""
FRESH = 20000
"""First seed of rows that were measured with the current model of the hands of simulated humans. The table marks rows
with smaller seeds, which were measured with an earlier model."""
HUMANS = tuple(name for name in PRESETS if not name.startswith(SCRIPT))


@dataclass
class Row:
    """Results of one simulated human on one task, in episodes whose seeds count up from `first_seed`."""

    task: str
    operator: str
    preset: str
    first_seed: int
    control_dt: float = 0.1
    """Duration of a step (s)."""
    version: str = __version__
    """Version of the package."""
    cpu_s: float = 0.0
    """Processor time of the measurement (s)."""
    steps: list[int] = field(default_factory=list)
    """Length of every episode."""
    failed: list[int] = field(default_factory=list)
    """Indices of the episodes that did not succeed within `PATIENCE` times the task's time limit."""

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Key that distinguishes the row from others."""
        return self.task, self.operator, self.preset, self.first_seed

    @property
    def lengths(self) -> list[int]:
        """Lengths of the successful episodes."""
        return [steps for number, steps in enumerate(self.steps) if number not in self.failed]

    @property
    def in_time(self) -> int:
        """Successes within the task's time limit."""
        return sum(steps <= TASKS[self.task].max_episode_steps for steps in self.lengths)

    @property
    def seconds(self) -> float | None:
        """Median time of a success (s)."""
        return statistics.median(self.lengths) * self.control_dt if self.lengths else None

    @property
    def seconds_per_success(self) -> float | None:
        """Time of all episodes, divided by the number of successes (s)."""
        return sum(self.steps) * self.control_dt / len(self.lengths) if self.lengths else None

    def drive(self, episodes: int) -> None:
        """Let the human drive alone until there are `episodes` episodes."""
        begin, limit = time.process_time(), TASKS[self.task].max_episode_steps
        env = make_env(
            f"gym_hil/{robot_of(self.task)}{self.task}-v1",
            operator=make_demonstrator(self.operator, self.preset),
            max_episode_steps=PATIENCE * limit,
        )
        idle, self.control_dt = (env.get_wrapper_attr(name) for name in ("neutral_action", "control_dt"))
        for number in range(len(self.steps), episodes):
            env.reset(seed=self.first_seed + number)
            steps, ended = 0, False
            while not ended:
                *_, terminated, truncated, info = env.step(idle())
                steps, ended = steps + 1, terminated or truncated
            self.steps.append(steps)
            if not info[schema.IS_SUCCESS]:
                self.failed.append(number)
        env.close()
        self.cpu_s = round(self.cpu_s + time.process_time() - begin, 1)


def read(path: Path) -> list[Row]:
    """Return the rows of a result file, none if there is no file."""
    return (
        [Row(**row) for row in json_module.loads(path.read_text(encoding="utf-8"))] if path.is_file() else []
    )


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Return rows in the order of the registered tasks, the operators and the presets."""
    tasks = tuple(TASKS)
    return sorted(
        rows,
        key=lambda row: (
            *(tasks.index(row.task), SIMULATED.index(row.operator), HUMANS.index(row.preset)),
            -row.first_seed,
        ),
    )


def write(path: Path, rows: list[Row]) -> None:
    """Write a result file with one line per row."""
    lines = ",\n".join(json_module.dumps(asdict(row)) for row in rows)
    write_atomically(path, f"[\n{lines}\n]\n".encode())


def table(rows: list[Row]) -> list[str]:
    """Return the lines of a table in Markdown: one line per task and operator, and one column per preset."""
    presets = [name for name in HUMANS if any(row.preset == name for row in rows)]
    lines = [
        f"| task | operator | {' | '.join(f'`{name}`' for name in presets)} |",
        "|---|---|" + "---|" * len(presets),
    ]
    pairs = dict.fromkeys((row.task, row.operator) for row in rows)
    for task, operator in pairs:
        cells = [
            next((cell(row) for row in rows if row.key[:3] == (task, operator, preset)), "-")
            for preset in presets
        ]
        lines.append(f"| {task} | `{operator}` | {' | '.join(cells)} |")
    return lines


def cell(row: Row) -> str:
    """Return successes within the patience, successes within the time limit, and the time per success."""
    took = "-" if row.seconds_per_success is None else f"{row.seconds_per_success:.1f} s"
    mark = " †" if row.first_seed < FRESH else ""
    return f"{len(row.lengths)}/{len(row.steps)} ({row.in_time}), {took}{mark}"


def misses(rows: list[Row]) -> str:
    """Return a sentence that names the cells without a mark that have fewer successes than `GOALS`."""
    below = [
        f"{row.task} with `{row.operator}`, `{row.preset}`"
        for row in rows
        if row.first_seed >= FRESH and len(row.lengths) < GOALS.get(row.preset, LEAST) * len(row.steps)
    ]
    return f"Cells without † below these shares: {'; '.join(below) or 'none'}."


def robot_of(task: str) -> str:
    """Return the first part of the id of a task: that of one Panda, or of two if the task needs two arms."""
    return "Panda" if fits(TASKS[task], ROBOTS.get("panda")) else "BiPanda"


def main(
    tasks: tuple[str, ...] = (),
    operators: tuple[str, ...] = SIMULATED,
    presets: tuple[str, ...] = HUMANS,
    episodes: int = 20,
    seed: int = FRESH,
    json: Path | None = None,
) -> None:
    """Print a line for every measurement, and then a table in Markdown: successes within six times the task's time
    limit, number of these within the time limit, and time of all episodes per success.

    Args:
        tasks: names of tasks; none for all.
        operators: names of simulated humans.
        presets: names of presets.
        episodes: number of episodes of each row.
        seed: seed of the first episode.
        json: the result file; episodes that it contains are not measured again.
    """
    rows = {row.key: row for row in read(json)} if json else {}
    for task in tasks or TASKS:
        for operator in operators:
            for preset in presets:
                row = rows.setdefault((task, operator, preset, seed), Row(task, operator, preset, seed))
                if len(row.steps) >= episodes:
                    continue
                row.drive(episodes)
                print(f"{task} {operator} {preset}: {cell(row)}", flush=True)
                if json is not None:
                    write(json, in_order(rows.values()))
    measured = [row for row in in_order(rows.values()) if row.steps]
    print("\n".join([*table(measured), "", misses(measured)]))


if __name__ == "__main__":
    tyro.cli(main)
