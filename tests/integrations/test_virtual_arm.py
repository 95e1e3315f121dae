"""The parts of the virtual arm without LeRobot: packets, servos, bus, port, and faults."""

from __future__ import annotations

import errno
import os
import struct
import termios

import numpy as np
import pytest

from gym_hil.core.errors import DeviceError, InvalidArgumentError
from gym_hil.integrations.lerobot.virtual_arm import registers as reg
from gym_hil.integrations.lerobot.virtual_arm.bus import Bus
from gym_hil.integrations.lerobot.virtual_arm.faults import AnswerFaults, parse_fault
from gym_hil.integrations.lerobot.virtual_arm.hand import ArmHand
from gym_hil.integrations.lerobot.virtual_arm.port import Port
from gym_hil.integrations.lerobot.virtual_arm.protocol import (
    BROADCAST,
    Instruction,
    Packet,
    checksum,
    decode,
    encode,
    to_bytes,
    to_number,
)
from gym_hil.integrations.lerobot.virtual_arm.servo import Error, JointState, Servo
from virtual_arms import open_port

BAUD = 1_000_000
DT = 0.004
TORQUE = 2.94
ARMS, JOINTS = ("follower", "leader"), ("shoulder_pan", "elbow_flex", "gripper")


# Packets.


def test_packets_match_the_data_sheet():
    ping = bytes([0xFF, 0xFF, 0x01, 0x02, 0x01, 0xFB])
    assert encode(Packet(1, Instruction.PING)) == ping
    read = bytes([0xFF, 0xFF, 0x01, 0x04, 0x02, 0x38, 0x02, 0xBE])
    assert encode(Packet(1, Instruction.READ, bytes([0x38, 2]))) == read
    assert decode(ping + read) == ([Packet(1, 1), Packet(1, 2, b"\x38\x02")], b"")
    assert checksum(b"") == 0xFF


@pytest.mark.parametrize("seed", range(20))
def test_packets_are_found_in_noise_and_in_fragments(seed):
    rng = np.random.default_rng(seed)
    sent = [
        Packet(int(rng.integers(254)), int(rng.integers(256)), rng.bytes(int(rng.integers(20))))
        for _ in range(10)
    ]
    # Noise without header bytes, so that it cannot be the beginning of a packet.
    noise = [bytes(rng.integers(0, 255, int(rng.integers(5)), np.uint8)) for _ in sent]
    stream = b"".join(before + encode(packet) for before, packet in zip(noise, sent, strict=True))
    found, rest = [], b""
    while stream:
        cut = int(rng.integers(1, 9))
        packets, rest = decode(rest + stream[:cut])
        found += packets
        stream = stream[cut:]
    assert found == sent and rest == b""


def test_a_packet_with_a_wrong_checksum_is_skipped_and_the_next_one_is_found():
    wrong = bytearray(encode(Packet(3, Instruction.WRITE, b"\x28\x01")))
    wrong[-1] ^= 1
    assert decode(bytes(wrong) + encode(Packet(4, 1))) == ([Packet(4, 1)], b"")


@pytest.mark.parametrize("value", [0, 1, -1, 512, -2047, 2047])
def test_negative_numbers_have_a_sign_bit(value):
    assert to_number(to_bytes(value, 2, 11), 11) == value


def test_a_number_out_of_the_range_of_a_register_is_clipped():
    assert to_number(to_bytes(-3000, 2, 11), 11) == -2047
    assert to_bytes(300, 1) == b"\xff" and to_bytes(-1, 1) == b"\0"


def test_no_two_registers_share_an_address():
    used = [address for one in reg.REGISTERS for address in range(one.address, one.address + one.size)]
    assert len(used) == len(set(used))


# Servos.


def servo(**values: int) -> Servo:
    one = Servo(1, 2048, TORQUE)
    one.update(JointState(0.0, 0.0, 0.0), DT)
    for name, value in values.items():
        write(one, getattr(reg, name), value)
    return one


def write(one: Servo, register: reg.Register, value: int) -> None:
    one.write(register.address, to_bytes(value, register.size, register.sign_bit))


def run(one: Servo, seconds: float, torque: float = 0.0, position: float | None = None):
    """Let time pass; the joint is at its set-point unless `position` holds it."""
    at, drive = 0.0 if position is None else position, None
    for _ in range(round(seconds / DT)):
        drive = one.update(JointState(at, 0.0, torque), DT)
        at = drive.setpoint if position is None else position
    return drive


