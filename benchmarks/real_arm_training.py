"""Trains on the virtual arm through its serial port, and measures its rate, its stored episodes and its true motion.

    python benchmarks/real_arm_training.py --out runs/arm --json-file benchmarks/real_arm.json
    python benchmarks/real_arm_training.py --out runs/unplug --json-file benchmarks/real_arm.json \\
        --fault unplug@12-15 --robot-minutes 0.3 --demos 3 --episodes 1

Needs ``lerobot[feetech]`` and the extras train and virtual-arm. The virtual arm runs in a process of its own, which
records its true motion (`watched_arm`) and measures where the cube is. A simulated human demonstrates and takes over,
as with ``gym-hil train --robot lerobot:so101_follower --robot-scene ... --operator simulated``. A simulated person
confirms what the program asks for; if it asks to switch the arm off and on, they first let it cool down.

The result is written after every episode: that of a run without faults as ``training``, and others in the list
``faults``. If the program is stopped, the same command continues the run as a further part. Each part has:

- ``finished_episodes``: number of episodes that ended, counted at the environment, with at least one complete step;
- ``motion``: how far the true position of the TCP was outside the box (mm), and the largest true speed of an arm joint
  (rad/s): in the steps of episodes, on the way to a start, in the remaining time, and while a joint had no torque; and
  the true currents of the servos.

``stored_episodes`` is the number of episodes that can be read from the run's folder at the end.
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

from arm_observer import Observer
from gym_hil.cli.real_arm import RealArmOptions
from gym_hil.core.files import make_folder, write_atomically
from gym_hil.experiments.run_record import commit
from gym_hil.learning.config import CONFIG, TrainConfig, defaults_for
from gym_hil.learning.episode_store import TrainingEpisodeStore
from gym_hil.learning.run import EPISODES, train
from gym_hil.learning.run_status import RunStatus
from watched_arm import read, summary

TASK = "gym_hil/SO101PickCubeStateBase-v1"
TRAINING, FAULTS = "training", "faults"
"""Keys of the result file."""


def start_arm(
    folder: Path, fault: tuple[str, ...], seed: int, *more: str, log: Path | None = None
) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """Start the virtual arm with further arguments, and return its process and its addresses.

    Args:
        folder: folder of the file with its addresses.
        fault: its faults.
        seed: seed of the places of the cube.
        more: further arguments of `gym-hil virtual-arm`.
        log: file of its true motion; None to record nothing.
    """
    facts = folder / "arm.json"
    watched = [str(Path(__file__).with_name("watched_arm.py")), "--log", str(log)]
    command = [sys.executable, *(["-m", "gym_hil", "virtual-arm"] if log is None else watched)]
    command += ["--scene", "--seed", str(seed), "--json", str(facts)]
    command += [*more, *(["--fault", *fault] if fault else [])]
    arm = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
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
    """The result of a run in the result file, with the measurements of all its parts.

    Args:
        path: the file.
        out: folder of the run. If it contains a run, its result is continued.
        config: configuration of the run.
        fault: faults of the virtual arm.
        observer: observes the run.
    """

    def __init__(
        self, path: Path, out: Path, config: TrainConfig, fault: tuple[str, ...], observer: Observer
    ) -> None:
        self._path, self._out, self._observer = path, out, observer
        self._file: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        before = self._file.get(TRAINING) if not fault else None
        for entry in self._file.get(FAULTS, []):
            if tuple(entry["fault"]) == fault:
                before = entry
        self._facts: dict[str, Any] = before if before and (out / CONFIG).is_file() else {"parts": []}
        if not fault:
            self._file[TRAINING] = self._facts
        elif before is None:
            self._file.setdefault(FAULTS, []).append(self._facts)
        else:
            faults = self._file[FAULTS]
            faults[faults.index(before)] = self._facts
        self._facts |= {
            "fault": fault,
            "commit": commit(),
            "config": config.to_json(),
            "versions": {name: metadata.version(name) for name in ("lerobot", "mujoco", "torch")},
            "python": platform.python_version(),
            "cores": os.cpu_count(),
        }
        self._begun = time.time()
        self._part: dict[str, Any] = {}
        self._facts["parts"].append(self._part)
        self._twin: Any = None

    def begin(self, env: Any) -> None:
        """Observe the environment of the run."""
        self._observer.attach(env)
        self._twin = env.get_wrapper_attr("twin")
        limits = asdict(self._twin.limits)
        limits["workspace"] = {"low": list(self._twin.box.low), "high": list(self._twin.box.high)}
        self._facts["limits"] = limits

    def note(self, status: RunStatus) -> None:
        """Write the state of the run after an episode."""
        if self._twin is None:
            return
        self._observer.note_end()
        self._part |= {
            "late_steps": self._twin.overruns,
            "timed_steps": self._twin.steps,
            "worst_late_ms": round(1000.0 * self._twin.worst_overrun_s, 1),
            "minutes": round((time.time() - self._begun) / 60.0, 2),
            "load": [round(load, 1) for load in os.getloadavg()],
            **self._observer.facts(),
        }
        parts = [part for part in self._facts["parts"] if part]
        names = ("late_steps", "timed_steps", "finished_episodes")
        self._facts |= {name: sum(part[name] for part in parts) for name in names}
        self._facts |= {
            "episodes": status.episodes,
            "updates": status.updates,
            "late_share": self._facts["late_steps"] / max(1, self._facts["timed_steps"]),
        }
        self._write()

    def evaluated(self, found: dict[str, Any]) -> None:
        """Write the evaluation."""
        self._facts["evaluation"] = found
        self._write()

    def end(self, log: Path) -> None:
        """Write which episodes can be read, and the true motion of this part, whose record is the file `log`."""
        store = TrainingEpisodeStore(self._out / EPISODES)
        self._facts["stored_episodes"] = len([store.read(number) for number in range(len(store))])
        if self._twin is not None:
            current = self._twin.limits.current
            self._part["motion"] = summary(read(log), self._observer.intervals, self._twin.box, current)
        self._write()

    def _write(self) -> None:
        write_atomically(self._path, json.dumps(self._file, indent=1) + "\n")


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
    max_current: float = RealArmOptions.max_current,
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
        max_current: limit of the servos' currents (A).
    """
    config = TrainConfig(
        env_id=TASK,
        **defaults_for(TASK, "state", method),
        method=method,
        robot_minutes=robot_minutes,
        demos=demos,
        seed=seed,
        final_episodes=episodes,
    )
    agree_always()
    observer = Observer()
    result = Result(json_file, out, config, fault, observer)
    logs = out.with_name(f"{out.name}-motion")
    make_folder(logs)
    log = logs / f"{time.time():.0f}.csv"
    with tempfile.TemporaryDirectory() as folder:
        process, addresses = start_arm(Path(folder), fault, seed, log=log)
        observer.attend(process)
        try:
            options = RealArmOptions(
                robot="lerobot:so101_follower",
                robot_port=addresses["ports"]["follower"],
                robot_calibration_dir=Path(addresses["calibration_dir"]),
                robot_scene=addresses["scene"],
                max_current=max_current,
            )

            def ready(env: Any) -> None:
                result.begin(env)
                options.write_description(out)

            evaluation = train(config, out, result.note, resume=True, ready=ready, build=options.build)
            result.evaluated(asdict(evaluation))
        finally:
            process.terminate()
            process.wait()
            result.end(log)
    print(json.dumps(json.loads(json_file.read_text(encoding="utf-8")), indent=1)[-3000:])


if __name__ == "__main__":
    tyro.cli(main)
