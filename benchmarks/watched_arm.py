"""Runs the virtual arm like ``gym-hil virtual-arm``, and records how it moves in truth, not as it measures itself.

    python benchmarks/watched_arm.py --log truth.csv --scene --seed 1 --json arm.json

Every `WINDOW_S`, a line with the extremes of this time is added to the file: the time (s, of the system's monotonic
clock), the least and the greatest position of the TCP (m, in the frame of the arm's base), the largest speed of an arm
joint (rad/s), the number of arm joints without torque, and the largest current of each servo (A).
`read` reads the file, and `summary` summarises it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from numpy.typing import NDArray

from gym_hil.cli.virtual_arm import VirtualArm
from gym_hil.integrations.lerobot.virtual_arm import registers as reg
from gym_hil.integrations.lerobot.virtual_arm.environment import PHYSICS_DT
from gym_hil.integrations.lerobot.virtual_arm.servo import CURRENT_UNIT
from gym_hil.integrations.lerobot.virtual_arm.station import FOLLOWER, Station
from gym_hil.robots.geometry import Box

WINDOW_S = 0.02
"""Duration of the windows (s)."""
BLOCKED_A, FREE_S = 2.5, 0.5
"""Current of a servo with almost its full torque (A), and the time after it in which a joint may come free (s)."""
JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
"""Servos in the order of the currents."""
TIME, LOW, HIGH, SPEED, LIMP, CURRENTS = 0, slice(1, 4), slice(4, 7), 7, 8, slice(9, 15)
"""Columns of the file."""


@dataclass(kw_only=True)
class WatchedArm(VirtualArm):
    """A virtual arm whose motion is recorded."""

    log: Path
    """File of the motion."""

    def _simulate(self, station: Station) -> None:
        with self.log.open("w", buffering=1, encoding="utf-8") as file:
            recorder = Recorder(station, file)
            simulation = recorder.simulation
            tick = simulation.serve

            def serve() -> None:
                tick()
                recorder.note()

            simulation.serve = serve
            super()._simulate(station)


class Recorder:
    """Notes the state of the simulated arm before every physics step.

    Args:
        station: the virtual arm.
        file: file to which a line per window is written.

    Attributes:
        simulation: the simulation of the arm.
    """

    def __init__(self, station: Station, file: Any) -> None:
        self.simulation = station.env.get_wrapper_attr("simulation")
        self._file, self._rows = file, []
        effector, model = self.simulation.robot.end_effectors[0], self.simulation.model
        self._dofs = [int(model.joint(name).dofadr[0]) for name in effector.joints]
        self._actuators = [int(model.actuator(f"{name}_servo").id) for name in effector.joints]
        self._servos = list(station.arms[FOLLOWER].bus.servos.values())
        assert tuple(station.arms[FOLLOWER].bus.servos) == JOINTS

    def note(self) -> None:
        """Note the current state, and write a line when a window ends."""
        simulation = self.simulation
        self._rows.append(
            (
                *simulation.tcp_pos_w,
                float(np.abs(simulation.data.qvel[self._dofs]).max()),
                int((simulation.model.actuator_forcerange[self._actuators, 1] == 0.0).sum()),
                *(CURRENT_UNIT * abs(servo.get(reg.PRESENT_CURRENT)) for servo in self._servos),
            )
        )
        if len(self._rows) * PHYSICS_DT >= WINDOW_S:
            rows = np.array(self._rows)
            self._rows = []
            line = [*rows[:, :3].min(axis=0), *rows[:, :3].max(axis=0), *rows[:, 3:].max(axis=0)]
            self._file.write(f"{time.monotonic():.3f}," + ",".join(f"{value:.4f}" for value in line) + "\n")


def read(path: Path) -> NDArray[np.float64]:
    """Return the complete lines of a file, one row each."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return np.array([[float(value) for value in line.split(",")] for line in lines]).reshape(len(lines), -1)