def test_a_servo_without_torque_exerts_no_force_and_measures_its_joint():
    one = servo()
    drive = one.update(JointState(np.pi / 2, 1.0, 0.0), DT)
    assert drive.torque_limit == 0.0
    assert one.get(reg.PRESENT_POSITION) == 2048 + 1024
    assert one.get(reg.PRESENT_VELOCITY) == round(4096 / (2 * np.pi))
    assert one.get(reg.MODEL) == 777


def test_the_homing_offset_is_subtracted_and_positions_stay_within_one_turn():
    one = servo(HOMING_OFFSET=-300)
    one.update(JointState(0.0, 0.0, 0.0), DT)
    assert one.get(reg.PRESENT_POSITION) == 2348
    one.update(JointState(np.radians(179.0), 0.0, 0.0), DT)
    assert one.get(reg.PRESENT_POSITION) == (2348 + round(4096 * 179 / 360)) % 4096


def test_with_torque_the_joint_moves_from_its_position_to_the_limited_goal():
    one = servo(TORQUE_ENABLE=1)
    assert one.get(reg.GOAL_POSITION) == 2048
    write(one, reg.MAX_POSITION, 2500)
    write(one, reg.GOAL_POSITION, 3000)
    drive = run(one, 2.0)
    assert drive.setpoint == pytest.approx(452 * 2 * np.pi / 4096, abs=1e-3)
    assert drive.torque_limit == TORQUE


def test_speed_and_acceleration_are_limited():
    one = servo(TORQUE_ENABLE=1, GOAL_VELOCITY=1000, ACCELERATION=10, GOAL_POSITION=4000)
    drive = run(one, 0.5)
    assert drive.setpoint * 4096 / (2 * np.pi) == pytest.approx(0.5 * 1000 * 0.5**2, rel=0.05)
    assert run(one, 6.0).setpoint * 4096 / (2 * np.pi) == pytest.approx(4000 - 2048, abs=1.0)


def test_settings_written_while_locked_are_lost_without_power():
    one = servo(MIN_POSITION=700)
    assert one.get(reg.MIN_POSITION) == 700
    one.power_cycle()
    assert one.get(reg.MIN_POSITION) == 0
    write(one, reg.LOCK, 0)
    write(one, reg.MIN_POSITION, 800)
    write(one, reg.MAX_TORQUE, 500)
    one.power_cycle()
    assert one.get(reg.MIN_POSITION) == 800
    assert one.get(reg.TORQUE_LIMIT) == 500, "the limit of torque is what the memory says at power-on"
    assert one.get(reg.LOCK) == 1 and one.get(reg.TORQUE_ENABLE) == 0


def test_read_only_registers_cannot_be_written():
    one = servo(MODEL=5, PRESENT_TEMPERATURE=99)
    assert one.get(reg.MODEL) == 777 and one.get(reg.PRESENT_TEMPERATURE) == 25


def test_after_an_overload_torque_is_reduced_until_a_goal_in_the_other_direction():
    one = servo(TORQUE_ENABLE=1, GOAL_POSITION=2500)
    assert run(one, 1.9, torque=TORQUE, position=0.0).torque_limit == TORQUE
    assert run(one, 0.2, torque=TORQUE, position=0.0).torque_limit == pytest.approx(0.2 * TORQUE)
    assert one.errors == Error.OVERLOAD == one.get(reg.STATUS)
    run(one, 0.5, torque=0.2 * TORQUE, position=0.0)
    assert one.errors == Error.OVERLOAD, "it does not forget by itself"
    write(one, reg.GOAL_POSITION, 1500)
    assert run(one, 1.0, torque=0.0, position=0.0).torque_limit == TORQUE and not one.errors


def test_a_short_overload_has_no_effect():
    one = servo(TORQUE_ENABLE=1, GOAL_POSITION=2500)
    for _ in range(4):
        run(one, 1.5, torque=TORQUE, position=0.0)
        run(one, 0.1, torque=0.0, position=0.0)
    assert not one.errors


def test_an_overheated_servo_has_no_torque_until_it_is_switched_on_again():
    one = servo(TORQUE_ENABLE=1)
    one.room_temperature = 80.0
    assert run(one, 0.1).torque_limit == 0.0
    assert one.errors == Error.OVERHEAT and one.get(reg.PRESENT_TEMPERATURE) == 80
    one.room_temperature = 25.0
    assert run(one, 100.0).torque_limit == 0.0 and not one.errors
    write(one, reg.TORQUE_ENABLE, 0)
    write(one, reg.TORQUE_ENABLE, 1)
    assert run(one, 0.1).torque_limit == TORQUE


