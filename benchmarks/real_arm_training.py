"""Trains on the virtual arm through its serial port, and counts how many steps were late.

    python benchmarks/real_arm_training.py --out runs/arm --json-file arm.json

Needs ``lerobot[feetech]`` and the extras train and virtual-arm. `gym-hil virtual-arm` runs in a process of its own and
measures where the cube is; a simulated human demonstrates and takes over, as with
``gym-hil train --robot lerobot:so101_follower --robot-scene ... --operator simulated``. The result is written after
every episode. If the program is stopped, the same command continues the run as a further part; the
numbers of steps of all parts are added up.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import tyro

from gym_hil.cli.real_arm import RealArmOptions
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.run import train
from gym_hil.learning.run_status import RunStatus

TASK = "gym_hil/SO101PickCubeStateBase-v1"


def start_arm(
    folder: Path, fault: tuple[str, ...], seed: int, *more: str
) -> tuple[subprocess.Popen, dict[str, Any]]:
    """Start the virtual arm with further arguments, and return its process and its addresses."""
    facts = folder / "arm.json"
    command = [
        sys.executable,
        "-m",
        "gym_hil",
        "virtual-arm",
        "--scene",
        "--seed",
        str(seed),
        "--json",
        str(facts),
    ]
    command += [*more, *(["--fault", *fault] if fault else [])]
    arm = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while not facts.exists():
        assert arm.poll() is None, "the virtual arm has ended"
        time.sleep(0.1)
    return arm, json.loads(facts.read_text(encoding="utf-8"))


def agree_always() -> None:
    """Replace standard input by a pipe with confirmations: nobody has to watch a virtual arm before it moves."""
    reading, writing = os.pipe()
    os.write(writing, b"\n" * 1000)
    os.dup2(reading, sys.stdin.fileno())


class Result:
    """The result file, with the measurements of every part of the run, from a start of this program to its end.

    Args:
        path: the file.
        config: configuration of the run.
        fault: faults of the virtual arm.
    """

    def __init__(self, path: Path, config: TrainConfig, fault: tuple[str, ...]) -> None:
        self._path = path
        self.env: Any = None
        self._facts = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"parts": []}
        self._facts |= {
            "fault": fault,
            "config": config.to_json(),
            "versions": {name: metadata.version(name) for name in ("lerobot", "mujoco", "torch")},
            "python": platform.python_version(),
            "cores": os.cpu_count(),
        }
        self._begun = time.time()
        self._facts["parts"].append({})

    def note(self, status: RunStatus) -> None:
        """Write the state of the run after an episode."""
        if self.env is None:
            return
        self._facts["parts"][-1] = {
            "late_steps": self.env.get_wrapper_attr("overruns"),
            "timed_steps": self.env.get_wrapper_attr("twin").steps,
            "worst_late_ms": round(1000.0 * self.env.get_wrapper_attr("worst_overrun_s"), 1),
            "minutes": round((time.time() - self._begun) / 60.0, 2),
            "load": [round(load, 1) for load in os.getloadavg()],
        }
        parts = [part for part in self._facts["parts"] if part]
        late, timed = (sum(part[name] for part in parts) for name in ("late_steps", "timed_steps"))
        self._facts |= {
            "episodes": status.episodes,
            "updates": status.updates,
            "late_steps": late,
            "timed_steps": timed,
        }
        self._facts["late_share"] = late / max(1, timed)
        self._path.write_text(json.dumps(self._facts, indent=2) + "\n", encoding="utf-8")

    def end(self, found: dict[str, Any]) -> None:
        """Write the evaluation."""
        self._facts["evaluation"] = found
        self._path.write_text(json.dumps(self._facts, indent=2) + "\n", encoding="utf-8")


def main(
    out: Path,
    json_file: Path,
    *,
    robot_minutes: float = 10.0,
    episodes: int = 100,
    demos: int = 20,
    seed: int = 101,
    method: str = "hil",
    fault: tuple[str, ...] = (),
) -> None:
    """Train on the virtual arm.

    Args:
        out: folder of the run.
        json_file: file of the result.
        robot_minutes: time in which the arm acts, including demonstrations (min); 10 are 6,000 steps.
        episodes: number of episodes of the evaluation, without help.
        demos: number of demonstrations.
        seed: seed of the run.
        method: learning method.
        fault: faults of the virtual arm, see `gym-hil virtual-arm --help`.
    """
    config = TrainConfig(
        env_id=TASK,
        method=method,
        robot_minutes=robot_minutes,
        demos=demos,
        seed=seed,
        final_episodes=episodes,
    )
    agree_always()
    with tempfile.TemporaryDirectory() as folder:
        process, addresses = start_arm(Path(folder), fault, seed)
        try:
            arm = RealArmOptions(
                robot="lerobot:so101_follower",
                robot_port=addresses["ports"]["follower"],
                robot_calibration_dir=Path(addresses["calibration_dir"]),
                robot_scene=addresses["scene"],
                max_current=5.0,
            ).arm()
            assert arm is not None
            result = Result(json_file, config, fault)

            def ready(env: Any) -> None:
                result.env = env

            evaluation = train(config, out, result.note, resume=True, ready=ready, build=arm.build)
            result.end(asdict(evaluation))
        finally:
            process.terminate()
            process.wait()
    print(json_file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    tyro.cli(main)
