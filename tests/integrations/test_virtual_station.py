"""Virtual arms in the process of the test: programs at their ports, operators at the leader, and their commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.integrations.lerobot.virtual_arm.console import Console
from gym_hil.integrations.lerobot.virtual_arm.protocol import Instruction, Packet
from gym_hil.integrations.lerobot.virtual_arm.servo import Error
from gym_hil.integrations.lerobot.virtual_arm.station import FOLLOWER, LEADER, Station, StationConfig
from virtual_arms import measured_degrees


def test_a_program_moves_the_arm_and_the_arm_falls_without_torque(station):
    _, program = station()
    begin = program.positions()
    program.torque(True)
    goal = [begin[0] + 300, begin[1] + 200, begin[2] - 100, *begin[3:]]
    program.goals(goal)
    program.run(1.5)
    assert np.abs(np.subtract(program.positions(), goal)).max() <= 12, "about one degree"
    program.torque(False)
    program.run(2.0)
    assert abs(program.positions()[1] - goal[1]) > 100, "it falls"


@pytest.mark.parametrize(("operator", "apart"), [("expert", 0), ("expert", 60), ("simulated", 0)])
def test_the_leader_is_moved_by_the_operator_and_the_follower_picks_the_cube(station, operator, apart):
    """The arms stand `apart` encoder counts of the base joint apart: 60 are about 2 cm at the TCP."""
    one, follower, leader = station(leader=True, operator=operator)
    ended = []

    def teleoperate():
        if positions := leader.positions():
            follower.goals([positions[0] + apart, *positions[1:]])

    follower.configure()
    follower.torque(True)
    before = one.env.unwrapped.simulation.body_pos_w("cube")
    one.rig.watch(teleoperate)
    for _ in range(80):
        if one.step():
            ended.append(one.env.unwrapped.task_success())
            break
    assert ended == [True]
    arm = one.arms[FOLLOWER].positions
    one.reset()
    assert np.abs(np.subtract(one.arms[FOLLOWER].positions, arm)).max() < 1e-9, "the arm stays where it is"
    assert np.abs(one.env.unwrapped.simulation.body_pos_w("cube") - before).max() > 0.01


def test_the_operator_releases_a_leader_that_a_program_holds(station):
    one, _, leader = station(leader=True, operator="expert")
    arm = one.arms[LEADER]

    def motion(steps: int) -> float:
        before = arm.positions
        for _ in range(steps):
            one.step()
        return float(np.abs(np.subtract(arm.positions, before)).max())

    leader.torque(True)
    one.step()
    assert motion(60) < np.radians(2)
    assert not any(servo.errors for servo in arm.bus.servos.values()), "an overload takes 2 s"
    leader.torque(False)
    assert motion(15) > np.radians(5)


def test_calibration_by_hand_finds_the_whole_range(station):
    one, program = station(servos="assembled")
    said = []
    console = Console(one.rig.lines, one.reset, lambda: None, said.append)
    console.run("middle")
    program.run(1.5)
    assert said == ["middle: done"]
    arm = one.arms[FOLLOWER]
    middles = [sum(ends) / 2 for ends in arm.ranges.values()]
    assert np.abs(np.subtract(arm.positions, middles)).max() < np.radians(2)
    console.run("sweep follower")
    seen = [program.positions()]
    program.run(17.0, lambda: seen.append(program.positions()))
    assert said[1:] == ["sweep follower: done"]
    spans = np.ptp(np.array(seen), axis=0) * 2 * np.pi / 4096
    full = [high - low for low, high in arm.ranges.values()]
    moved = [name != "wrist_roll" for name in arm.joints]
    assert np.abs(spans - full)[moved].max() < np.radians(4)
    console.run("release")
    program.run(1.0)
    assert np.abs(np.subtract(arm.positions, middles)).max() > np.radians(10), (
        "it falls when the hand lets go"
    )


def test_a_jammed_joint_is_overloaded_and_a_stiff_one_is_not(station):
    one, program = station(faults=("stiff:wrist_roll,0.5", "overload:shoulder_pan"))
    begin = program.positions()
    program.torque(True)
    program.goals([begin[0] + 400, *begin[1:4], begin[4] - 400, begin[5]])
    program.run(3.0)
    servos = one.arms[FOLLOWER].bus.servos
    assert servos["shoulder_pan"].errors == Error.OVERLOAD and not servos["wrist_roll"].errors
    now = program.positions()
    assert abs(now[0] - begin[0]) < 50 and abs(now[4] - begin[4] + 400) < 20
    assert program.ask(1, Instruction.PING) == [Packet(1, int(Error.OVERLOAD))]


def test_each_arm_has_its_own_calibration_file(station):
    one, _, _ = station(leader=True)
    for name in (FOLLOWER, LEADER):
        written = json.loads((one.folder / f"{name}.json").read_text())
        assert written == one.arms[name].calibration()
        assert [entry["id"] for entry in written.values()] == [1, 2, 3, 4, 5, 6]
    facts = one.facts()
    assert set(facts["ports"]) == {FOLLOWER, LEADER} and all(map(os.path.exists, facts["ports"].values()))


def test_an_operator_needs_a_leader():
    with pytest.raises(InvalidArgumentError, match="needs a leader"):
        Station(StationConfig(operator="expert"))


def test_unknown_commands_are_refused(station):
    one, _ = station()
    said = []
    console = Console(one.rig.lines, one.reset, lambda: None, said.append)
    for text, hint in [("sweap", "sweep"), ("move elbow_flex", "angle"), ("connect elbow", "elbow_flex")]:
        with pytest.raises(InvalidArgumentError, match=hint):
            console.run(text)
    console.run("help")
    assert "unplug: unplug the cable" in said
    console.run("fault stiff:gripper")
    assert said[-1] == "fault stiff:gripper: done"
    assert [fault.kind for fault in one.rig.lines[FOLLOWER].faults] == ["stiff"]


def test_the_command_prints_ports_reads_commands_and_removes_its_ports(tmp_path):
    command = [
        sys.executable,
        "-m",
        "gym_hil",
        "virtual-arm",
        "so101",
        "--leader",
        "--json",
        str(tmp_path / "arm.json"),
    ]
    program = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert "--robot.type=so101_follower" in program.stdout.readline()
    assert "--teleop.type=so101_leader" in program.stdout.readline()
    deadline = time.monotonic() + 30
    while not (tmp_path / "arm.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    ports = json.loads((tmp_path / "arm.json").read_text())["ports"]
    assert all(map(os.path.exists, ports.values()))
    said, _ = program.communicate("unplug leader\nnonsense\nquit\n", timeout=30)
    assert "unplug leader: done" in said and "error: command='nonsense' is not known" in said
    assert program.returncode == 0 and not any(map(os.path.lexists, ports.values()))


def test_servos_with_backlash_are_simulated(station):
    one, program = station(robot="so101_backlash")
    model = one.env.unwrapped.simulation.model
    assert model.joint("arm/elbow_flex_backlash").range[1] == pytest.approx(np.radians(0.5))
    begin = program.positions()
    program.torque(True)
    program.goals([begin[0] + 300, *begin[1:]])
    program.run(1.0)
    assert program.positions()[0] - begin[0] == pytest.approx(300, abs=12)


def test_the_console_shows_the_true_joints(station):
    one, _ = station()
    said = []
    Console(one.rig.lines, one.reset, lambda: None, said.append).run("joints")
    shown = [float(word.split("=")[1]) for word in said[0].split()]
    assert shown == pytest.approx(np.degrees(one.arms[FOLLOWER].positions).tolist(), abs=0.01)
    assert said[1:] == ["joints: done"]


def test_a_program_can_read_the_servos_before_the_first_step(station):
    one, program = station(leader=True)[:2]
    shown = np.degrees(one.arms[FOLLOWER].positions)[:5]
    joints, _ = measured_degrees(one.arms[FOLLOWER])
    assert joints == pytest.approx(shown.tolist(), abs=0.2)
    assert len(program.positions()) == 6
