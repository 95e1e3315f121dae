"""Measure the effect of delays on the success and duration of experts, simulated humans and trained policies.

    python benchmarks/delays.py --policies

Writes `benchmarks/delays.json` after every row, and continues from it. Policies are trained in the folder `--runs`.
Start states begin at 1000 for operators; policies have the default start states of reports.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from gym_hil.core.delays import Delays
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.files import write_atomically
from gym_hil.intervention.named import make_demonstrator
from gym_hil.learning.pretrained import pretrained
from gym_hil.stacks.build import make_env

DELAYS_MS = (0, 50, 100, 200)
ROBOTS = ("Panda", "SO101")
LATE = {
    "observations": lambda seconds: Delays(observation_delay=seconds),
    "actions": lambda seconds: Delays(action_delay=seconds),
    "half each": lambda seconds: Delays(observation_delay=seconds / 2, action_delay=seconds / 2),
    "half each, jitter": lambda seconds: Delays(
        observation_delay=seconds / 2, action_delay=seconds / 2, jitter=seconds / 2
    ),
}
"""The delays for a given sum of delays (s), by what is delayed. With jitter, the mean sum is 1.5 times as long."""
PEOPLE = {"expert": "expert", "simulated human": "simulated"}
PRETRAINED = ("Panda",)
"""Robots for which the package has a policy that was trained without delays."""
SEED = 100
"""Seed of the training runs."""


@dataclass(frozen=True)
class Row:
    """One result.

    Attributes:
        robot: first part of the environment's id.
        who: who acts.
        late: what is late, a key of `LATE`.
        delay_ms: the delay (ms).
        episodes: number of episodes.
        successes: number of these that succeed.
        seconds: mean duration of the successes (s), or None.
    """

    robot: str
    who: str
    late: str
    delay_ms: int
    episodes: int
    successes: int
    seconds: float | None


def driven(robot: str, who: str, late: str, delay_ms: int, episodes: int) -> Row:
    """Let an operator drive alone."""
    env = make_env(
        f"{robot}PickCubeState-v1",
        operator=make_demonstrator(PEOPLE[who]),
        **LATE[late](delay_ms / 1000).arguments(),
    )
    neutral, lengths = EnvironmentInterface(env).neutral_action, []
    for seed in range(1000, 1000 + episodes):
        env.reset(seed=seed)
        steps, done, info = 0, False, {}
        while not done:
            *_, terminated, truncated, info = env.step(neutral())
            steps, done = steps + 1, terminated or truncated
        if info["is_success"]:
            lengths.append(steps)
    env.close()
    seconds = round(float(np.mean(lengths)) / 10, 2) if lengths else None
    return Row(robot, who, late, delay_ms, episodes, len(lengths), seconds)


def trained(robot: str, late: str, delay_ms: int, runs: Path, minutes: float) -> Path:
    """Train a policy with a delay, or return the run if it is finished."""
    from gym_hil.learning.config import TrainConfig
    from gym_hil.learning.run import train

    config = TrainConfig(
        env_id=f"gym_hil/{robot}PickCubeStateBase-v1",
        seed=SEED,
        robot_minutes=minutes,
        **asdict(LATE[late](delay_ms / 1000)),
    )
    out = runs / f"{robot}-{late.replace(', ', '-').replace(' ', '-')}-{delay_ms}"
    if not (out / "result.json").is_file():
        train(config, out, resume=True, videos=False)
    return out


def evaluated(robot: str, run: Path, who: str, late: str, delay_ms: int, episodes: int) -> Row:
    """Evaluate a trained policy with a delay."""
    from gym_hil.learning.checkpoint import load, make_env_for
    from gym_hil.learning.evaluation import evaluate
    from gym_hil.learning.seeds import evaluation_start

    policy = load(run)
    policy = replace(policy, config=replace(policy.config, **asdict(LATE[late](delay_ms / 1000))))
    env = make_env_for(policy, run, policy.config.env_id)
    start = evaluation_start(policy.config.seed, final=True)
    evaluation = evaluate(policy.make_policy().act, env, episodes, start)
    env.close()
    seconds = None if evaluation.cycle_s is None else round(evaluation.cycle_s, 2)
    return Row(robot, who, late, delay_ms, episodes, evaluation.successes, seconds)


def work(options: Options) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield the key of every row, and a function that measures it."""
    for robot in ROBOTS:
        for who in PEOPLE:
            for late in LATE:
                for ms in DELAYS_MS:
                    yield (
                        (robot, who, late, ms),
                        lambda a=(robot, who, late, ms): driven(*a, options.episodes),
                    )
        for late in LATE if robot in PRETRAINED else ():
            run = pretrained(f"{robot}PickCube-v1")
            for ms in DELAYS_MS:
                given = robot, run, "pretrained policy", late, ms, options.episodes
                yield (robot, "pretrained policy", late, ms), lambda given=given: evaluated(*given)
        for ms in DELAYS_MS if options.policies else ():
            for who, trained_ms in (
                ("policy trained without delay", 0),
                ("policy trained with the delay", ms),
            ):
                late = "half each"

                def row(robot=robot, who=who, ms=ms, trained_ms=trained_ms, late=late):
                    run = trained(robot, late, trained_ms, options.runs, options.robot_minutes)
                    return evaluated(robot, run, who, late, ms, options.episodes)

                yield (robot, who, late, ms), row


@dataclass
class Options:
    """Arguments of the command."""

    json_file: Path = Path(__file__).parent / "delays.json"
    """The results, from which the measurement continues."""
    runs: Path = Path("delay-runs")
    """Folder of the training runs."""
    episodes: int = 100
    """Number of episodes per row."""
    robot_minutes: float = 10.0
    """Duration of the training runs."""
    policies: bool = False
    """Also train and evaluate policies."""
    rows: int = 10_000
    """Largest number of rows to add."""


def main(options: Options) -> None:
    """Measure the rows that are missing."""
    path = options.json_file
    rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    measured = {(row["robot"], row["who"], row["late"], row["delay_ms"]) for row in rows}
    remaining = options.rows
    for key, compute in work(options):
        if key in measured or remaining == 0:
            continue
        row = compute()
        remaining -= 1
        rows.append(asdict(row))
        print(row, flush=True)
        write_atomically(path, json.dumps(rows, indent=1).encode() + b"\n")


if __name__ == "__main__":
    main(tyro.cli(Options))