def test_load_heats_a_servo_as_users_have_measured():
    one = servo(TORQUE_ENABLE=1)
    for _ in range(6000):
        one.update(JointState(0.0, 0.0, 0.45 * TORQUE), 0.1)
    assert one.get(reg.PRESENT_TEMPERATURE) == pytest.approx(48, abs=2)
    assert one.get(reg.PRESENT_LOAD) == 450


def test_overcurrent_switches_the_torque_off():
    one = servo(TORQUE_ENABLE=1, PROTECTION_CURRENT=100, OVERLOAD_TORQUE=100)
    assert run(one, 2.1, torque=0.9 * TORQUE, position=0.0).torque_limit == 0.0
    assert one.errors == Error.OVERCURRENT


def test_overload_is_reported_before_overcurrent():
    one = servo(TORQUE_ENABLE=1, GOAL_POSITION=2500, PROTECTION_CURRENT=100)
    assert run(one, 2.1, torque=0.9 * TORQUE, position=0.0).torque_limit == pytest.approx(0.2 * TORQUE)
    assert one.errors == Error.OVERLOAD


# Bus.


def bus(*ids: int) -> Bus:
    servos = {f"joint{number}": Servo(one, 2048, TORQUE) for number, one in enumerate(ids)}
    for one in servos.values():
        one.update(JointState(0.0, 0.0, 0.0), DT)
    return Bus(servos)


def ask(on: Bus, servo_id: int, code: int, parameters: bytes = b"", baud_rate: int = BAUD) -> list[Packet]:
    answers = on.exchange(encode(Packet(servo_id, code, parameters)), baud_rate)
    return [packet for answer in answers for packet in decode(answer)[0]]


def test_only_the_addressed_servo_answers():
    on = bus(1, 2, 3)
    assert ask(on, 2, Instruction.PING) == [Packet(2, 0)]
    assert ask(on, 7, Instruction.PING) == []
    assert ask(on, BROADCAST, Instruction.PING) == [Packet(one, 0) for one in (1, 2, 3)]
    assert ask(on, 1, Instruction.READ, bytes([3, 2])) == [Packet(1, 0, struct.pack("<H", 777))]
    assert ask(on, 1, Instruction.WRITE, bytes([40, 1])) == [Packet(1, 0)]
    assert ask(on, 2, Instruction.PING, baud_rate=115_200) == []


def test_sync_instructions_reach_all_servos():
    on = bus(1, 2, 3)
    assert ask(on, BROADCAST, Instruction.SYNC_WRITE, bytes([42, 2, 1, 10, 0, 3, 20, 1])) == []
    assert [one.get(reg.GOAL_POSITION) for one in on.servos.values()] == [10, 0, 276]
    read = ask(on, BROADCAST, Instruction.SYNC_READ, bytes([42, 2, 3, 1, 9]))
    assert read == [Packet(3, 0, b"\x14\x01"), Packet(1, 0, b"\x0a\x00")]


def test_answers_of_servos_with_the_same_address_collide():
    on = bus(1, 1)
    for one, value in zip(on.servos.values(), (0x0F, 0xF0), strict=True):
        write(one, reg.GOAL_POSITION, value)
    assert ask(on, 1, Instruction.READ, bytes([42, 2])) == [], "the answer is damaged"
    on.connect(["joint1"])
    assert ask(on, 1, Instruction.READ, bytes([42, 2])) == [Packet(1, 0, b"\xf0\x00")]


def test_a_change_of_address_or_speed_is_confirmed_with_the_old_one():
    on = bus(1)
    assert ask(on, 1, Instruction.WRITE, bytes([5, 6])) == [Packet(1, 0)]
    assert ask(on, 6, Instruction.WRITE, bytes([6, 4])) == [Packet(6, 0)]
    assert ask(on, 6, Instruction.PING) == []
    assert ask(on, 6, Instruction.PING, baud_rate=115_200) == [Packet(6, 0)]


def test_a_servo_can_be_set_to_answer_only_read_requests():
    on = bus(1)
    assert ask(on, 1, Instruction.WRITE, bytes([8, 0])) == []
    assert ask(on, 1, Instruction.PING) == [Packet(1, 0)]


