"""A real arm as an environment, with a simulated arm of the test in its place."""

from __future__ import annotations

import itertools
import sys
import types
from dataclasses import replace

import numpy as np
import pytest

from gym_hil.core.command import Command
from gym_hil.core.errors import DeviceError, InvalidArgumentError
from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.core.success import NeverDone
from gym_hil.devices.base import DISCONNECTED, NEUTRAL, Device, DeviceReading, Engage
from gym_hil.integrations.lerobot.real_arm.connection import LeRobotConnection, Measurement
from gym_hil.integrations.lerobot.real_arm.digital_twin import SafetyLimits
from gym_hil.integrations.lerobot.real_arm.environment import RealArmEnv
from gym_hil.integrations.lerobot.real_arm.leader import make_leader_operator
from gym_hil.integrations.lerobot.real_arm.stack import RealArm
from gym_hil.intervention.human import Human
from gym_hil.intervention.operator import Decision, Operator
from gym_hil.intervention.takeover import InterventionWrapper
from gym_hil.robots import ROBOTS
from gym_hil.robots.geometry import Box
from gym_hil.stacks.config import EnvConfig
from gym_hil.testing.clock import ManualClock

ROBOT = ROBOTS["so101"]
HOME = ROBOT.home("above_table")


class FakeArm:
    """Goes where it is sent, at most 0.2 rad in a period, and notes everything."""

    def __init__(self, **measured) -> None:
        self.cameras = tuple(measured.get("images", ()))
        self.now = Measurement((0.1, -0.5, 0.4, 1.2, 1.5), 0.2, **measured)
        self.sent: list[tuple[float, ...]] = []
        self.connected, self.broken, self.stuck = 0, "", False

    def connect(self) -> None:
        self._answer()
        self.connected += 1

    def read(self) -> Measurement:
        self._answer()
        return self.now

    def reset_gripper(self) -> None:
        self.grips = getattr(self, "grips", 0) + 1

    def limit_speed(self, speeds) -> None:
        self.speeds = speeds

    def send(self, joints, opening) -> None:
        self._answer()
        self.sent.append(tuple(joints))
        if not self.stuck:
            here = np.array(self.now.joints)
            there = here + np.clip(np.array(joints) - here, -0.2, 0.2)
            self.now = replace(self.now, joints=tuple(there.tolist()), opening=float(opening))

    def close(self) -> None:
        self.connected = 0

    def _answer(self) -> None:
        if self.broken:
            raise DeviceError(self.broken)


def make(arm: FakeArm | None = None, **options) -> tuple[RealArmEnv, FakeArm, list[str]]:
    arm, asked = arm or FakeArm(), []
    env = RealArmEnv(arm, ROBOT, asked.append, clock=ManualClock(), **options)
    return env, arm, asked


def test_the_arm_does_not_move_before_the_person_confirms():
    arm = FakeArm()
    seen = []
    env = RealArmEnv(
        arm, ROBOT, lambda text: seen.append((text, arm.connected, len(arm.sent))), clock=ManualClock()
    )
    assert arm.connected == 0 and arm.sent == []
    env.reset(seed=0)
    assert seen[0][1:] == (0, 0) and "keep clear" in seen[0][0]
    sent = len(arm.sent)
    env.reset()
    assert seen[1][2] == sent, "in every reset"
    assert arm.grips == 2, "a gripper that has switched itself off is switched on before every episode"


def test_a_reset_moves_slowly_to_the_start():
    env, arm, _ = make(limits=SafetyLimits(homing_speed=0.5))
    env.reset(seed=0)
    assert arm.now.joints == pytest.approx(HOME, abs=1e-6)
    assert np.abs(np.diff(arm.sent, axis=0)).max() <= 0.05 + 1e-9


def test_actions_are_those_of_the_simulation():
    env, arm, _ = make()
    observation, _ = env.reset(seed=0)
    before = env.tcp_pos_w
    assert observation["agent_pos"][env.layout["tcp_pos"]] == pytest.approx(before, abs=1e-6)
    for _ in range(3):
        env.step(env.command_action(Command((0, 0.4, 0.4, 0, 0, 0), GripperCommand.CLOSE)))
    assert env.tcp_pos_w - before == pytest.approx([0, 0.03, 0.03], abs=2e-3)
    assert arm.now.opening == pytest.approx(0.0)
    still = arm.now.joints
    env.step(env.neutral_action())
    assert arm.now.joints == pytest.approx(still, abs=1e-9)


