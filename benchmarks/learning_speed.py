"""Compare how fast two versions of the package learn, measured alternately in one run.

Run: python benchmarks/learning_speed.py BEFORE [--after TREE] [--rounds 5] [--runs 2] [--json FILE]

BEFORE and TREE are working trees of this repository, for example of `git worktree add`; BEFORE can also be version
0.1.15. Two processes of `benchmarks/learning_worker.py`, one with each tree, learn in turns of 0.5 s on one core.
The figures are gradient steps per second of processor time, and the ratios are those of consecutive turns, which other
programs on the machine change least. Whole runs are `gym-hil train` with its two processes.
"""

from __future__ import annotations

import json as json_module
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tyro

LEARNERS = ("hil", "hg-dagger", "hil pixels")
"""Method and, if it is not the state, observation of each measured learner."""
WORKER = Path(__file__).with_name("learning_worker.py")
START = "from gym_hil.cli import main; main()"
"""The command gym-hil of a version that is not installed."""
RUNS = {
    "PickCube, states": ("PandaPickCube-v1", "--robot-minutes", "10"),
    "PickCube, two cameras": ("PandaPickCube-v1", "--robot-minutes", "10", "--obs", "pixels"),
}
"""Arguments of `gym-hil train` for each whole run."""


def environment(tree: Path) -> dict[str, str]:
    """Return the environment variables of a process with the package of a working tree."""
    return {**os.environ, "PYTHONPATH": str(tree / "src"), "OMP_NUM_THREADS": "1"}


def measure(trees: dict[str, Path], learner: str, rounds: int) -> dict[str, float]:
    """Measure the updates of a learner with the packages of two working trees."""
    method, _, obs = learner.partition(" ")
    workers = {
        name: subprocess.Popen(
            [sys.executable, WORKER, method, obs or "state"],
            env=environment(tree),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, tree in trees.items()
    }
    rates: dict[str, list[float]] = {name: [] for name in trees}
    for _ in range(rounds + 1):
        for name, worker in workers.items():
            print(file=worker.stdin, flush=True)
            rates[name].append(float(worker.stdout.readline()))
    for worker in workers.values():
        worker.communicate()
    ratios = [after / before for before, after in zip(*rates.values(), strict=True)][
        1:
    ]  # without the first turn
    medians = {name: statistics.median(each[1:]) for name, each in rates.items()}
    return {**medians, "ratio": statistics.median(ratios), "lowest": min(ratios), "highest": max(ratios)}


def run_in(tree: Path, arguments: Sequence[str], seed: int) -> dict[str, float]:
    """Measure a whole run of `gym-hil train` with the package of a working tree."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [
            sys.executable,
            "-c",
            START,
            "train",
            *arguments,
            "--seed",
            str(seed),
            "--out",
            str(out),
        ]
        subprocess.run(command, env=environment(tree), check=True, stdout=subprocess.DEVNULL)
        result = json_module.loads((out / "result.json").read_text(encoding="utf-8"))
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    share = result["successes"] / result["episodes"]
    return {"seed": seed, "wall_s": round(wall, 1), "cpu_s": round(cpu, 1), "success": share}


def facts(trees: dict[str, Path]) -> dict[str, Any]:
    """Return facts that affect the figures: the machine, the versions of packages and the commits."""
    import torch

    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    commits = {
        name: subprocess.run(
            ["git", "-C", str(tree), "rev-parse", "HEAD"], check=True, capture_output=True, text=True
        ).stdout.strip()
        for name, tree in trees.items()
    }
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "torch": torch.__version__,
        "load": os.getloadavg(),
        "commits": commits,
    }


def main(
    before: tyro.conf.Positional[Path] = Path("."),
    after: Path = Path(__file__).parents[1],
    rounds: int = 20,
    runs: int = 0,
    first_seed: int = 200,
    learners: tuple[str, ...] = LEARNERS,
    json: Path | None = None,
) -> None:
    """Compare the speed of learning in two working trees.

    Args:
        before: working tree of the earlier version.
        after: working tree of the later version.
        rounds: number of turns of each tree per learner.
        runs: number of whole runs of each kind.
        first_seed: seed of the first whole run.
        learners: the learners to measure, each as its method, followed by its observation unless that is the state.
        json: file for the result.
    """
    trees = {"before": before.resolve(), "after": after.resolve()}
    results: dict[str, Any] = {**facts(trees), "rounds": rounds, "updates": {}, "runs": {}}
    for learner in learners:
        line = measure(trees, learner, rounds)
        results["updates"][learner] = {name: round(value, 2) for name, value in line.items()}
        print(learner, results["updates"][learner], flush=True)
    for name, arguments in RUNS.items() if runs else ():
        rows = [
            {which: run_in(tree, arguments, first_seed + number) for which, tree in trees.items()}
            for number in range(runs)
        ]
        results["runs"][name] = rows
        for row in rows:
            print(name, row, flush=True)
    if json is not None:
        json.write_text(json_module.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    tyro.cli(main)
