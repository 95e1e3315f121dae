"""Measure how LeRobot reacts to each fault of ``gym-hil virtual-arm``.

    python benchmarks/virtual_arm_faults.py --json-file benchmarks/virtual_arm_faults.json

Needs ``lerobot[feetech]``. For each fault LeRobot's `SO101Follower` connects, reads and commands the arm 30 times a
second for eight seconds, in which it moves every joint back and forth, and disconnects.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import tyro
from lerobot.robots.so_follower import SO101Follower
from lerobot.robots.so_follower.config_so_follower import SOFollowerRobotConfig

from gym_hil.core.files import write_atomically
from gym_hil.experiments.run_record import commit

FAULTS = (
    "",
    "lost:0.02",
    "lost:0.02@2",
    "lost:0.2@2",
    "late:0.02,20",
    "late:0.02,100@2",
    "checksum:0.02",
    "checksum:0.02@2",
    "checksum:0.2@2",
    "overload:shoulder_pan",
    "overload:gripper",
    "overheat:elbow_flex@2",
    "stiff:elbow_flex,1.5",
    "stiff:elbow_flex,2.5",
    "unplug@3-5",
)
RATE_HZ, SECONDS = 30.0, 8.0


@dataclass
class Outcome:
    """Reaction of LeRobot to a fault.

    Attributes:
        fault: name of the fault.
        connected: the error of `connect`, or an empty string.
        stopped: the error that ended the loop, or an empty string.
        rounds: number of times that the arm was read and commanded.
        slowest_ms: duration of the slowest round (ms).
        mean_error_deg: mean distance of a joint from its goal of a quarter of a second before, for the joint with the
            largest mean; None if the arm was not moved to the end.
        in_step: whether every answer still belongs to its request afterwards.
        disconnected: the error of `disconnect`, or an empty string.
        again: the error of a new connection at the end, or an empty string.
    """

    fault: str
    connected: str = ""
    stopped: str = ""
    rounds: int = 0
    slowest_ms: float = 0.0
    mean_error_deg: float | None = None
    in_step: bool | None = None
    disconnected: str = ""
    again: str = ""


def attempt(function, *arguments, **options) -> str:
    """Call a function, and return the error that it raised in one line, or an empty string."""
    try:
        function(*arguments, **options)
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
    return ""


def drive(robot: SO101Follower, outcome: Outcome, hold: float) -> None:
    """Move all joints back and forth for a while, and then hold them 15 degrees off for `hold` seconds."""
    home = robot.get_observation()
    goals, errors = [], {joint: [] for joint in home}
    began = time.perf_counter()
    while (now := time.perf_counter() - began) < SECONDS + hold:
        shift = 15.0 * math.sin(2.0 * math.pi * now / 4.0) if now < SECONDS else 15.0
        goals.append({joint: position + shift for joint, position in home.items()})
        start = time.perf_counter()
        robot.send_action(goals[-1])
        seen = robot.get_observation()
        outcome.slowest_ms = max(outcome.slowest_ms, 1000.0 * (time.perf_counter() - start))
        outcome.rounds += 1
        if len(goals) > 8:
            for joint, position in seen.items():
                errors[joint].append(abs(position - goals[-8][joint]))
        time.sleep(max(0.0, outcome.rounds / RATE_HZ - (time.perf_counter() - began)))
    outcome.mean_error_deg = max(sum(each) / len(each) for each in errors.values())


def try_fault(fault: str, hold: float) -> Outcome:
    """Return the reaction of LeRobot to a fault."""
    outcome = Outcome(fault or "none")
    with tempfile.TemporaryDirectory() as folder:
        facts = Path(folder) / "facts.json"
        command = [sys.executable, "-m", "gym_hil", "virtual-arm", "--json", str(facts)]
        command += ["--fault", fault] if fault else []
        arm = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        while not facts.exists():
            time.sleep(0.1)
        description = json.loads(facts.read_text(encoding="utf-8"))
        config = SOFollowerRobotConfig(
            port=description["ports"]["follower"],
            id="follower",
            calibration_dir=Path(description["calibration_dir"]),
        )
        robot = SO101Follower(config)
        outcome.connected = attempt(robot.connect)
        if not outcome.connected:
            outcome.stopped = attempt(drive, robot, outcome, hold)
            models = []
            outcome.stopped = outcome.stopped or attempt(
                lambda: models.extend(robot.bus.read("Model_Number", motor) for motor in robot.bus.motors)
            )
            outcome.in_step = set(models) == {777} if models else None
            outcome.disconnected = attempt(robot.disconnect)
        time.sleep(3.0)
        again = SO101Follower(config)
        outcome.again = attempt(again.connect)
        attempt(again.disconnect)
        arm.terminate()
        arm.wait()
    return outcome


def main(fault: tuple[str, ...] = FAULTS, hold: float = 0.0, json_file: Path | None = None) -> None:
    """Cause faults, and print the reactions of LeRobot.

    Args:
        fault: the faults.
        hold: after the motion, hold the joints 15 degrees away from their initial positions for this time (s). A jammed
            servo reports an overload after two seconds.
        json_file: write the outcomes to this file as well.
    """
    outcomes = []
    for each in fault:
        outcomes.append(asdict(try_fault(each, hold)))
        print(json.dumps(outcomes[-1], indent=1), flush=True)
        if json_file is not None:
            facts = {"commit": commit(), "lerobot": metadata.version("lerobot"), "hold_s": hold}
            write_atomically(json_file, json.dumps({**facts, "outcomes": outcomes}, indent=1) + "\n")


if __name__ == "__main__":
    tyro.cli(main)