def test_the_tcp_stays_in_its_box_and_the_joints_below_their_speed():
    box = Box((0.18, -0.03, 0.06), (0.3, 0.03, 0.2))
    env, arm, _ = make(limits=SafetyLimits(workspace=box, joint_speed=0.8))
    env.reset(seed=0)
    first = len(arm.sent)
    rng = np.random.default_rng(0)
    places = []
    for _ in range(40):
        direction = rng.choice([-1.0, 1.0], 3)
        for _ in range(5):
            env.step([*direction, 1.0])
            places.append(env.tcp_pos_w)
    assert (np.array(places) > np.subtract(box.low, 0.005)).all()
    assert (np.array(places) < np.add(box.high, 0.005)).all()
    assert np.abs(np.diff(arm.sent[first - 1 :], axis=0)).max() <= 0.08 + 1e-9


def test_goals_stay_near_an_arm_that_is_stuck():
    env, arm, _ = make(limits=SafetyLimits(lead=0.25))
    env.reset(seed=0)
    arm.stuck = True
    for _ in range(30):
        env.step([1.0, 1.0, 1.0, 1.0])
    assert np.abs(np.array(arm.sent[-1]) - arm.now.joints).max() <= 0.25 + 1e-9


def test_an_unreachable_arm_ends_the_episode_and_is_reconnected_on_confirmation():
    env, arm, asked = make()
    env.reset(seed=0)
    env.step(env.neutral_action())
    arm.broken = "could not read the arm: Input/output error"
    _, reward, terminated, truncated, info = env.step(env.neutral_action())
    assert (reward, terminated, truncated) == (0.0, False, True) and info["device_error"] == arm.broken
    sent = len(arm.sent)

    def repair(text: str) -> None:
        assert len(arm.sent) == sent
        asked.append(text)
        if "Input/output" in text:
            arm.broken = ""

    env._confirm = repair
    env.reset()
    assert arm.connected == 2 and any("Input/output error" in text for text in asked)
    assert env.step(env.neutral_action())[3] is False


def test_too_much_current_stops_the_arm():
    env, arm, _ = make(FakeArm(currents=(0.2,) * 6))
    env.reset(seed=0)
    env.step([1.0, 0.0, 0.0, 1.0])
    arm.now = replace(arm.now, currents=(0.2, 2.0, 0.2, 0.2, 0.2, 0.2))
    cut_off = [env.step([0.1, 0.0, 0.0, 1.0])[3:] for _ in range(6)]
    assert [truncated for truncated, _ in cut_off] == [False] * 5 + [True], "a short peak is allowed"
    assert "more than 1.50 A" in cut_off[-1][1]["device_error"]
    assert arm.sent[-1] == pytest.approx(arm.now.joints, abs=0.2), "the last thing it was told is to stay"


def test_a_start_that_cannot_be_reached_is_reported():
    env, arm, asked = make()
    arm.stuck = True

    def free(text: str) -> None:
        asked.append(text)
        arm.stuck &= "blocked" not in text

    env._confirm = free
    env.reset(seed=0)
    assert any("may be blocked" in text for text in asked)


class Presses(Operator):
    """Presses success in the third step."""

    name = "presses"

    def __init__(self) -> None:
        self.steps = 0

    def decide(self, view) -> Decision:
        self.steps += 1
        return Decision(view.env.neutral_action(), (EpisodeEvent.SUCCESS,) if self.steps == 3 else ())


def test_success_is_decided_by_the_person():
    env, _, _ = make()
    wrapped = InterventionWrapper(env, Presses())
    wrapped.reset(seed=0)
    results = [wrapped.step(env.neutral_action()) for _ in range(3)]
    assert [result[1] for result in results] == [0.0, 0.0, 1.0]
    assert results[-1][2] and results[-1][4]["is_success"]


def test_images_are_those_of_the_cameras():
    images = {name: np.full((48, 64, 3), shade, np.uint8) for name, shade in (("front", 50), ("wrist", 200))}
    env, _, _ = make(FakeArm(images=images))
    observation, _ = env.reset(seed=0)
    assert {name: (image.shape, image.mean()) for name, image in observation["pixels"].items()} == {
        "front": ((128, 128, 3), 50), "wrist": ((128, 128, 3), 200),
    }  # fmt: skip
    assert env.observation_space.contains(observation)


def test_a_camera_that_is_missing_is_named():
    with pytest.raises(InvalidArgumentError, match="wrist"):
        make(FakeArm(images={"front": np.zeros((4, 4, 3), np.uint8)}))


class Desk(Device):
    """A device whose readings a test lays out; when there are no more, it is at rest."""

    name = "desk"

    def __init__(self, *readings: DeviceReading) -> None:
        self.readings = list(readings)

    def poll(self) -> DeviceReading:
        return self.readings.pop(0) if self.readings else NEUTRAL

    def flush(self) -> None:
        """Keep what the test has laid out."""

    def help(self) -> str:
        return "a test"


