"""A leader arm: the hand-over without a jump, the trigger, and who moves a virtual leader."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fake_arms import FakeArm, FakeLeader
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices.controls import Control
from gym_hil.integrations.lerobot.real_arm.leader import make_leader_operator
from gym_hil.integrations.lerobot.real_arm.stack import RealArm
from gym_hil.integrations.lerobot.virtual_arm.environment import PHYSICS_DT
from gym_hil.integrations.lerobot.virtual_arm.station import LEADER
from gym_hil.stacks.config import EnvConfig
from gym_hil.testing.clock import ManualClock
from gym_hil.testing.rigs import KeyboardRig
from virtual_arms import StationArm, StationLeader, StationTime

FORWARD = np.array([1.0, 0.0, 0.0, 1.0], np.float32)


@pytest.mark.parametrize("speed", [0.5, 3.0, 15.0])
def test_a_leader_takes_over_without_a_jump_wherever_it_stands(speed):
    leader, arm = FakeLeader(), FakeArm()
    made = RealArm(connect=lambda: arm, clock=ManualClock(), make_leader=lambda: make_leader_operator(leader))
    env = made.build(EnvConfig.of("SO101PickCube-v1", operator="leader"))
    env.unwrapped._put_back = lambda text: None
    env.reset(seed=0)
    for _ in range(5):
        *_, info = env.step(env.unwrapped.neutral_action())
        assert not info["is_intervention"]
    moved, began = [], False
    for _ in range(8):
        leader.joints = leader.joints + np.array([speed, speed, 0.0, 0.0, 0.0])
        before = env.unwrapped.target_pos_w
        *_, info = env.step(env.unwrapped.neutral_action())
        began |= info["is_intervention"]
        if began:
            moved.append(np.linalg.norm(env.unwrapped.target_pos_w - before))
    assert began and 0.0 < moved[0] <= 0.002
    assert all(later <= 2.1 * max(earlier, 0.001) for earlier, later in itertools.pairwise(moved))
    assert moved[-1] > 1.2 * moved[0], "and then it follows"


def test_the_trigger_of_a_leader_drives_the_gripper_and_its_cable_holds_the_arm():
    leader, arm = FakeLeader(), FakeArm()
    made = RealArm(connect=lambda: arm, clock=ManualClock(), make_leader=lambda: make_leader_operator(leader))
    env = made.build(EnvConfig.of("SO101PickCube-v1", operator="leader"))
    env.unwrapped._put_back = lambda text: None
    env.reset(seed=0)
    still = env.unwrapped.neutral_action()
    env.step(still)
    assert arm.now.opening > 0.3
    leader.trigger = 20.0
    *_, info = env.step(still)
    assert info["is_intervention"] and arm.now.opening == pytest.approx(0.0, abs=0.01)
    leader.out = True
    for _ in range(2):
        at = arm.now.joints
        if env.get_wrapper_attr("operator").away:
            break
        env.step(FORWARD)
        assert arm.now.joints == pytest.approx(at, abs=1e-9)
    assert env.get_wrapper_attr("operator").away


def test_an_operator_with_a_leader_needs_its_port():
    with pytest.raises(InvalidArgumentError, match="--leader-port"):
        RealArm(connect=FakeArm).build(EnvConfig.of("SO101PickCube-v1", operator="leader"))


APART = {0: 0.6, 1: -0.3, 3: 0.4, 4: -0.8}
"""Where the leader stands relative to the follower (rad by number of the joint)."""


def take_over_from_a_policy(station, policy, apart, moves, reading_s: float = 0.004) -> float:
    """Let a policy move a virtual follower at speed, and then take over with the leader, which stands `apart` from the
    follower and moves by `moves` in 0.6 s (rad by number of the joint).

    Returns:
        The largest true distance of the TCP from where it was after braking, in the step of the hand-over (m).
    """
    one, *_ = station(leader=True)
    clock, leader = StationTime(one), one.arms[LEADER]
    leader.hand.follow([at + apart.get(number, 0.0) for number, at in enumerate(leader.positions)], 0.5)
    clock.sleep(1.0)
    connection = StationArm(one, clock, reading_s)
    made = RealArm(
        connect=lambda: connection,
        clock=clock,
        make_leader=lambda: make_leader_operator(StationLeader(one)),
    )
    env = made.build(EnvConfig.of("SO101PickCube-v1", operator="leader"))
    env.unwrapped._put_back = lambda text: None
    env.reset(seed=0)
    simulation, seen, first_goal = one.env.unwrapped.simulation, [], []
    clock.watcher = lambda: seen.append(simulation.tcp_pos_w.copy())
    for number in range(5):
        if number == 4:
            leader.hand.move({joint: leader.positions[joint] + by for joint, by in moves.items()}, 0.6)
        *_, info = env.step(np.array([*policy, 1.0], np.float32))
        assert not info["is_intervention"]
    goal, speed = env.unwrapped.target_pos_w, float(np.linalg.norm(seen[-6] - seen[-16])) / (10 * PHYSICS_DT)
    del seen[:-1]
    send = connection.send
    connection.send = lambda *goals: (first_goal.append(len(seen)), send(*goals))
    *_, info = env.step(env.unwrapped.neutral_action())
    assert info["is_intervention"]
    env.close()
    braking, step = np.array(seen[: first_goal[0]]), np.array(seen[first_goal[0] - 1 :])
    assert speed > 0.1, "the arm is moving when the leader takes over"
    assert np.linalg.norm(braking[-1] - braking[0]) > 0.0005, "it is behind the goals that were sent to it"
    assert np.linalg.norm(braking - braking[0], axis=1).max() < 0.015 and len(braking) <= 0.15 / PHYSICS_DT
    assert np.linalg.norm(braking[-1] - goal) < 0.001, "it brakes at the last of them"
    assert len(step) > 20
    return float(np.linalg.norm(step - step[0], axis=1).max())


@pytest.mark.parametrize("policy", [(0.0, 1.0, 0.0), (-1.0, 0.0, 1.0)])
@pytest.mark.parametrize("apart", [{}, APART], ids=["together", "apart"])
def test_the_true_tcp_does_not_jump_when_a_leader_takes_over_from_a_fast_policy(station, policy, apart):
    assert 0.0003 < take_over_from_a_policy(station, policy, apart, {0: 0.6, 2: -0.4}) <= 0.002


@pytest.mark.nightly
@pytest.mark.parametrize("reading_s", [0.001, 0.004, 0.008])
def test_the_true_tcp_does_not_jump_in_120_takeovers(station, reading_s):
    policies = ((0, 1, 0), (0.5, -1, 1), (-0.5, 0, 1), (-1, 0, 1), (-0.3, 0.8, 0.9))
    moves = ({0: 0.6, 2: -0.4}, {0: -0.6, 2: -0.4}, {1: -0.5}, {2: 0.6, 3: 0.5})
    cases = itertools.product(policies, ({}, APART), moves)
    assert max(take_over_from_a_policy(station, *case, reading_s) for case in cases) <= 0.002


def test_an_arm_that_stays_in_motion_is_waited_for_only_briefly_and_an_error_ends_the_episode():
    class Slow(FakeArm):
        def read(self):
            joints = list(self.now.joints)
            joints[0] += 0.003 * self.trembles
            self.trembles = -self.trembles
            self.now = replace(self.now, joints=tuple(joints))
            return super().read()

        trembles = 0

    leader, arm, clock = FakeLeader(), Slow(), ManualClock()
    made = RealArm(connect=lambda: arm, clock=clock, make_leader=lambda: make_leader_operator(leader))
    env = made.build(EnvConfig.of("SO101PickCube-v1", operator="leader"))
    env.unwrapped._put_back = lambda text: None
    env.reset(seed=0)
    still = env.unwrapped.neutral_action()
    env.step(still)
    arm.trembles, began = 1, clock.monotonic()
    leader.joints = leader.joints + 3.0
    *_, info = env.step(still)
    assert info["is_intervention"] and clock.monotonic() - began == pytest.approx(0.3, abs=1e-6)
    assert env.get_wrapper_attr("overruns") == 0, "braking does not count as a delay"
    for _ in range(11):
        *_, info = env.step(still)
    assert not info["is_intervention"]
    leader.joints, arm.broken = leader.joints + 3.0, "could not read the arm"
    *_, truncated, info = env.step(still)
    assert truncated and info["device_error"] == arm.broken, "an error while it brakes ends the episode"


def push(name: str, device, pad) -> Callable[[float], None]:
    """Take over with a device, and return a function that pushes it to the left (1), to the right (-1) or not (0)."""
    if name == "keyboard":
        rig = KeyboardRig(device)
        rig.press(Control.ENGAGE)
        return lambda level: rig.move(1, level)
    pad.press("rb")
    return lambda level: pad.set_axis("left_x", -level)


@pytest.mark.parametrize("name", ["keyboard", "gamepad"])
def test_a_person_with_a_device_moves_the_virtual_leader(station, monkeypatch, name):
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    pad = None
    if name == "gamepad":
        pytest.importorskip("pygame")
        from gym_hil.testing.virtual_gamepad import VirtualGamepad

        pad = VirtualGamepad()
    try:
        one, *_ = station(leader=True, operator=name)
        device, leader = one.env.get_wrapper_attr("operator").device, one.arms[LEADER]
        device.connected = True  # as a window does, which a machine without a display cannot open
        rests, turns = shoulder_motion(one, leader, 5), []
        move = push(name, device, pad)
        for level in (1.0, -1.0, 0.0):
            move(level)
            turns.append(shoulder_motion(one, leader, 10))
    finally:
        if pad is not None:
            pad.detach()
    right, left = turns[1], turns[0]
    assert abs(rests) < 0.5, "the hand holds the leader"
    assert left < -5.0 and right > 5.0, "the base turns to the left and to the right"
    assert abs(turns[2]) < 5.0, "and it is held again"


def shoulder_motion(one, leader, steps: int) -> float:
    """Return the motion of the leader's first joint in some steps (degrees)."""
    before = leader.positions[0]
    for _ in range(steps):
        one.step()
    return math.degrees(leader.positions[0] - before)
