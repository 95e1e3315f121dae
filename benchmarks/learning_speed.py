"""Compare how fast two versions of the package learn, measured alternately in one run.

Run: python benchmarks/learning_speed.py BEFORE [--after TREE] [--rounds 5] [--runs 2] [--json FILE]

BEFORE and TREE are working trees of this repository, for example of `git worktree add`. Every measurement is a process
of its own. Updates are measured on one core, in gradient steps per second of processor time, which other programs on
the machine change less than the wall-clock. Whole runs are `gym-hil train` with its two processes.
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

LEARNERS = ("hil", "rlpd", "hil-serl", "hg-dagger", "hil pixels")
"""Method and, if it is not the state, observation of each measured learner."""
DEMOS, OTHERS = 10, 1000
"""Number of demonstrations, and of further transitions by no human, that a learner has stored."""
SECONDS = 3.0
"""Processor time of a measurement of updates (s)."""
RUNS = {
    "PickCube, states": ("PandaPickCube-v1", "--robot-minutes", "10"),
    "PickCube, two cameras": ("PandaPickCube-v1", "--robot-minutes", "10", "--obs", "pixels"),
}
"""Arguments of `gym-hil train` for each whole run."""


def measure_updates(learner: str) -> dict[str, float]:
    """Measure the updates of a learner in this process."""
    import numpy as np
    import torch

    from gym_hil.learning.config import TrainConfig, defaults_for
    from gym_hil.learning.episode_store import Transitions
    from gym_hil.learning.methods import METHODS
    from gym_hil.learning.policy_env import make_policy_env
    from gym_hil.learning.rollout import Rollouts

    torch.set_num_threads(1)
    method, _, obs = learner.partition(" ")
    obs, env_id = obs or "state", "gym_hil/PandaPickCubeStateBase-v1"
    config = TrainConfig(env_id=env_id, method=method, obs=obs, seed=0, **defaults_for(env_id, obs))
    env = make_policy_env(env_id, None, pixels=config.pixels)
    learning = METHODS.get(method).make_learner(config, env.observation_space, env.action_space)
    rollouts, rng = Rollouts(config), np.random.default_rng(0)
    for number in range(DEMOS):
        episode = rollouts.demonstrate(number)
        learning.add(episode.transitions(0, len(episode)))
    none = np.zeros(OTHERS, bool)
    rows = episode.observations[rng.integers(len(episode), size=(2, OTHERS))]
    actions = rng.uniform(-1.0, 1.0, (OTHERS, *env.action_space.shape)).astype(np.float32)
    learning.add(Transitions(rows[0], rows[1], actions, np.zeros(OTHERS, np.float32), none, none, none))
    for _ in range(20):
        learning.update()
    before, start, wall = learning.updates, time.process_time(), time.perf_counter()
    while time.process_time() - start < SECONDS:
        learning.update()
    updates, spent = learning.updates - before, time.process_time() - start
    return {"updates_per_cpu_s": updates / spent, "updates_per_s": updates / (time.perf_counter() - wall)}


def in_tree(tree: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run Python with the package of a working tree."""
    env = {**os.environ, "PYTHONPATH": str(tree / "src"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], env=env, check=True, stdout=subprocess.PIPE, text=True
    )


def updates_in(tree: Path, learner: str) -> dict[str, float]:
    """Measure the updates of a learner with the package of a working tree."""
    return json_module.loads(in_tree(tree, [__file__, "--worker", learner]).stdout)


def run_in(tree: Path, arguments: Sequence[str], seed: int) -> dict[str, float]:
    """Measure a whole run of `gym-hil train` with the package of a working tree."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        in_tree(tree, ["-m", "gym_hil", "train", *arguments, "--seed", str(seed), "--out", str(out)])
        result = json_module.loads((out / "result.json").read_text(encoding="utf-8"))
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    share = result["successes"] / result["episodes"]
    return {"seed": seed, "wall_s": round(wall, 1), "cpu_s": round(cpu, 1), "success": share}


def facts(trees: dict[str, Path]) -> dict[str, Any]:
    """Return what the figures depend on."""
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
    rounds: int = 5,
    runs: int = 0,
    first_seed: int = 200,
    learners: tuple[str, ...] = LEARNERS,
    worker: str = "",
    json: Path | None = None,
) -> None:
    """Compare the speed of learning in two working trees.

    Args:
        before: working tree of the earlier version.
        after: working tree of the later version.
        rounds: number of measurements of the updates of each learner.
        runs: number of whole runs of each kind.
        first_seed: seed of the first whole run.
        learners: method and, if it is not the state, observation of each measured learner.
        worker: measure only this learner, in this process.
        json: file for the result.
    """
    if worker:
        print(json_module.dumps(measure_updates(worker)))
        return
    trees = {"before": before.resolve(), "after": after.resolve()}
    found: dict[str, Any] = {**facts(trees), "updates": {}, "runs": {}}
    for learner in learners:
        rows = [{name: updates_in(tree, learner) for name, tree in trees.items()} for _ in range(rounds)]
        rates = {name: statistics.median(row[name]["updates_per_cpu_s"] for row in rows) for name in trees}
        ratios = [row["after"]["updates_per_cpu_s"] / row["before"]["updates_per_cpu_s"] for row in rows]
        line = {**rates, "ratio": statistics.median(ratios), "lowest": min(ratios), "highest": max(ratios)}
        found["updates"][learner] = {name: round(value, 2) for name, value in line.items()}
        print(learner, found["updates"][learner], flush=True)
    for name, arguments in RUNS.items() if runs else ():
        rows = [
            {which: run_in(tree, arguments, first_seed + number) for which, tree in trees.items()}
            for number in range(runs)
        ]
        found["runs"][name] = rows
        for row in rows:
            print(name, row, flush=True)
    if json is not None:
        json.write_text(json_module.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    tyro.cli(main)