def outside_m(rows: NDArray[np.float64], box: Box) -> NDArray[np.float64]:
    """Return the largest distance of the TCP from the box along an axis in each window (m); 0 inside the box."""
    beyond = np.maximum(np.subtract(box.low, rows[:, LOW]), rows[:, HIGH] - np.array(box.high))
    return beyond.max(axis=1, initial=0.0)


def motion(rows: NDArray[np.float64], box: Box) -> dict[str, float]:
    """Return how far the TCP was outside the box, and how fast the arm's fastest joint was, at most and in 99 % of the
    given windows.
    """
    if not len(rows):
        return {"seconds": 0.0, "outside_mm": 0.0, "joint_speed": 0.0, "joint_speed_p99": 0.0}
    return {
        "seconds": round(len(rows) * WINDOW_S, 1),
        "outside_mm": round(1000.0 * float(outside_m(rows, box).max()), 1),
        "joint_speed": round(float(rows[:, SPEED].max()), 2),
        "joint_speed_p99": round(float(np.quantile(rows[:, SPEED], 0.99)), 2),
    }


def within(rows: NDArray[np.float64], intervals: Iterable[tuple[float, float]]) -> NDArray[np.bool_]:
    """Return which windows are in one of the intervals of time (s)."""
    chosen = np.zeros(len(rows), bool)
    for start, end in intervals:
        chosen |= (rows[:, TIME] - WINDOW_S >= start) & (rows[:, TIME] <= end)
    return chosen


def free(rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return in which windows no servo of the arm had almost its full torque in the last `FREE_S`."""
    if not len(rows):
        return np.zeros(0, bool)
    blocked = rows[:, CURRENTS][:, :-1].max(axis=1) >= BLOCKED_A
    return np.convolve(blocked, np.ones(round(FREE_S / WINDOW_S) + 1))[: len(rows)] == 0


def currents(rows: NDArray[np.float64], limit: float) -> dict[str, dict[str, float]]:
    """Return the largest current of each servo (A), and the longest time for which it was above `limit` (s)."""
    found = {}
    for joint, column in zip(JOINTS, rows[:, CURRENTS].T, strict=True):
        longest = count = 0
        for above in column > limit:
            count = count + 1 if above else 0
            longest = max(longest, count)
        highest = float(column.max(initial=0.0))
        found[joint] = {"highest_a": round(highest, 2), "longest_above_s": round(longest * WINDOW_S, 2)}
    return found


def summary(
    rows: NDArray[np.float64],
    intervals: dict[str, list[tuple[float, float]]],
    box: Box,
    current: float,
) -> dict[str, Any]:
    """Return the extremes of the motion, separately for the kinds of intervals.

    Args:
        rows: the windows.
        intervals: the start and end of every interval of each kind (s).
        box: box to which the TCP is limited.
        current: limit of the currents (A).

    Returns:
        A dictionary for each kind, one for the remaining time, and one for the time in which a joint had no torque.
        Windows in the last category do not count in the others. ``free`` is the time in which no servo of the arm had
        almost its full torque in the last `FREE_S`: while a joint is blocked, and when it comes free, its speed is not
        that of its set-point. Also the currents of all servos.
    """
    first = min((start for each in intervals.values() for start, _ in each), default=math.inf)
    rows = rows[rows[:, TIME] >= first]  # before, nothing has been commanded
    limp = rows[:, LIMP] > 0
    found, rest = {}, ~limp
    for kind, each in intervals.items():
        chosen = within(rows, each) & ~limp
        rest &= ~chosen
        found[kind] = motion(rows[chosen], box)
    return {
        **found,
        "waiting": motion(rows[rest], box),
        "without_torque": motion(rows[limp], box),
        "free": motion(rows[free(rows) & ~limp], box),
        "currents": currents(rows, current),
    }


if __name__ == "__main__":
    tyro.cli(WatchedArm).run()
