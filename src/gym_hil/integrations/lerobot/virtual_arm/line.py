"""The connection between an arm and a program: the cable, and its faults."""

from __future__ import annotations

import heapq
import math

from gym_hil.integrations.lerobot.virtual_arm.arm import ServoArm
from gym_hil.integrations.lerobot.virtual_arm.faults import ANSWER_FAULTS, JOINT_FAULTS, AnswerFaults, Fault
from gym_hil.integrations.lerobot.virtual_arm.port import Port
from gym_hil.integrations.lerobot.virtual_arm.servo import ROOM_TEMPERATURE

STALL_S = 0.02
"""Longest pause of this machine after which all requests are answered (s). Servos answer within a
millisecond. After a longer pause, a program may have repeated its request; only the newest one is then
answered, and older answers are removed from the port."""


class ServoLine:
    """An arm at its port.

    Args:
        arm: the arm.
        port: the port for programs.
        faults: the faults.

    Attributes:
        answers: number of answers sent.
    """

    def __init__(self, arm: ServoArm, port: Port, faults: tuple[Fault, ...] = ()) -> None:
        self.arm, self.port = arm, port
        self.answers = 0
        self._began: float | None = None
        self._arriving: list[tuple[float, int, bytes]] = []
        self._last_arrival = 0.0
        self._out = False
        self._served = math.inf
        self._behind = False
        self.set_faults(faults)

    def set_faults(self, faults: tuple[Fault, ...]) -> None:
        """Replace all faults."""
        self._faults = faults
        self._on_answers = AnswerFaults(tuple(fault for fault in faults if fault.kind in ANSWER_FAULTS))
        self._on_joints = [fault for fault in faults if fault.kind in JOINT_FAULTS]
        for joint, servo in self.arm.bus.servos.items():
            self.arm.add_friction(joint, 0.0)
            servo.room_temperature = ROOM_TEMPERATURE

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The present faults."""
        return self._faults

    def serve(self, now: float) -> None:
        """Answer received requests, and deliver delayed answers that are due.

        Args:
            now: time of any monotonic clock (s).
        """
        sent = self.port.read() if self.port.plugged else b""
        self._behind |= now - self._served > STALL_S
        self._served = now
        if sent:
            if self._began is None:
                self._began = now
            answers = self.arm.bus.exchange(sent, self.port.baud_rate, newest_only=self._behind)
            if self._behind:
                self.port.drop_unread()
                self._behind = False
            for delay, answer in self._on_answers.apply(answers, now - self._began):
                self._last_arrival = max(self._last_arrival, now) + delay
                heapq.heappush(self._arriving, (self._last_arrival, self.answers, answer))
                self.answers += 1
        while self._arriving and self._arriving[0][0] <= now:
            self.port.write(heapq.heappop(self._arriving)[2])

    @property
    def next_arrival(self) -> float | None:
        """Time of the next delayed answer; None if there is none."""
        return self._arriving[0][0] if self._arriving else None

    def tick(self, now: float, dt: float) -> None:
        """Start and end the faults of cable and joints, and update the servos for `dt` seconds."""
        since = 0.0 if self._began is None else now - self._began
        for fault in self._on_joints:
            active = self._began is not None and fault.start <= since < fault.end
            if fault.kind == "overheat":
                servo = self.arm.bus.servos[fault.joint]
                servo.room_temperature = fault.number if active else ROOM_TEMPERATURE
            else:
                self.arm.add_friction(fault.joint, fault.number if active else 0.0)
        unplugged = any(
            fault.kind == "unplug" and self._began is not None and fault.start <= since < fault.end
            for fault in self._faults
        )
        if unplugged != self._out:
            self._out = unplugged
            (self.unplug if unplugged else self.plug)()
        self.arm.measure(dt)

    def unplug(self) -> None:
        """Disconnect the cable. Data in transit are lost; the servos keep their power."""
        self.port.unplug()
        self.arm.bus.forget()
        self._arriving.clear()

    def plug(self) -> None:
        """Connect the cable again at the same address."""
        self.port.plug()
