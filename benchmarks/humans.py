"""Let simulated humans drive alone, and print how often and how fast they succeed.

Run: python benchmarks/humans.py [--episodes 20] [--seed 1000] [--tasks ...] [--operators ...] [--presets ...]
[--json result.json]. With --json every row is written as soon as it is measured.
"""

from __future__ import annotations

import json as json_module
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import tyro

from gym_hil import __version__
from gym_hil.core import schema
from gym_hil.intervention.limits import PRESETS, SCRIPT
from gym_hil.intervention.named import SIMULATED, make_demonstrator
from gym_hil.robots import ROBOTS
from gym_hil.stacks.build import make_env
from gym_hil.tasks import TASKS
from gym_hil.tasks.needs import fits

PATIENCE = 6
"""How many times the task's time limit an episode may last, as when people demonstrate to `gym-hil train`."""
HUMANS = tuple(name for name in PRESETS if not name.startswith(SCRIPT))


@dataclass(frozen=True)
class Row:
    """What one simulated human did on one task."""

    operator: str
    preset: str
    task: str
    episodes: int
    first_seed: int
    in_time: int
    """Successes within the task's time limit."""
    in_the_end: int
    """Successes within `PATIENCE` times that limit."""
    seconds: float | None
    """Median time of a success (s)."""
    seconds_per_success: float | None
    """Time of all episodes, divided by the number of successes (s)."""
    cpu_s: float
    """Processor time that it took (s)."""


def drive(operator: str, preset: str, task: str, episodes: int, first_seed: int) -> Row:
    """Let a simulated human drive alone in `episodes` episodes, whose seeds count up from `first_seed`."""
    begin, limit = time.process_time(), TASKS[task].max_episode_steps
    env = make_env(
        f"gym_hil/Panda{task}-v1",
        operator=make_demonstrator(operator, preset),
        max_episode_steps=PATIENCE * limit,
    )
    idle, dt = env.get_wrapper_attr("neutral_action")(), env.get_wrapper_attr("control_dt")
    lengths, total = [], 0
    for seed in range(first_seed, first_seed + episodes):
        env.reset(seed=seed)
        steps, ended = 0, False
        while not ended:
            *_, terminated, truncated, info = env.step(idle)
            steps, ended = steps + 1, terminated or truncated
        total += steps
        if info[schema.IS_SUCCESS]:
            lengths.append(steps)
    env.close()
    return Row(
        operator=operator,
        preset=preset,
        task=task,
        episodes=episodes,
        first_seed=first_seed,
        in_time=sum(steps <= limit for steps in lengths),
        in_the_end=len(lengths),
        seconds=statistics.median(lengths) * dt if lengths else None,
        seconds_per_success=total * dt / len(lengths) if lengths else None,
        cpu_s=round(time.process_time() - begin, 1),
    )


def one_arm_tasks() -> tuple[str, ...]:
    """Return the names of the tasks that a Panda does."""
    return tuple(name for name, task in TASKS.items() if fits(task, ROBOTS.get("panda")))


def main(
    tasks: tuple[str, ...] = (),
    operators: tuple[str, ...] = SIMULATED,
    presets: tuple[str, ...] = HUMANS,
    episodes: int = 20,
    seed: int = 1000,
    json: Path | None = None,
) -> None:
    """Print a table in Markdown.

    Args:
        tasks: names of tasks; none for all that a Panda does.
        operators: names of simulated humans.
        presets: names of presets.
        episodes: number of episodes of each row.
        seed: seed of the first episode.
        json: write the rows to this file as well.
    """
    print(
        "| task | operator | preset | in time | in six times the time | s of a success (median) | s per success |"
    )
    print("|---|---|---|---|---|---|---|")
    rows = []
    for task in tasks or one_arm_tasks():
        for operator in operators:
            for preset in presets:
                row = drive(operator, preset, task, episodes, seed)
                rows.append(asdict(row))
                took, per_success = (
                    "-" if number is None else f"{number:.1f}"
                    for number in (row.seconds, row.seconds_per_success)
                )
                print(
                    f"| {task} | `{operator}` | `{preset}` | {row.in_time} of {episodes} "
                    f"| {row.in_the_end} of {episodes} | {took} | {per_success} |",
                    flush=True,
                )
                if json is not None:
                    result = {"version": __version__, "rows": rows}
                    json.write_text(json_module.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    tyro.cli(main)
