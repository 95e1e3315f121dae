"""Runs a policy of `gym-hil train` on the virtual arm through LeRobot's unmodified `lerobot-rollout`.

    python benchmarks/arm_rollouts.py --policy runs/states --name states --json-file benchmarks/arm_rollouts.json

Needs ``lerobot[feetech]`` and the extras train and virtual-arm. Each rollout runs the program once, with the cube at
another position. A rollout succeeds if the cube is in the air, as high as the task requires, at two times 0.1 s apart.
The result is written after every rollout, under the name of the policy. Rollouts in the file are not repeated. If
LeRobot cannot connect, because a servo answers too late, this is counted, and the rollout is tried again.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import tyro
from lerobot.scripts import lerobot_rollout

from gym_hil.core.files import make_folder, write_atomically
from gym_hil.experiments.run_record import commit
from gym_hil.integrations.lerobot.modeling_trained import export
from gym_hil.integrations.lerobot.real_arm.scene import MeasuredScene
from gym_hil.learning.checkpoint import load
from gym_hil.learning.evaluation import wilson
from gym_hil.robots import ROBOTS
from real_arm_training import start_arm

LIFT = ROBOTS["so101"].workspace.lift
"""Height above the table at which the cube counts as lifted (m)."""
POLL_S = 0.1


class Watch(threading.Thread):
    """Watches the cube, and measures the time until it is lifted.

    Args:
        address: host and port of the program that measures the cube.
    """

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self._scene, self._ended = MeasuredScene(address), threading.Event()
        self._rest = self._height()
        self.highest = 0.0
        self.lifted_at: float | None = None

    def run(self) -> None:
        """Poll the height of the cube until `end` is called."""
        was_lifted = False
        while not self._ended.wait(POLL_S):
            lift = self._height() - self._rest
            self.highest = max(self.highest, lift)
            if was_lifted and lift > LIFT and self.lifted_at is None:
                self.lifted_at = time.monotonic()
            was_lifted = lift > LIFT

    def end(self) -> None:
        """Stop, and disconnect."""
        self._ended.set()
        self.join()
        self._scene.close()

    def _height(self) -> float:
        return self._scene.poses(["cube"])["cube"][2]


@contextmanager
def arguments(*given: str) -> Iterator[None]:
    """Set the arguments of the command line."""
    before, sys.argv = sys.argv, ["lerobot-rollout", *given]
    try:
        yield
    finally:
        sys.argv = before


def put_back(arm: dict[str, Any]) -> None:
    """Move the cube to the next place."""
    scene = MeasuredScene(arm["scene"])
    assert scene.put_back()
    scene.close()


def roll_out(policy: Path, arm: dict[str, Any], seconds: float, scene: bool, goals: int) -> dict[str, Any]:
    """Run `lerobot-rollout` once, and return what was measured. Seconds count from the start of the program."""
    put_back(arm)
    watch = Watch(arm["scene"])
    watch.start()
    options = [
        f"--policy.path={policy}", *arm["lerobot"]["follower"], "--robot.disable_torque_on_disconnect=false",
        "--fps=10", f"--duration={seconds}", "--task=Pick up the cube", "--strategy.type=base",
        f"--interpolation_multiplier={goals}",
    ]  # fmt: skip
    start_s = time.monotonic()
    try:
        with arguments(*options, *([f"--policy.scene={arm['scene']}"] if scene else [])):
            lerobot_rollout.main()
    finally:
        watch.end()
    lifted = None if watch.lifted_at is None else round(watch.lifted_at - start_s, 2)
    return {"success": lifted is not None, "highest_m": round(watch.highest, 4), "seconds": lifted}


def main(
    policy: Path,
    json_file: Path,
    *,
    name: str,
    rollouts: int = 20,
    duration: float = 6.0,
    seed: int = 1000,
    goals: int = 5,
) -> None:
    """Roll out a policy.

    Args:
        policy: folder of `gym-hil train`.
        json_file: file of the results.
        name: name of the policy in the file.
        rollouts: number of rollouts.
        duration: duration of a rollout (s), including the motion to the start.
        seed: seed of the cube's places.
        goals: number of goals per control period, which LeRobot interpolates.
    """
    results = json.loads(json_file.read_text(encoding="utf-8")) if json_file.is_file() else {}
    trained = load(policy)
    done = results.setdefault(name, {"rollouts": []})
    done |= {
        "config": trained.config.to_json(),
        "commit": commit(),
        "seed": seed,
        "goals": goals,
        "versions": {name: metadata.version(name) for name in ("lerobot", "mujoco", "torch")},
    }
    cameras = () if trained.config.obs == "state" else ("--cameras", "front,wrist")
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        make_folder(folder / "policy")
        export(trained, folder / "policy")
        process, arm = start_arm(folder, (), seed, *cameras)
        try:
            for _ in done["rollouts"]:
                put_back(arm)
            while len(done["rollouts"]) < rollouts:
                try:
                    outcome = roll_out(folder / "policy", arm, duration, not cameras, goals)
                except (ConnectionError, RuntimeError) as error:
                    frames = traceback.extract_tb(error.__traceback__)
                    if not any(frame.name == "connect" for frame in frames):
                        raise
                    done["not_connected"] = done.get("not_connected", 0) + 1
                    continue
                done["rollouts"].append({**outcome, "load": round(os.getloadavg()[0], 1)})
                successes = sum(rollout["success"] for rollout in done["rollouts"])
                low, high = wilson(successes, len(done["rollouts"]))
                done |= {"successes": successes, "low": round(low, 3), "high": round(high, 3)}
                write_atomically(json_file, json.dumps(results, indent=1) + "\n")
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    tyro.cli(main)