def test_all_queued_requests_are_executed_and_the_newest_is_answered():
    on = bus(1)
    sent = encode(Packet(1, Instruction.WRITE, bytes([42, 7]))) + encode(
        Packet(1, Instruction.READ, b"\x2a\x01")
    )
    assert decode(b"".join(on.exchange(sent, BAUD, newest_only=True)))[0] == [Packet(1, 0, b"\x07")]


# Port.


@pytest.fixture
def port(tmp_path):
    one = Port(tmp_path / "arm")
    yield one
    one.unplug()


def test_a_port_transmits_all_bytes_and_the_baud_rate(port):
    fd = open_port(port.path)
    settings = termios.tcgetattr(fd)
    settings[4] = settings[5] = termios.B57600
    termios.tcsetattr(fd, termios.TCSANOW, settings)
    os.write(fd, bytes(range(256)))
    assert port.read() == bytes(range(256)) and port.read() == b""
    assert port.baud_rate == 57_600
    port.write(b"\xff\x00\r\n\x03")
    assert os.read(fd, 100) == b"\xff\x00\r\n\x03"
    os.close(fd)


def test_after_unplugging_and_plugging_in_the_port_has_the_same_name(port):
    fd = open_port(port.path)
    port.unplug()
    assert not os.path.lexists(port.path) and port.read() == b""
    port.write(b"x")
    try:
        assert os.read(fd, 1) == b""
    except OSError as error:
        assert error.errno == errno.EIO
    port.plug()
    again = open_port(port.path)
    os.write(again, b"hello")
    assert port.read() == b"hello"
    os.close(again)
    os.close(fd)


def test_a_port_does_not_replace_a_file(tmp_path):
    (tmp_path / "arm").write_text("precious")
    with pytest.raises(DeviceError, match="is not a virtual port"):
        Port(tmp_path / "arm")
    with pytest.raises(DeviceError, match="a port cannot be created"):
        Port(tmp_path / "missing" / "arm")


# Faults.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lost:0.02", ("follower", "lost", "", 0.02, 0.0, 0.0, float("inf"))),
        ("leader.late:0.1,60@5-8", ("leader", "late", "", 0.1, 60.0, 5.0, 8.0)),
        ("stiff:elbow_flex", ("follower", "stiff", "elbow_flex", 0.0, 1.5, 0.0, float("inf"))),
        ("unplug@5-8", ("follower", "unplug", "", 0.0, 0.0, 5.0, 8.0)),
    ],
)
def test_faults_are_written_as_documented(text, expected):
    fault = parse_fault(text, ARMS, JOINTS)
    assert tuple(vars(fault).values()) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lots:0.02", 'did you mean "lost"'),
        ("lost:2", "from 0 to 1"),
        ("lost", "from 0 to 1"),
        ("stiff:elbow", 'did you mean "elbow_flex"'),
        ("arm.lost:0.1", "follower, leader"),
        ("!", "must look like"),
    ],
)
def test_an_unknown_fault_is_refused_and_the_valid_ones_listed(text, said):
    with pytest.raises(InvalidArgumentError, match=said):
        parse_fault(text, ARMS, JOINTS)


def test_answers_are_lost_corrupted_and_delayed():
    answers = [encode(Packet(1, 0))] * 1000
    faults = tuple(
        parse_fault(text, ARMS, JOINTS) for text in ("lost:0.2", "checksum:0.3", "late:0.5,40@1-2")
    )
    arriving = AnswerFaults(faults, seed=0).apply(answers, 0.0)
    assert 750 < len(arriving) < 850
    assert {delay for delay, _ in arriving} == {0.0}
    wrong = sum(not decode(answer)[0] for _, answer in arriving)
    assert 0.25 < wrong / len(arriving) < 0.35
    late = AnswerFaults(faults, seed=0).apply(answers, 1.5)
    assert 0.45 < sum(delay == 0.04 for delay, _ in late) / len(late) < 0.55


def test_movements_of_the_hand_are_executed_in_order():
    hand = ArmHand()
    hand.move({0: 1.0}, 1.0)
    hand.move({1: -1.0}, 1.0)
    assert hand.update([0.0, 0.0], 0.5) == {0: pytest.approx(0.5)}
    hand.update([0.5, 0.0], 0.5)
    assert hand.update([1.0, 0.0], 0.5) == {0: 1.0, 1: pytest.approx(-0.5)}
    hand.update([1.0, -0.5], 0.5)
    assert not hand.busy and hand.update([0.0, 0.0], 0.1) == {0: 1.0, 1: -1.0}
    hand.release()
    assert hand.update([0.0, 0.0], 0.1) == {}
