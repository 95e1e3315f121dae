"""Servos on a bus, and their answers to the bytes of a program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gym_hil.core.errors import require_one_of
from gym_hil.integrations.lerobot.virtual_arm import registers as reg
from gym_hil.integrations.lerobot.virtual_arm.protocol import (
    BROADCAST,
    Instruction,
    Packet,
    decode,
    encode,
    sync_read_request,
    sync_write_request,
)
from gym_hil.integrations.lerobot.virtual_arm.servo import Servo


class Bus:
    """Servos on a bus.

    Servos with the same address answer at the same time. Where their bits differ, 0 is received, which damages the
    answer.

    Args:
        servos: the servos by the names of their joints, in the order of the chain.

    Attributes:
        servos: all servos, connected or not.
    """

    def __init__(self, servos: Mapping[str, Servo]) -> None:
        self.servos = dict(servos)
        self._connected = set(self.servos)
        self._unread = b""

    def connect(self, names: Iterable[str]) -> None:
        """Connect the given servos to the bus and disconnect all others.

        Raises:
            InvalidArgumentError: there is no such servo.
        """
        names = list(names)
        for name in names:
            require_one_of("joint", name, self.servos)
        self._connected = set(names)

    def exchange(self, sent: bytes, baud_rate: int, *, newest_only: bool = False) -> list[bytes]:
        """Return the answers to bytes from a program, one per packet, in order.

        Args:
            sent: the bytes; an incomplete packet is kept until the rest arrives.
            baud_rate: bits per second. Servos with another baud rate do not receive anything.
            newest_only: whether only the newest request is answered. All are executed.
        """
        packets, self._unread = decode(self._unread + sent)
        hearing = [
            servo
            for name, servo in self.servos.items()
            if name in self._connected and servo.baud_rate == baud_rate
        ]
        answers = [answer for packet in packets if (answer := _answers(packet, hearing))]
        return [packet for answer in (answers[-1:] if newest_only else answers) for packet in answer]

    def forget(self) -> None:
        """Discard an incomplete packet, for example after the cable was disconnected."""
        self._unread = b""


def _answers(packet: Packet, servos: list[Servo]) -> list[bytes]:
    """Let `servos` execute a packet, and return their answers in order."""
    parameters = packet.parameters
    addressed: dict[int, list[Servo]] = {}
    for servo in servos:
        addressed.setdefault(servo.get(reg.ID), []).append(servo)
    if packet.code == Instruction.SYNC_WRITE and len(parameters) > 2:
        address, data = sync_write_request(parameters)
        for servo_id, values in data.items():
            for servo in addressed.get(servo_id, ()):
                servo.write(address, values)
        return []
    if packet.code == Instruction.SYNC_READ and len(parameters) > 2:
        address, size, servo_ids = sync_read_request(parameters)
        read = Packet(BROADCAST, Instruction.READ, bytes([address, size]))
        return [
            _together(servo_id, read, addressed[servo_id]) for servo_id in servo_ids if servo_id in addressed
        ]
    if packet.servo_id != BROADCAST:
        group = addressed.get(packet.servo_id, [])
        answer = _together(packet.servo_id, packet, group)
        return [answer] if answer else []
    if packet.code == Instruction.PING:
        return [_together(servo_id, packet, addressed[servo_id]) for servo_id in sorted(addressed)]
    for servo in servos:  # other broadcasts are executed but not answered
        _execute(packet, servo)
    return []


def _together(servo_id: int, packet: Packet, group: list[Servo]) -> bytes:
    """Return the answer of servos that share an address, or nothing."""
    together = b""
    for servo in group:
        data = _execute(packet, servo)
        if data is None:
            continue
        answer = encode(Packet(servo_id, int(servo.errors), data))
        together = bytes(a & b for a, b in zip(together, answer, strict=False)) if together else answer
    return together


def _execute(packet: Packet, servo: Servo) -> bytes | None:
    """Let a servo execute a packet, and return the data of its answer, or None if it does not answer."""
    parameters = packet.parameters
    if packet.code == Instruction.PING:
        return b""
    if packet.code == Instruction.READ and len(parameters) == 2:
        return servo.read(*parameters)
    if packet.code == Instruction.WRITE and len(parameters) > 1:
        servo.write(parameters[0], parameters[1:])
        return b"" if servo.get(reg.RESPONSE_LEVEL) else None
    return None
