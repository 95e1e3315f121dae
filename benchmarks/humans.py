"""Let every simulated human drive alone, and print how often and how fast it succeeds.

Run: python benchmarks/humans.py [--episodes 50] [--seed 1000] [--json table.json]
"""

from __future__ import annotations

import json as json_module
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path

import tyro

from gym_hil.core import schema
from gym_hil.intervention.limits import PRESETS
from gym_hil.intervention.named import SIMULATED, make_demonstrator
from gym_hil.stacks.build import make_env
from gym_hil.tasks import TASKS

TASK_NAMES = ("PickCube", "InsertPeg")
PATIENCE = 6
"""How many times the task's time limit an episode may last, as when people demonstrate to `gym-hil train`."""


@dataclass(frozen=True)
class Row:
    """What one simulated human did on one task."""

    operator: str
    preset: str
    task: str
    episodes: int
    in_time: int
    """Successes within the task's time limit."""
    in_the_end: int
    """Successes within `PATIENCE` times that limit."""
    seconds: float | None
    """Median time of a success (s)."""


def drive(operator: str, preset: str, task: str, episodes: int, first_seed: int) -> Row:
    """Let a simulated human drive alone in `episodes` episodes, whose seeds count up from `first_seed`."""
    limit = TASKS[task].max_episode_steps
    env = make_env(
        f"gym_hil/Panda{task}-v1",
        operator=make_demonstrator(operator, preset),
        max_episode_steps=PATIENCE * limit,
    )
    idle, dt = env.get_wrapper_attr("neutral_action")(), env.get_wrapper_attr("control_dt")
    lengths = []
    for seed in range(first_seed, first_seed + episodes):
        env.reset(seed=seed)
        steps, ended = 0, False
        while not ended:
            *_, terminated, truncated, info = env.step(idle)
            steps, ended = steps + 1, terminated or truncated
        if info[schema.IS_SUCCESS]:
            lengths.append(steps)
    env.close()
    in_time = sum(steps <= limit for steps in lengths)
    seconds = statistics.median(lengths) * dt if lengths else None
    return Row(operator, preset, task, episodes, in_time, len(lengths), seconds)


def main(episodes: int = 50, seed: int = 1000, json: Path | None = None) -> None:
    """Print a table in Markdown.

    Args:
        episodes: number of episodes of each row.
        seed: seed of the first episode.
        json: write the rows to this file as well.
    """
    print("| operator | preset | task | in time | in six times the time | seconds per success (median) |")
    print("|---|---|---|---|---|---|")
    rows = []
    for task in TASK_NAMES:
        for operator in SIMULATED:
            for preset in PRESETS:
                row = drive(operator, preset, task, episodes, seed)
                rows.append(row)
                took = "-" if row.seconds is None else f"{row.seconds:.1f}"
                print(
                    f"| `{operator}` | `{preset}` | {task} | {row.in_time} of {episodes} "
                    f"| {row.in_the_end} of {episodes} | {took} |",
                    flush=True,
                )
    if json is not None:
        json.write_text(json_module.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    tyro.cli(main)
