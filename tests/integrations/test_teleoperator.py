"""The operators of this package as teleoperators of LeRobot for the simulated arm."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip("lerobot")

from lerobot.teleoperators.utils import TeleopEvents

from gym_hil.core.errors import DeviceError
from gym_hil.devices.base import Engage
from gym_hil.devices.keyboard import Keyboard
from gym_hil.integrations.lerobot import teleoperator
from gym_hil.integrations.lerobot.robot import TCP
from gym_hil.integrations.lerobot.shared_simulation import SharedSimulation
from gym_hil.integrations.lerobot.teleoperator import GymHilTeleoperator, GymHilTeleoperatorConfig
from gym_hil.intervention.human import Human
from gym_hil.testing.clock import ManualClock


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setitem(sys.modules, "lerobot.datasets.lerobot_dataset", None)  # its import takes seconds
    simulated = SharedSimulation("PandaPickCube-v1", images=False, seed=0)
    yield simulated
    simulated.close()


def test_a_persons_keys_move_the_target_and_end_the_episode(world, monkeypatch):
    clock = ManualClock()
    keyboard = Keyboard(clock=clock)
    monkeypatch.setattr(teleoperator, "make_operator", lambda name: Human(keyboard, Engage.TOGGLE))
    teleop = GymHilTeleoperator(GymHilTeleoperatorConfig(operator="keyboard", step_m=0.02))
    assert not teleop.is_connected and teleop.is_calibrated
    teleop.connect()
    assert teleop.is_connected
    before = world.raw.simulation.target_pos_w.copy()
    still = teleop.get_action()
    assert [still[name] for name in teleop.action_features["names"]] == [0.0, 0.0, 0.0, 1.0]
    assert [still[name] for name in TCP] == before.tolist()
    assert not any(teleop.get_teleop_events().values())
    for key in ("space", "up"):
        keyboard.press(key)
    clock.advance(0.1)
    action = teleop.get_action()
    assert action["delta_x"] > 0.0 and action["delta_y"] == action["delta_z"] == 0.0
    assert action[TCP[0]] == pytest.approx(before[0] + 0.02 * action["delta_x"])
    assert teleop.get_teleop_events()[TeleopEvents.IS_INTERVENTION]
    keyboard.press("enter")
    teleop.get_action()
    events = teleop.get_teleop_events()
    assert events[TeleopEvents.SUCCESS] and events[TeleopEvents.TERMINATE_EPISODE]
    teleop.disconnect()
    teleop.disconnect()
    assert not teleop.is_connected


def test_what_is_not_connected_is_named():
    teleop = GymHilTeleoperator(GymHilTeleoperatorConfig())
    with pytest.raises(DeviceError, match="the teleoperator is not connected; call connect first"):
        teleop.get_action()
    teleop.connect()
    with pytest.raises(
        DeviceError, match=r"no simulated arm; use the teleoperator with --robot\.type=gym_hil"
    ):
        teleop.get_action()
    teleop.disconnect()
