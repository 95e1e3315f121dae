"""Measure the accuracy of a reward learned from 20 successes and 20 failures, and train policies with it.

    python benchmarks/learned_reward.py --policies --folder learned-reward

Per robot: records PickCube, learns a reward from the state or from two images of 64 x 64 pixels, compares it with the
task's own test from other start states, and trains a policy whose rewards come from it alone. Writes
`benchmarks/learned_reward.json` after every step, and continues from it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tyro

from gym_hil.cli.record import Record
from gym_hil.cli.reward import EvalReward, TrainReward
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.files import write_atomically
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import TrainingEpisodeStore
from gym_hil.learning.run import EPISODES, train
from gym_hil.stacks.build import make_env

FAILURES = {"fumbling": (14, 200), "random": (6, 300)}
"""Number of failures of each scripted policy, and the seed of the first one."""
RUN_SEED = 100


@dataclass
class Options:
    """Arguments of the command."""

    folder: Path = Path("learned-reward")
    """Folder of datasets, rewards and runs."""
    json_file: Path = Path(__file__).parent / "learned_reward.json"
    """The results."""
    robots: tuple[str, ...] = ("Panda", "SO101")
    """Robots, as in the environment ids."""
    observed: tuple[Literal["state", "pixels"], ...] = ("state", "pixels")
    """Observations from which rewards are learned."""
    episodes: int = 200
    """Number of episodes in which a reward is compared with the task's own test."""
    policies: bool = False
    """Also train policies with the rewards."""


def recorded(robot: str, folder: Path) -> tuple[Path, ...]:
    """Record the successes and failures that are missing, and return their folders."""
    task, successes = f"{robot}PickCube-v1", folder / "successes"
    records = [Record(task=task, root=successes, episodes=20, seed=100, resume=True)]
    for name, (episodes, seed) in FAILURES.items():
        options = {"task": task, "root": folder / name, "operator": "none", "policy": name}
        records.append(Record(**options, episodes=episodes, seed=seed, resume=True))
    for record in records:
        if record.run():
            raise SystemExit(f"{record.root} is not complete; run the command again to continue")
    return successes, *(folder / name for name in FAILURES)


def train_with(reward: Path, robot: str, out: Path) -> dict[str, Any]:
    """Train a policy with the reward, and return its success by the task's own test and the errors of the reward."""
    env_id = f"gym_hil/{robot}PickCubeStateBase-v1"
    config = TrainConfig(env_id=env_id, seed=RUN_SEED, reward=str(reward))
    if not (out / "result.json").is_file():
        train(config, out, resume=True, videos=False)
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    store, env = TrainingEpisodeStore(out / EPISODES), make_env(env_id)
    env.reset(seed=0)
    interface, reported, wrong = EnvironmentInterface(env), 0, 0
    for number in range(len(store)):
        episode = store.read(number)
        if episode.success:
            env.reset(seed=episode.seed)
            interface.restore_physics(episode.states[-1])
            reported += 1
            wrong += not interface.task_success()
    env.close()
    kept = ("successes", "episodes", "first_start", "seed", "steps")
    return {**{name: result[name] for name in kept}, "called_successes": reported, "false_successes": wrong}


def main(options: Options) -> None:
    """Measure the results that are missing."""
    path = options.json_file
    rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    for robot in options.robots:
        for obs in options.observed:
            folder = options.folder / robot
            reward, training = folder / obs / "reward.npz", folder / f"{obs}-training.json"
            results = folder / f"{obs}.json"
            row = next((row for row in rows if (row["robot"], row["obs"]) == (robot, obs)), None)
            if row is None:
                if not training.is_file():
                    TrainReward(datasets=recorded(robot, folder), out=reward, obs=obs, json=training).run()
                held_out = json.loads(training.read_text(encoding="utf-8"))["held_out"]
                task = f"{robot}PickCube-v1"
                EvalReward(reward=reward, on=task, episodes=options.episodes, seed=1000, json=results).run()
                measured = json.loads(results.read_text(encoding="utf-8"))["rows"]
                row = {"robot": robot, "obs": obs, "held_out": held_out, "eval": measured}
                rows.append(row)
                _write(path, rows)
            if options.policies and "policy" not in row:
                row["policy"] = train_with(reward, robot, folder / f"run-{obs}")
                _write(path, rows)


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        for figures in row["eval"].values():
            figures["delays_s"] = [round(delay, 3) for delay in figures["delays_s"]]
    write_atomically(path, json.dumps(rows, indent=1).encode() + b"\n")


if __name__ == "__main__":
    main(tyro.cli(Options))
