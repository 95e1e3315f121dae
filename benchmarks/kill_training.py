"""Kill a training run many times at random instants, and compare its weights with those of an undisturbed run.

    python benchmarks/kill_training.py --times 20

Each round continues the run in its own process and kills it and its learner (SIGKILL) after a random time. At the end
it runs once without being killed. Its weights and all its episodes must be identical to those of the undisturbed run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from gym_hil.learning import run
from gym_hil.learning.checkpoint import load
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import TrainingEpisodeStore


def config(minutes: float) -> TrainConfig:
    """Return the configuration of a small run, because only its files are tested."""
    return TrainConfig(
        env_id="gym_hil/PandaPickCubeStateBase-v1", robot_minutes=minutes, demos=3, updates_per_step=1,
        batch_size=16, width=16, eval_every_steps=100, eval_episodes=1, final_episodes=1,
    )  # fmt: skip


def go_on(out: Path, minutes: float, begins: Any) -> None:
    """Train in a new process group, so that the learner can be killed together with this process."""
    os.setpgrp()
    begins.set()
    run.train(config(minutes), out, resume=True, videos=False)


def main() -> None:
    """Kill, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=3.0, help="robot minutes of the run")
    parser.add_argument("--longest", type=float, default=15.0, help="seconds before a kill, at most")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        alone, killed = Path(folder) / "alone", Path(folder) / "killed"
        run.train(config(args.minutes), alone, videos=False)
        context, kills = multiprocessing.get_context("spawn"), 0
        while kills < args.times:
            begins = context.Event()
            process = context.Process(target=go_on, args=(killed, args.minutes, begins))
            process.start()
            begins.wait()
            time.sleep(rng.uniform(0.0, args.longest))
            if not process.is_alive():
                break
            os.killpg(process.pid, signal.SIGKILL)
            process.join()
            kills += 1
            print(f"kill {kills}: {len(list(killed.glob('episodes/[0-9]*')))} episodes", flush=True)
        run.train(config(args.minutes), killed, resume=True, videos=False)
        one, two = TrainingEpisodeStore(alone / "episodes"), TrainingEpisodeStore(killed / "episodes")
        numbers = range(len(one))
        same = len(one) == len(two) and all((one.read(n).states == two.read(n).states).all() for n in numbers)
        mine, others = load(alone).weights, load(killed).weights
        learned = all((mine[name] == others[name]).all() for name in mine)
        print(f"{kills} kills, {len(two)} episodes; the same episodes: {same}; the same weights: {learned}")
        raise SystemExit(0 if same and learned else 1)


if __name__ == "__main__":
    main()