AGREES = DeviceReading(events=(EpisodeEvent.SUCCESS,))
HOLDS = DeviceReading(engage=True)
FORWARD = np.array([1.0, 0.0, 0.0, 1.0], np.float32)


def build(device: Desk, engage: Engage = Engage.HOLD, **options):
    arm = FakeArm()
    made = RealArm(connect=lambda: arm, clock=ManualClock(), **options)
    env = made.build(EnvConfig.of("SO101PickCube-v1", operator=Human(device, engage)))
    return env, arm


@pytest.mark.parametrize(
    ("engage", "back"),
    [
        (Engage.HOLD, HOLDS),
        (Engage.TOGGLE, DeviceReading(engage_presses=1)),
        (Engage.TOGGLE, DeviceReading(events=(EpisodeEvent.TOGGLE_INTERVENTION,))),
        (Engage.MOTION, DeviceReading(motion=(0.0, 0.5, 0.0, 0.0, 0.0, 0.0))),
    ],
)
def test_the_policy_stops_while_the_operator_is_away(engage, back):
    desk = Desk(AGREES)
    env, arm = build(desk, engage)
    env.reset(seed=0)
    env.step(FORWARD)
    moved = arm.now.joints
    desk.readings = [DISCONNECTED]
    *_, info = env.step(FORWARD)
    assert arm.now.joints == pytest.approx(moved, abs=1e-9), "it holds in the step in which it is noticed"
    desk.readings = [DISCONNECTED] * 30 + [NEUTRAL] * 30 + [back] * (2 if engage is Engage.MOTION else 1)
    sent = len(arm.sent)
    seen = []
    poll = desk.poll
    desk.poll = lambda: (seen.append(len(arm.sent)), poll())[1]
    *_, info = env.step(FORWARD)
    assert seen[:61] == [sent] * 61, "neither without the device, nor before the person takes over"
    assert info["is_intervention"], "they drive"
    for _ in range(8):
        desk.readings = (
            [DeviceReading(engage_presses=1)] if info["is_intervention"] and engage is Engage.TOGGLE else []
        )
        *_, info = env.step(FORWARD)
    assert not info["is_intervention"] and arm.now.joints != pytest.approx(moved, abs=0.01), (
        "the policy goes on"
    )


def test_a_pause_does_not_count_as_late():
    desk = Desk(AGREES)
    env, arm = build(desk)
    env.reset(seed=0)
    env.step(FORWARD)
    desk.readings = [DeviceReading(events=(EpisodeEvent.PAUSE,))]
    env.step(FORWARD)
    sent = len(arm.sent)
    desk.readings = [NEUTRAL] * 50 + [DeviceReading(events=(EpisodeEvent.PAUSE,))]
    env.step(FORWARD)
    assert len(arm.sent) == sent + 8 and env.get_wrapper_attr("overruns") == 0


def test_a_simulated_human_needs_to_know_where_the_objects_are():
    with pytest.raises(InvalidArgumentError, match="--robot-scene"):
        RealArm(connect=FakeArm).build(EnvConfig.of("SO101PickCube-v1", operator="simulated"))
    with pytest.raises(InvalidArgumentError, match="SO101PickCube"):
        RealArm(connect=FakeArm).build(EnvConfig.of("PandaPickCube-v1"))


def test_a_missing_person_to_confirm_is_an_error():
    arm = FakeArm()
    env = RealArm(connect=lambda: arm, clock=ManualClock()).build(EnvConfig.of("SO101PickCube-v1"))
    with pytest.raises(DeviceError, match="nobody can confirm"):
        env.reset(seed=0)
    assert arm.connected == 0 and arm.sent == []


class Forward(NeverDone):
    """Counts as success when the TCP is in front of a line."""

    def attach(self, env) -> None:
        self._env = env

    def detects(self) -> bool:
        return bool(self._env.tcp_pos_w[0] > 0.25)


def test_a_learned_reward_ends_an_episode():
    arm = FakeArm()
    config = EnvConfig.of("SO101PickCube-v1", reward=Forward(), operator=Human(Desk(AGREES)))
    env = RealArm(connect=lambda: arm, clock=ManualClock()).build(config)
    env.reset(seed=0)
    results = [env.step(FORWARD)]
    while not results[-1][2] and len(results) < 30:
        results.append(env.step(FORWARD))
    assert results[0][1] == 0.0 and results[-1][1:4] == (1.0, True, False)
    assert results[-1][4]["termination_reason"] == "learned_success"


