"""Compare how fast two versions of the package learn, measured alternately in one run.

Run: python benchmarks/learning_speed.py BEFORE [--after TREE] [--rounds 5] [--runs 2] [--json FILE]

BEFORE and TREE are working trees of this repository, for example of `git worktree add`. Two processes, one with each
tree, learn in turns of half a second on one core. The figures are gradient steps per second of processor time, and the
ratios are those of consecutive turns, which other programs on the machine change least. Whole runs are `gym-hil train`
with its two processes.
"""

from __future__ import annotations

import inspect
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
"""Number of demonstrations, and of other transitions without a human action, that a learner has stored."""
TURN_S = 0.5
"""Processor time of a turn (s)."""
RUNS = {
    "PickCube, states": ("PandaPickCube-v1", "--robot-minutes", "10"),
    "PickCube, two cameras": ("PandaPickCube-v1", "--robot-minutes", "10", "--obs", "pixels"),
}
"""Arguments of `gym-hil train` for each whole run."""


def work(learner: str) -> None:
    """Measure the updates of a learner in this process, one turn per line of the standard input."""
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
    count = len(inspect.signature(defaults_for).parameters)  # two in earlier versions
    arguments = (env_id, obs, method)[:count]
    config = TrainConfig(env_id=env_id, method=method, obs=obs, seed=0, **defaults_for(*arguments))
    earlier = not hasattr(config, "observation")
    observed: dict[str, Any] = {"pixels": config.pixels} if earlier else {"observation": config.observation}
    env = make_policy_env(env_id, None, **observed)
    learning = METHODS.get(method).make_learner(config, env.observation_space, env.action_space)
    rollouts, rng = Rollouts(config), np.random.default_rng(0)
    for number in range(DEMOS):
        episode = rollouts.demonstrate(number)
        learning.add(episode.transitions(0, len(episode)))
    none = np.zeros(OTHERS, bool)
    rows = episode.observations[rng.integers(len(episode), size=(2, OTHERS))]
    actions = rng.uniform(-1.0, 1.0, (OTHERS, *env.action_space.shape)).astype(np.float32)
    learning.add(Transitions(rows[0], rows[1], actions, np.zeros(OTHERS, np.float32), none, none, none))
    for _ in range(20 + getattr(learning, "pretraining_updates", 0) // config.updates_per_step):
        learning.update()
    for _ in sys.stdin:
        before, start = learning.updates, time.process_time()
        while time.process_time() - start < TURN_S:
            learning.update()
        print((learning.updates - before) / (time.process_time() - start), flush=True)


def environment(tree: Path) -> dict[str, str]:
    """Return the environment variables of a process with the package of a working tree."""
    return {**os.environ, "PYTHONPATH": str(tree / "src"), "OMP_NUM_THREADS": "1"}


def measure(trees: dict[str, Path], learner: str, rounds: int) -> dict[str, float]:
    """Measure the updates of a learner with the packages of two working trees."""
    workers = {
        name: subprocess.Popen(
            [sys.executable, __file__, "--worker", learner],
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
            "-m",
            "gym_hil",
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
    worker: str = "",
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
        worker: learner of this process, which is started by another one.
        json: file for the result.
    """
    if worker:
        work(worker)
        return
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
