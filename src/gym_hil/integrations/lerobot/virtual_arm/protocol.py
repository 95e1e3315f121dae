"""Packets of the Feetech STS protocol. All functions are pure.

A packet is ``FF FF id length code parameters checksum``. `length` is the number of bytes from code to checksum. The
checksum is the complement of the sum of all bytes between header and checksum. `code` is an instruction in requests,
and the servo's error bits in answers. Numbers are little-endian.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

HEADER = b"\xff\xff"
BROADCAST = 0xFE
"""Address of all servos."""
LONGEST = 250
"""Largest `length` of a packet."""


class Instruction(enum.IntEnum):
    """Instructions of requests."""

    PING = 0x01
    READ = 0x02
    WRITE = 0x03
    SYNC_READ = 0x82
    SYNC_WRITE = 0x83


@dataclass(frozen=True)
class Packet:
    """One packet.

    Attributes:
        servo_id: address of the servo.
        code: an `Instruction`, or the error bits of an answer.
        parameters: the parameters.
    """

    servo_id: int
    code: int
    parameters: bytes = b""


def checksum(body: bytes) -> int:
    """Return the checksum of the bytes between header and checksum."""
    return ~sum(body) & 0xFF


def encode(packet: Packet) -> bytes:
    """Return the bytes of a packet."""
    body = bytes([packet.servo_id, len(packet.parameters) + 2, packet.code]) + packet.parameters
    return HEADER + body + bytes([checksum(body)])


def decode(stream: bytes) -> tuple[list[Packet], bytes]:
    """Return the packets in `stream`, and the remaining bytes, which may be the beginning of another one.

    Noise and packets with a wrong checksum are skipped.
    """
    packets: list[Packet] = []
    while (start := stream.find(HEADER)) >= 0:
        stream = stream[start:]
        if len(stream) < 4:
            return packets, stream
        servo_id, length = stream[2], stream[3]
        if servo_id > BROADCAST or not 2 <= length <= LONGEST:
            stream = stream[1:]
            continue
        if len(stream) < length + 4:
            return packets, stream
        body, check = stream[2 : length + 3], stream[length + 3]
        if checksum(body) == check:
            packets.append(Packet(servo_id, body[2], body[3:]))
            stream = stream[length + 4 :]
        else:
            stream = stream[1:]
    return packets, stream[-1:] if stream[-1:] == HEADER[:1] else b""


def sync_read_request(parameters: bytes) -> tuple[int, int, tuple[int, ...]]:
    """Return address and number of bytes of a SYNC_READ, and the ids of its servos in order."""
    return parameters[0], parameters[1], tuple(parameters[2:])


def sync_write_request(parameters: bytes) -> tuple[int, dict[int, bytes]]:
    """Return the address of a SYNC_WRITE, and the bytes for every servo."""
    address, size, rest = parameters[0], parameters[1], parameters[2:]
    step = size + 1
    return address, {rest[at]: rest[at + 1 : at + step] for at in range(0, len(rest) - size, step)}


def to_bytes(value: int, size: int, sign_bit: int | None = None) -> bytes:
    """Return the bytes of a register.

    Args:
        value: a number, which is limited to the range of the register. Negative numbers need a `sign_bit`.
        size: number of bytes.
        sign_bit: the bit that marks negative numbers; the bits below it contain the magnitude.
    """
    if sign_bit is None:
        return min(max(value, 0), (1 << 8 * size) - 1).to_bytes(size, "little")
    magnitude = min(abs(value), (1 << sign_bit) - 1)
    return (magnitude | ((value < 0) << sign_bit)).to_bytes(size, "little")


def to_number(data: bytes, sign_bit: int | None = None) -> int:
    """Return the number in the bytes of a register, see `to_bytes`."""
    value = int.from_bytes(data, "little")
    if sign_bit is None or not value >> sign_bit & 1:
        return value
    return -(value & ((1 << sign_bit) - 1))