class FakeLeader:
    """Stands at other joint positions than the follower, in degrees; its trigger is open."""

    name = "leader"
    is_connected = True

    def __init__(self) -> None:
        self.joints, self.trigger, self.out = np.array([30.0, -20.0, 10.0, 40.0, 80.0]), 90.0, False

    def get_action(self) -> dict[str, float]:
        if self.out:
            raise ConnectionError("no status packet")
        names = ROBOT.end_effectors[0].arm.joints
        positions = {f"{name}.pos": float(at) for name, at in zip(names, self.joints, strict=True)}
        return {**positions, "gripper.pos": self.trigger}


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
    assert all(later <= 2.1 * max(earlier, 0.0019) for earlier, later in itertools.pairwise(moved))
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


class Deaf:
    """A robot of LeRobot that connects, and then loses packets."""

    cameras: dict = {}  # noqa: RUF012
    bus = None

    def connect(self, calibrate: bool) -> None:
        """Connect."""

    @property
    def is_calibrated(self) -> bool:
        raise ConnectionError(
            "Failed to read 'Homing_Offset' on id_=5 after 1 tries.\nThere is no status packet!"
        )


def test_a_packet_that_is_lost_while_connecting_is_an_error_of_the_device(monkeypatch):
    robots = types.ModuleType("lerobot.robots")
    robots.make_robot_from_config = lambda config: Deaf()
    monkeypatch.setitem(sys.modules, "lerobot", types.ModuleType("lerobot"))
    monkeypatch.setitem(sys.modules, "lerobot.robots", robots)
    connection = LeRobotConnection(types.SimpleNamespace(cameras={}))
    with pytest.raises(
        DeviceError, match=r"could not connect to the arm: Failed to read .* no status packet"
    ):
        connection.connect()


def test_a_missing_servo_may_be_overheated(monkeypatch):
    class Hot(Deaf):
        def connect(self, calibrate: bool) -> None:
            raise RuntimeError(
                "FeetechMotorsBus motor check failed:\nMissing motor IDs:\n  - 4 (expected model: 777)"
            )

    robots = types.ModuleType("lerobot.robots")
    robots.make_robot_from_config = lambda config: Hot()
    monkeypatch.setitem(sys.modules, "lerobot", types.ModuleType("lerobot"))
    monkeypatch.setitem(sys.modules, "lerobot.robots", robots)
    with pytest.raises(
        DeviceError, match=r"Missing motor IDs: - 4 .*too hot or overloaded.* switch the arm off and on"
    ):
        LeRobotConnection(types.SimpleNamespace(cameras={})).connect()


@pytest.mark.parametrize("wrong", [(0.1, -0.5, 0.4, 1.2, -2.0), (3.0, -0.5, 0.4, 1.2, 1.5)])
def test_implausible_answers_cause_no_motion(wrong):
    env, arm, _ = make()
    env.reset(seed=0)
    env.step(FORWARD)
    arm.read = lambda: Measurement(wrong, 0.2)
    *_, truncated, info = env.step(FORWARD)
    assert truncated and "not plausible" in info["device_error"]
    sent = arm.sent[-1]
    assert np.abs(np.array(sent) - arm.now.joints).max() < 0.3, "the last command is one of before"
    assert np.abs(np.array(env.unwrapped.twin.measured.joints) - arm.now.joints).max() < 0.3


def test_goals_are_spread_over_the_period():
    env, arm, _ = make()
    env.reset(seed=0)
    start, before = np.array(arm.now.joints), len(arm.sent)
    env.step(env.command_action(Command((0, 0.4, 0.4, 0, 0, 0), GripperCommand.STAY)))
    goals = np.array(arm.sent[before:])
    assert len(goals) == 8
    np.testing.assert_allclose(
        np.diff([start, *goals], axis=0), np.tile((goals[-1] - start) / 8, (8, 1)), atol=1e-9
    )
    assert np.abs(goals[-1] - start).max() > 0.02


def test_goals_whose_time_has_passed_are_left_out():
    class SlowArm(FakeArm):
        def send(self, joints, opening):
            super().send(joints, opening)
            self.clock.advance(self.delay)

    arm = SlowArm()
    arm.clock, arm.delay = ManualClock(), 0.0
    env = RealArmEnv(arm, ROBOT, lambda text: None, clock=arm.clock)
    env.reset(seed=0)
    env.step(env.neutral_action())
    arm.delay, before, began = 0.07, len(arm.sent), arm.clock.monotonic()
    env.step(env.neutral_action())
    assert len(arm.sent) - before == 3, "the first, that of the time after it, and the last"
    assert arm.clock.monotonic() - began == pytest.approx(0.21)
    assert env.get_wrapper_attr("overruns") == 1
