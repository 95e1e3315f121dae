"""The benchmark of learning with a human in the loop: a study with a fixed protocol.

`docs/benchmark.md` describes the protocol. The version of the protocol is incremented whenever a number in this module
changes, and results of different versions are not compared.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from gym_hil.core.errors import InvalidArgumentError, require_one_of
from gym_hil.experiments.run_record import RECORD, Record, differences, read_record
from gym_hil.experiments.statistics import iqm, kendall_tau
from gym_hil.experiments.study import Study, StudyRun
from gym_hil.experiments.study_report import FinishedRun
from gym_hil.experiments.study_runs import RECORDS
from gym_hil.experiments.workers import train_run
from gym_hil.learning.config import TrainConfig, defaults_for
from gym_hil.learning.methods import METHODS
from gym_hil.learning.seeds import Purpose, purpose_of_run

PROTOCOL = 2
"""Version of the protocol."""
ROBOT_MINUTES: Mapping[str, float] = {
    "PickCube": 4.0,
    "InsertPeg": 8.0,
    "StackCubes": 10.0,
    "TurnKey": 10.0,
    "OpenDrawerAndPlace": 20.0,
    "ArrangeBoxes": 40.0,
}
"""Simulated time of a run by task (min), including demonstrations."""
COMPARED = (
    "bc",
    "hg-dagger",
    "iwr",
    "sirius-imitation",
    "ensemble-dagger",
    "rlif",
    "pvp",
    "rlpd",
    "hil-serl",
    "residual",
    "hil",
)
"""Methods that are compared by default."""
HUMANS = ("average", "novice", "experienced")
"""Presets of simulated humans."""
FIRST_SEED: Mapping[Purpose, int] = {"report": 100, "development": 0}
SEEDS = 5
DEMOS = 20
EPISODES = 200
"""Number of episodes of every evaluation."""
EVALUATIONS = 8
"""Largest number of evaluations in a run, which are at least `EVALUATION_STEPS` control steps apart."""
EVALUATION_STEPS = 600
VERIFIED = "verified.json"
"""Name of the file that lists the exactly repeated runs in a folder of results."""
QUICK_METHODS, QUICK_TASKS, QUICK_SEEDS = ("bc", "hg-dagger", "hil"), ("PickCube", "InsertPeg"), 3


def protocol_config(task: str, method: str, human: str, seed: int) -> TrainConfig:
    """Return the configuration of a run according to the protocol.

    Raises:
        InvalidArgumentError: the task, method or human is not part of the protocol or does not exist.
    """
    require_one_of("task", task, ROBOT_MINUTES)
    require_one_of("method", method, METHODS)
    env_id = f"gym_hil/Panda{task}StateBase-v1"
    config = TrainConfig(
        env_id=env_id,
        **defaults_for(env_id, "state", method),
        method=method,
        preset=human,
        seed=seed,
        robot_minutes=ROBOT_MINUTES[task],
        demos=DEMOS,
        eval_episodes=EPISODES,
        final_episodes=EPISODES,
    )
    steps_between = max(EVALUATION_STEPS, config.total_steps // EVALUATIONS)
    return replace(config, eval_every_steps=steps_between)


def benchmark(
    tasks: Sequence[str],
    methods: Sequence[str],
    humans: Sequence[str],
    seeds: Sequence[int],
    change: Callable[[TrainConfig], TrainConfig] = lambda config: config,
) -> Study:
    """Return the runs of the benchmark, those of the shortest task first.

    Args:
        tasks: names in `ROBOT_MINUTES`.
        methods: names of learning methods.
        humans: presets of simulated humans.
        seeds: seeds of the runs.
        change: shortens a run for a trial, whose record does not count for the benchmark.
    """
    for task in tasks:
        require_one_of("task", task, ROBOT_MINUTES)
    by_length = sorted(tasks, key=lambda task: ROBOT_MINUTES[task])
    runs = []
    for task, human, method, seed in itertools.product(by_length, humans, methods, seeds):
        axis_values = {"task": task, "human": human, "method": method, "seed": str(seed)}
        runs.append(StudyRun(axis_values, change(protocol_config(task, method, human, seed))))
    if not runs:
        raise InvalidArgumentError("the benchmark has no runs; name a task, a method, a human and a seed")
    return Study(f"Benchmark, protocol {PROTOCOL}", tuple(runs))


def read_results(folder: Path) -> list[FinishedRun]:
    """Return the runs with records in `folder`, or in its folder ``records``, by task, human and method.

    Raises:
        InvalidArgumentError: there is no record, or one cannot be read.
    """
    inside = folder / RECORDS
    paths = sorted((inside if inside.is_dir() else folder).glob("*.json"))
    finished = []
    for path in (path for path in paths if path.name != VERIFIED):
        record, config = read_record(path)
        finished.append(FinishedRun(StudyRun(record["place"], config), record))
    if not finished:
        raise InvalidArgumentError(f"{folder} has no records of runs")
    order = {name: number for number, name in enumerate((*ROBOT_MINUTES, *HUMANS, *METHODS))}

    def position(entry: FinishedRun) -> tuple[int, ...]:
        return (*(order.get(name, len(order)) for name in entry.run.group), entry.run.config.seed)

    return sorted(finished, key=position)


def make_study(finished: Sequence[FinishedRun]) -> Study:
    """Return the study that consists of these runs."""
    return Study(f"Benchmark, protocol {PROTOCOL}", tuple(entry.run for entry in finished))


def protocol_differences(entry: FinishedRun) -> list[str]:
    """Return the differences between a run and the protocol."""
    axis_values, config = entry.run.axis_values, entry.run.config
    try:
        task, method, human, seed = (axis_values[name] for name in ("task", "method", "human", "seed"))
        expected = protocol_config(task, method, human, int(seed))
    except (InvalidArgumentError, KeyError, ValueError) as error:
        return [f"{dict(axis_values)} is not a run of the benchmark: {error}"]
    actual, required = asdict(config), asdict(expected)
    deviations = [
        f"{name}={actual[name]!r}, not {value!r}" for name, value in required.items() if actual[name] != value
    ]
    if entry.result["episodes"] != EPISODES:
        deviations.append(f"{entry.result['episodes']} evaluation episodes, not {EPISODES}")
    purpose = purpose_of_run(config.seed)
    if entry.record["purpose"] != purpose:
        deviations.append(f"purpose {entry.record['purpose']!r}, not {purpose!r}")
    return deviations


def repeat(entry: FinishedRun) -> Record:
    """Repeat a run, and return the new record."""
    with tempfile.TemporaryDirectory() as folder:
        train_run(dict(entry.run.axis_values), entry.run.config, Path(folder), lambda steps: None)
        return read_record(Path(folder) / RECORD)[0]


def record_differences(entry: FinishedRun, again: Record) -> list[str]:
    """Return the differences between a repetition and a record; empty if they are identical."""
    deviations = differences(dict(entry.record), again)
    if deviations:
        for name in ("processor", "versions", "commit"):
            if entry.record[name] != again[name]:
                deviations.append(
                    f"it was computed with another {name}: {entry.record[name]}, here {again[name]}"
                )
    return deviations


def sample_runs(finished: Sequence[FinishedRun], count: int) -> list[FinishedRun]:
    """Return a sample of the runs, which is determined by the content of the records."""
    entropy = [int(entry.record["episodes_sha256"][:8], 16) for entry in finished]
    chosen = np.random.default_rng(entropy).choice(len(finished), min(count, len(finished)), replace=False)
    return [finished[number] for number in sorted(chosen)]


def rank_agreement(finished: Sequence[FinishedRun]) -> list[tuple[str, str, str, int, float]]:
    """Return the agreement between the rankings of methods with different humans.

    Returns:
        Task, two humans, number of methods with both, and Kendall's tau-b of the interquartile means over seeds of the
        mean success; NaN if all are equal.
    """
    scores: dict[str, dict[str, dict[str, list[float]]]] = {}
    for entry in finished:
        axis_values = entry.run.axis_values
        by_method = scores.setdefault(axis_values["task"], {}).setdefault(axis_values["human"], {})
        by_method.setdefault(axis_values["method"], []).append(entry.mean_success)
    rows = []
    for task, by_human in scores.items():
        for first, second in itertools.combinations(by_human, 2):
            both = [method for method in by_human[first] if method in by_human[second]]
            if len(both) > 1:
                pair = (
                    [float(iqm(np.array(by_human[who][method]))) for method in both]
                    for who in (first, second)
                )
                rows.append((task, first, second, len(both), kendall_tau(*pair)))
    return rows
