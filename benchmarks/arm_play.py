"""Runs a policy of `gym-hil train` on the virtual arm through ``gym-hil play --robot lerobot:so101_follower``.

    python benchmarks/arm_play.py --policy runs/arm --name play --json-file benchmarks/arm_rollouts.json

Needs ``lerobot[feetech]`` and the extras train and virtual-arm. Nobody helps the policy. Before every episode, the
command asks a person to put the objects back and to confirm; the benchmark does this as the person. The result is
written under the given name into the file of `arm_rollouts`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import tyro

from arm_rollouts import put_back
from gym_hil.core.files import write_atomically
from gym_hil.experiments.run_record import commit
from gym_hil.learning.checkpoint import load
from gym_hil.learning.evaluation import wilson
from real_arm_training import start_arm


def main(policy: Path, json_file: Path, *, name: str, episodes: int = 20, seed: int = 1000) -> None:
    """Play episodes.

    Args:
        policy: folder of ``gym-hil train``.
        json_file: file of the results.
        name: name of the result in the file.
        episodes: number of episodes.
        seed: seed of the cube's places.
    """
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        process, arm = start_arm(folder, (), seed)
        command = [
            sys.executable, "-m", "gym_hil", "play", "SO101PickCube-v1", "--robot", "lerobot:so101_follower",
            "--robot-port", arm["ports"]["follower"], "--robot-calibration-dir", arm["calibration_dir"],
            "--robot-scene", arm["scene"], "--policy", str(policy), "--operator", "none", "--no-window",
            "--episodes", str(episodes), "--min-success", "0", "--json", str(folder / "play.json"),
        ]  # fmt: skip
        checks = 0
        try:
            with subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
            ) as play:
                assert play.stdin is not None and play.stdout is not None
                for line in play.stdout:
                    print(line, end="", flush=True)
                    if "Press Enter" in line:
                        checks += "Check the arm" in line
                        put_back(arm)
                        play.stdin.write("\n")
                        play.stdin.flush()
            played = json.loads((folder / "play.json").read_text(encoding="utf-8"))["episodes"]
        finally:
            process.terminate()
            process.wait()
    trained = load(policy)
    successes = sum(episode["success"] for episode in played)
    low, high = wilson(successes, len(played))
    results = json.loads(json_file.read_text(encoding="utf-8")) if json_file.is_file() else {}
    results[name] = {
        "rollouts": [{key: episode[key] for key in ("success", "steps", "end")} for episode in played],
        "config": trained.config.to_json(),
        "commit": commit(),
        "seed": seed,
        "checks": checks,
        "versions": {name: metadata.version(name) for name in ("lerobot", "mujoco", "torch")},
        "successes": successes,
        "low": round(low, 3),
        "high": round(high, 3),
        "load": round(os.getloadavg()[1], 1),
    }
    write_atomically(json_file, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    tyro.cli(main)
