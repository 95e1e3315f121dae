"""The connection to an arm through LeRobot: late answers, errors of servos, connecting again, and lost time."""

from __future__ import annotations

import sys
import types
from dataclasses import replace

import numpy as np
import pytest

from gym_hil.core.errors import DeviceError
from gym_hil.integrations.lerobot.real_arm.connection import RETRIES, LeRobotConnection, Measurement
from gym_hil.integrations.lerobot.real_arm.digital_twin import SafetyLimits
from gym_hil.integrations.lerobot.real_arm.environment import RealArmEnv
from gym_hil.robots import ROBOTS
from gym_hil.testing.clock import ManualClock

ROBOT = ROBOTS["so101"]
HOME = tuple(ROBOT.home("above_table"))
JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")


class FakeBus:
    """Servos that answer, except to as many requests as `silent` says."""

    def __init__(self) -> None:
        self.motors = dict.fromkeys(JOINTS)
        self.registers = {name: dict.fromkeys(JOINTS, 0) for name in ("Present_Current", "Status")}
        self.registers["Torque_Enable"] = dict.fromkeys(JOINTS, 1)
        self.silent = self.discarded = 0
        self.port_handler = types.SimpleNamespace(
            ser=types.SimpleNamespace(reset_input_buffer=self._discard), closePort=lambda: None
        )

    def connect(self) -> None:
        """Open the port."""

    def disconnect(self, disable_torque: bool) -> None:
        assert not disable_torque, "the arm would fall"

    def write(self, *_, **__) -> None:
        """Accept everything."""

    def sync_write(self, name: str, values: dict[str, int], normalize: bool) -> None:
        assert not normalize and "gripper" not in values
        self.written = (name, values)

    def sync_read(self, name: str, normalize: bool) -> dict[str, int]:
        if self.silent:
            self.silent -= 1
            raise ConnectionError(f"Failed to sync read {name}")
        return self.registers[name]

    def _discard(self) -> None:
        self.discarded += 1


class FakeRobot:
    """A robot of LeRobot with a `FakeBus`."""

    cameras: dict = {}  # noqa: RUF012
    is_calibrated = True

    def __init__(self, bus: FakeBus) -> None:
        self.bus = bus
        self.configured = 0

    def connect(self, calibrate: bool) -> None:
        self.configured += 1

    def get_observation(self) -> dict[str, float]:
        self.bus.sync_read("Status", normalize=False)
        return {f"{name}.pos": 1.0 for name in JOINTS}

    def disconnect(self) -> None:
        """Keep the torque."""


@pytest.fixture
def connection(monkeypatch):
    """A connection to a fake robot of LeRobot, and this robot."""
    robot = FakeRobot(FakeBus())
    robots = types.ModuleType("lerobot.robots")
    robots.make_robot_from_config = lambda config: robot
    monkeypatch.setitem(sys.modules, "lerobot", types.ModuleType("lerobot"))
    monkeypatch.setitem(sys.modules, "lerobot.robots", robots)
    monkeypatch.setattr("gym_hil.integrations.lerobot.real_arm.connection.SYSTEM_CLOCK", ManualClock())
    return LeRobotConnection(types.SimpleNamespace(cameras={})), robot


def test_missing_answers_are_requested_again_after_late_ones_were_discarded(connection):
    arm, robot = connection
    arm.connect()
    robot.bus.silent, before = RETRIES, robot.bus.discarded
    assert arm.read().errors == ()
    assert robot.bus.discarded - before == 3 + RETRIES, (
        "before each of the three requests, and each repetition"
    )
    robot.bus.silent = RETRIES + 1
    with pytest.raises(DeviceError, match="could not read the arm"):
        arm.read()


def test_a_new_connection_keeps_the_torque_unless_a_servo_was_switched_off(connection):
    arm, robot = connection
    arm.connect()
    robot.bus.registers["Torque_Enable"]["gripper"] = 0
    arm.connect()
    assert robot.configured == 1, "configuring switches the torque off for a moment"
    robot.bus.registers["Torque_Enable"]["elbow_flex"] = 0
    arm.connect()
    assert robot.configured == 2


def test_errors_of_servos_are_read(connection):
    arm, robot = connection
    arm.connect()
    robot.bus.registers["Status"] = dict.fromkeys(JOINTS, 0) | {"elbow_flex": 4, "gripper": 32}
    assert arm.read().errors == ("the servo elbow_flex reports that it is too hot",)


def test_servos_limit_their_speed_until_the_connection_is_closed(connection):
    arm, robot = connection
    arm.connect()
    arm.limit_speed([1.5, 0.5, 0.0, 0.1, 0.1])
    name, values = robot.bus.written
    assert name == "Goal_Velocity" and list(values.values()) == [978, 326, 1, 65, 65], "counts per second"
    arm.close()
    assert set(robot.bus.written[1].values()) == {0}, "0 is no limit"


class FakeArm:
    """Goes where it is sent at once, and notes when."""

    cameras = ()

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.now = Measurement(HOME, 0.2)
        self.sent: list[tuple[float, ...]] = []

    def connect(self) -> None:
        """Connect."""

    def read(self) -> Measurement:
        return self.now

    def reset_gripper(self) -> None:
        """Do nothing."""

    def limit_speed(self, speeds) -> None:
        self.speeds = speeds

    def send(self, joints, opening) -> None:
        self.sent.append(tuple(joints))
        self.now = replace(self.now, joints=tuple(joints), opening=float(opening))

    def close(self) -> None:
        """Disconnect."""


@pytest.fixture
def arm_env():
    """An environment with a `FakeArm` whose joints are limited to 0.5 rad/s, at its start."""
    arm = FakeArm()
    env = RealArmEnv(arm, ROBOT, lambda text: None, limits=SafetyLimits(joint_speed=0.5), clock=arm.clock)
    env.reset(seed=0)
    env.step(env.neutral_action())
    return env, arm


@pytest.mark.parametrize("lost_s", [0.0, 0.03, 0.06, 0.3])
def test_the_arm_does_not_catch_up_on_lost_time_by_moving_faster(arm_env, lost_s):
    env, arm = arm_env
    before = len(arm.sent)
    arm.clock.advance(lost_s)
    env.step([0.0, 1.0, 0.0, 1.0])
    goals = np.array(arm.sent[before - 1 :])
    moved = np.abs(goals[-1] - goals[0]).max()
    assert moved == pytest.approx(0.5 * max(0.0, 0.1 - lost_s), abs=1e-9)
    assert np.abs(np.diff(goals, axis=0)).max() <= 2 * 0.5 * 0.0125 + 1e-9


def test_servos_may_be_as_fast_as_they_need_to_reach_the_goal(arm_env):
    env, arm = arm_env
    before = np.array(arm.now.joints)
    env.step([0.0, 0.2, 0.0, 1.0])
    needed = np.abs(np.array(arm.now.joints) - before) / 0.1
    assert arm.speeds == pytest.approx(needed.clip(0.1, 0.5)) and needed.max() > 0.1
    env.reset()
    assert max(arm.speeds) <= 0.5, "the speed on the way to the start"


def test_an_error_of_a_servo_stops_the_arm(arm_env):
    env, arm = arm_env
    arm.now = replace(arm.now, errors=("the servo elbow_flex reports that it is too hot",))
    *_, truncated, info = env.step([0.0, 1.0, 0.0, 1.0])
    assert truncated and "elbow_flex reports that it is too hot" in info["device_error"]
    assert arm.sent[-1] == pytest.approx(arm.now.joints), "all other servos hold their positions"
