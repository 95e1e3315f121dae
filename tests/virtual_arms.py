"""Virtual arms for tests: in the process of the test, where their true state is known, or in a process of their own."""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from gym_hil.integrations.lerobot.real_arm.connection import ACCELERATION, RAD_PER_COUNT, Measurement
from gym_hil.integrations.lerobot.virtual_arm import registers as reg
from gym_hil.integrations.lerobot.virtual_arm.arm import ServoArm
from gym_hil.integrations.lerobot.virtual_arm.environment import PHYSICS_DT
from gym_hil.integrations.lerobot.virtual_arm.protocol import (
    BROADCAST,
    Instruction,
    Packet,
    decode,
    encode,
    to_bytes,
    to_number,
)
from gym_hil.integrations.lerobot.virtual_arm.station import FOLLOWER, LEADER, Station, StationConfig

BAUD = 1_000_000
JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
IDS = range(1, 7)
GRIPPER = 5
"""Number of the gripper among the joints."""


def open_port(path) -> int:
    return os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


class HurriedClock:
    """Time that goes by as fast as it is looked at: whatever somebody waits for is due the next time."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        self._now += PHYSICS_DT
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += max(0.0, seconds)


CLOCK = HurriedClock()


class Program:
    """A program that drives an arm through its port."""

    def __init__(self, station: Station, name: str) -> None:
        self.station, self.line = station, station.rig.lines[name]
        self.fd = open_port(self.line.port.path)
        settings = termios.tcgetattr(self.fd)
        settings[4] = settings[5] = termios.B1000000
        termios.tcsetattr(self.fd, termios.TCSANOW, settings)

    def ask(self, servo_id: int, code: int, parameters: bytes = b"", answers: int = 1) -> list[Packet]:
        os.write(self.fd, encode(Packet(servo_id, code, parameters)))
        read, rest = [], b""
        deadline = time.monotonic() + 5.0  # bytes take some time through a pseudo-terminal
        while len(read) < answers and time.monotonic() < deadline:
            self.line.serve(CLOCK.monotonic())
            if select.select([self.fd], [], [], 0.001)[0]:
                packets, rest = decode(rest + os.read(self.fd, 4096))
                read += packets
        return read

    def positions(self) -> list[int]:
        read = self.ask(BROADCAST, Instruction.SYNC_READ, bytes([56, 2, 1, 2, 3, 4, 5, 6]), answers=6)
        return [to_number(packet.parameters) for packet in read]

    def goals(self, values: list[int]) -> None:
        data = b"".join(bytes([number, *to_bytes(value, 2)]) for number, value in enumerate(values, 1))
        os.write(self.fd, encode(Packet(BROADCAST, Instruction.SYNC_WRITE, bytes([42, 2]) + data)))
        self.ask(1, Instruction.PING)  # it has arrived

    def configure(self) -> None:
        """Set acceleration and grip as LeRobot does. With full torque, the gripper squeezes cubes out of its jaw."""
        for number in IDS:
            assert self.ask(number, Instruction.WRITE, bytes([reg.ACCELERATION.address, 254]))
        limit = to_bytes(500, reg.TORQUE_LIMIT.size)
        assert self.ask(GRIPPER + 1, Instruction.WRITE, bytes([reg.TORQUE_LIMIT.address]) + limit)

    def torque(self, on: bool) -> None:
        for number in range(1, 7):
            assert self.ask(number, Instruction.WRITE, bytes([40, int(on)]))

    def run(self, seconds: float, every_step=lambda: None) -> None:
        """Let simulated time go by, as fast as this machine can."""
        for _ in range(round(seconds / 0.1)):
            every_step()
            self.station.step()

    def close(self) -> None:
        os.close(self.fd)


class StationTime:
    """A clock on which the time of a station passes: whoever sleeps lets it be simulated.

    Args:
        station: the station.

    Attributes:
        watcher: called after every physics step.
    """

    def __init__(self, station: Station) -> None:
        self._simulation = station.env.unwrapped.simulation
        self._now = self._simulated = 0.0
        self.watcher: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += max(0.0, seconds)
        while self._simulated + PHYSICS_DT <= self._now + 1e-9:
            self._simulation.advance(1)
            self._simulated += PHYSICS_DT
            self.watcher()


def measured_degrees(arm: ServoArm) -> tuple[list[float], float]:
    """Return what LeRobot reads from an arm: the joints (degrees), and the opening (0 to 100)."""
    ask = Packet(BROADCAST, Instruction.SYNC_READ, bytes([reg.PRESENT_POSITION.address, 2, *IDS]))
    (*joints, gripper) = (
        to_number(decode(answer)[0][0].parameters) for answer in arm.bus.exchange(encode(ask), BAUD)
    )
    ends = _ends(arm)
    degrees = [(at - sum(both) / 2) * 360 / 4095 for at, both in zip(joints, ends, strict=False)]
    low, high = ends[GRIPPER]
    return degrees, 100.0 * (gripper - low) / (high - low)


def _ends(arm: ServoArm) -> list[tuple[int, int]]:
    return [(joint["range_min"], joint["range_max"]) for joint in arm.calibration().values()]


class StationArm:
    """The follower of a station as `RealArm` connects to arms, with the packets and conversions of LeRobot.

    Args:
        station: the station.
        clock: its time.
        reading_s: duration of a measurement (s).
    """

    cameras = ()

    def __init__(self, station: Station, clock: StationTime, reading_s: float = 0.008) -> None:
        self._arm, self._clock, self._reading_s = station.arms[FOLLOWER], clock, reading_s
        self.connections = self.commands = 0
        self.commanded_at = 0.0

    def connect(self) -> None:
        self.connections += 1
        for number in IDS:
            acceleration = 254 if number == IDS[GRIPPER] else ACCELERATION
            for register, value in ((reg.ACCELERATION, acceleration), (reg.TORQUE_ENABLE, 1)):
                self._tell(number, Instruction.WRITE, bytes([register.address, value]))

    def read(self) -> Measurement:
        self._clock.sleep(self._reading_s)
        degrees, opening = measured_degrees(self._arm)
        return Measurement(tuple(map(math.radians, degrees)), opening / 100.0)

    def reset_gripper(self) -> None:
        """Do nothing: these tests squeeze no object."""

    def limit_speed(self, speeds: Sequence[float]) -> None:
        for number, speed in zip(IDS, speeds, strict=False):
            counts = to_bytes(max(1, round(speed / RAD_PER_COUNT)), 2)
            self._tell(number, Instruction.WRITE, bytes([reg.GOAL_VELOCITY.address, *counts]))

    def send(self, joints: Sequence[float], opening: float) -> None:
        self.commands, self.commanded_at = self.commands + 1, self._clock.monotonic()
        ends = _ends(self._arm)
        goals = [
            sum(both) / 2 + math.degrees(at) * 4095 / 360 for at, both in zip(joints, ends, strict=False)
        ]
        low, high = ends[GRIPPER]
        goals.append(low + opening * (high - low))
        data = b"".join(
            bytes([number, *to_bytes(int(goal), 2)]) for number, goal in zip(IDS, goals, strict=True)
        )
        self._tell(BROADCAST, Instruction.SYNC_WRITE, bytes([reg.GOAL_POSITION.address, 2]) + data)

    def close(self) -> None:
        """Do nothing: the servos hold the arm."""

    def _tell(self, number: int, instruction: int, parameters: bytes) -> None:
        self._arm.bus.exchange(encode(Packet(number, instruction, parameters)), BAUD)


class StationLeader:
    """The leader of a station as a teleoperator of LeRobot."""

    name, is_connected = "leader", True

    def __init__(self, station: Station) -> None:
        self._arm = station.arms[LEADER]

    def get_action(self) -> dict[str, float]:
        degrees, trigger = measured_degrees(self._arm)
        names = [f"{joint}.pos" for joint in self._arm.joints]
        return dict(zip(names, [*degrees, trigger], strict=True))


@contextlib.contextmanager
def stations() -> Iterator[Callable[..., tuple]]:
    """Make stations whose time goes by as fast as this machine can, and the programs that drive their arms."""
    made: list[Station | Program] = []

    def make(**config) -> tuple:
        one = Station(StationConfig(seed=0, **config), clock=CLOCK)
        programs = [Program(one, name) for name in one.rig.lines]
        made.extend([one, *programs])
        return one, *programs

    try:
        yield make
    finally:
        for one in reversed(made):
            one.close()


class VirtualArm:
    """`gym-hil virtual-arm` in a process of its own.

    Attributes:
        log: file with what it has printed.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.log = folder / "virtual-arm.log"
        facts = folder / "virtual-arm.json"
        command = [
            sys.executable,
            "-m",
            "gym_hil",
            "virtual-arm",
            "--seed",
            "0",
            "--json",
            str(facts),
            *arguments,
        ]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, text=True
            )
        wait_for(facts.exists, self.log)
        self.facts = json.loads(facts.read_text())

    def arguments(self, *arms: str) -> list[str]:
        return [argument for arm in arms for argument in self.facts["lerobot"][arm]]

    def tell(self, command: str) -> None:
        """Give a command, and wait until it was carried out."""
        done, before = f"{command}: done", self.log.read_text()
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        wait_for(lambda: self.log.read_text().count(done) > before.count(done), self.log)

    def swing(self, name: str) -> None:
        """Let a hand move a joint of an arm back and forth for six minutes, with the others in their middle.

        The gripper is open meanwhile. One that squeezes an object for two seconds reports an overload, with which
        LeRobot's programs cannot disconnect.
        """
        self.tell(f"middle {name}")
        self.process.stdin.write(f"move {name} shoulder_pan 15\nmove {name} shoulder_pan -15\n" * 300)
        self.process.stdin.flush()

    def joints(self, name: str = "follower") -> np.ndarray:
        """Return the true positions of the joints of an arm (6, degrees)."""
        self.tell(f"joints {name}")
        shown = [line for line in self.log.read_text().splitlines() if line.startswith(f"{JOINTS[0]}=")]
        return np.array([float(word.split("=")[1]) for word in shown[-1].split()])

    def close(self) -> None:
        self.process.terminate()
        assert self.process.wait(timeout=30) == 0, self.log.read_text()


def wait_for(condition, log: Path, process: subprocess.Popen | None = None) -> None:
    deadline = time.monotonic() + 180
    while not condition():
        ended = process is not None and process.poll() is not None
        assert time.monotonic() < deadline and not ended, log.read_text(encoding="utf-8")[-3000:]
        time.sleep(0.1)
