"""Train a policy from Python instead of the command line: ``python train_from_python.py --out my-run``."""

import argparse
from pathlib import Path

from gym_hil.learning.config import TrainConfig
from gym_hil.learning.run import train


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--robot-minutes", type=float, default=3.0)
    options = parser.parse_args()
    config = TrainConfig(
        env_id="gym_hil/PandaPickCubeStateBase-v1",
        method="hil",
        operator="simulated",
        robot_minutes=options.robot_minutes,
        final_episodes=50,
    )
    result = train(config, options.out)
    print(f"{result.successes} of {result.episodes} episodes succeeded without help")


if __name__ == "__main__":  # the learner runs in a process of its own
    main()
