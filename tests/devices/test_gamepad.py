"""The gamepad, with a simulated pad that the real pygame reads."""

from __future__ import annotations

import logging
import random

import pytest

pytest.importorskip("pygame")

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.devices.base import DeviceReading
from gym_hil.devices.controller_config import save_controller_config
from gym_hil.devices.gamepad import GAMEPAD, Gamepad
from gym_hil.testing.virtual_gamepad import VirtualGamepad


@pytest.fixture
def virtual():
    pad = VirtualGamepad()
    yield pad
    pad.detach()


@pytest.fixture
def gamepad(virtual):
    with Gamepad() as device:
        device.poll()
        yield device


def test_sticks_move_along_the_robots_axes(virtual, gamepad):
    virtual.set_axis("left_y", 1.0)
    virtual.set_axis("left_x", 1.0)
    virtual.set_axis("right_y", -1.0)
    x, y, z, *turns = gamepad.poll().motion
    assert (x, y, z) == pytest.approx((1.0, -1.0, -1.0), abs=0.01)
    assert turns == [0, 0, 0]


def test_the_sticks_turn_the_hand_while_lb_is_held(virtual, gamepad):
    virtual.press("lb")
    for stick, level, rotation in (
        ("left_y", 1.0, (0, 1, 0)),
        ("left_x", 1.0, (1, 0, 0)),
        ("right_x", 1.0, (0, 0, -1)),
    ):
        virtual.set_axis(stick, level)
        motion = gamepad.poll().motion
        assert motion[:3] == (0, 0, 0) and motion[3:] == pytest.approx(rotation, abs=0.01), stick
        virtual.set_axis(stick, 0.0)
    virtual.set_axis("right_x", 1.0)
    virtual.release("lb")
    assert gamepad.poll().motion == (0.0,) * 6


def test_small_stick_movements_are_ignored(virtual, gamepad):
    virtual.set_axis("left_y", 0.08)
    assert gamepad.poll().motion[0] == 0.0


def test_holding_rb_engages(virtual, gamepad):
    virtual.press("rb")
    first, second = gamepad.poll(), gamepad.poll()
    assert (first.engage, first.engage_presses) == (True, 1)
    assert (second.engage, second.engage_presses) == (True, 0)
    virtual.release("rb")
    assert not gamepad.poll().engage


def test_presses_between_two_polls_arrive_exactly_once(virtual, gamepad):
    for button in ("y", "a", "x", "y"):
        virtual.press(button)
        virtual.release(button)
    expected = (EpisodeEvent.SUCCESS, EpisodeEvent.FAILURE, EpisodeEvent.RERECORD, EpisodeEvent.SUCCESS)
    assert gamepad.poll().events == expected
    assert gamepad.poll().events == ()


def test_triggers_close_and_open(virtual, gamepad):
    virtual.set_axis("lt", 1.0)
    assert gamepad.poll().gripper is GripperCommand.CLOSE
    virtual.set_axis("lt", 0.0)
    virtual.set_axis("rt", 1.0)
    assert gamepad.poll().gripper is GripperCommand.OPEN
    virtual.set_axis("rt", 0.0)
    assert gamepad.poll().gripper is GripperCommand.STAY


def test_unplugging_releases_control_and_plugging_in_reconnects(caplog):
    pad = VirtualGamepad()
    with Gamepad() as device, caplog.at_level(logging.WARNING):
        pad.press("rb")
        assert device.poll().engage
        pad.detach()
        assert not device.poll().connected
        assert "unplugged" in caplog.text
        again = VirtualGamepad()
        reading = device.poll()
        assert reading.connected and not reading.engage
        again.press("rb")
        assert device.poll().engage
        again.detach()


def test_without_a_gamepad_the_message_names_other_devices(caplog):
    with caplog.at_level(logging.WARNING), Gamepad() as device:
        assert not device.poll().connected
    assert "keyboard" in caplog.text


def test_help_is_one_line_that_names_the_buttons(gamepad):
    line = gamepad.help()
    assert "\n" not in line
    assert all(button.upper() in line for button in GAMEPAD)


def test_after_close_nothing_is_connected(virtual, gamepad):
    gamepad.close()
    gamepad.close()
    virtual.press("y")
    assert not gamepad.poll().connected and gamepad.poll().events == ()


def test_an_impossible_deadzone_is_refused():
    with pytest.raises(InvalidArgumentError, match=r"deadzone=1\.5"):
        Gamepad(deadzone=1.5)


def test_many_random_events_raise_nothing_and_lose_no_press():
    rng = random.Random(0)
    pad = VirtualGamepad()
    pressed, counted, down = 0, 0, False
    with Gamepad() as device:
        device.poll()
        for _ in range(3000):
            match rng.randrange(4):
                case 0:
                    pad.set_axis(rng.choice(("left_x", "left_y", "right_y", "lt", "rt")), rng.random())
                case 1 if not down:
                    pad.press("y")
                    down, pressed = True, pressed + 1
                case 2 if down:
                    pad.release("y")
                    down = False
                case 3:
                    reading = device.poll()
                    assert all(-1.0 <= level <= 1.0 for level in reading.motion)
                    counted += reading.events.count(EpisodeEvent.SUCCESS)
        counted += device.poll().events.count(EpisodeEvent.SUCCESS)
    pad.detach()
    assert counted == pressed > 100


@pytest.mark.parametrize("mapped", [True, False])
def test_removing_an_unopened_gamepad_has_no_effect(mapped):
    pad = VirtualGamepad(mapped=mapped)
    with Gamepad() as device:
        device.poll()
        other = VirtualGamepad(mapped=mapped)
        pad.press("y" if mapped else "b")
        other.detach()
        assert len(device.poll().events) == 1
        other = VirtualGamepad(mapped=mapped)
        other.detach()
        pad.detach()
        assert not device.poll().connected


def test_presses_before_unplugging_are_delivered_and_levels_are_released(virtual, gamepad):
    virtual.press("rb")
    virtual.set_axis("left_x", 1.0)
    gamepad.poll()
    virtual.press("y")
    virtual.detach()
    reading = gamepad.poll()
    assert reading == DeviceReading(events=(EpisodeEvent.SUCCESS,), connected=False)


def test_a_gamepad_is_preferred_to_another_joystick():
    sensors = VirtualGamepad("Motion Sensors", mapped=False)
    real = VirtualGamepad("Real Pad")
    with Gamepad() as device:
        device.poll()
        real.press("y")
        assert device.poll().events == (EpisodeEvent.SUCCESS,)
    sensors.detach()
    real.detach()


def test_a_gamepad_that_is_connected_later_replaces_another_joystick():
    sensors = VirtualGamepad("Motion Sensors", mapped=False)
    with Gamepad() as device:
        device.poll()
        real = VirtualGamepad("Real Pad")
        device.poll()
        real.press("y")
        assert device.poll().events == (EpisodeEvent.SUCCESS,)
        real.detach()
    sensors.detach()


def test_the_pad_on_which_the_person_takes_over_is_used():
    first, second = VirtualGamepad("First Pad"), VirtualGamepad("Second Pad")
    with Gamepad() as device:
        device.poll()
        second.press("y")
        second.release("y")
        assert device.poll().events == ()
        second.press("rb")
        second.set_axis("left_y", 1.0)
        reading = device.poll()
        assert reading.engage and reading.motion[0] > 0.9 and reading.events == ()
        first.press("rb")
        assert device.poll().motion[0] > 0.9, "whoever holds the button keeps control"
        second.release("rb")
        device.poll()
        reading = device.poll()
        assert reading.engage and reading.motion[0] == 0.0
    first.detach()
    second.detach()


def test_a_pad_is_chosen_by_its_name():
    first, second = VirtualGamepad("First Pad"), VirtualGamepad("Second Pad")
    with Gamepad(pad_name="second") as device, Gamepad(pad_name="third") as nobody:
        device.poll()
        first.press("rb")
        assert not device.poll().engage
        second.press("rb")
        assert device.poll().engage
        assert not nobody.poll().connected
    first.detach()
    second.detach()


def test_garbage_collection_of_a_gamepad_releases_its_joystick(virtual):
    device = Gamepad()
    loop = [device]
    loop.append(loop)
    device.poll()
    again = Gamepad()
    assert not again.poll().connected, "the pad is in use"
    del device, loop
    again._collect_at = 0.0
    virtual.press("rb")
    assert again.poll().engage
    again.close()


def test_running_a_notebook_cell_twice_works(virtual):
    import gymnasium as gym

    import gym_hil  # noqa: F401

    for _ in range(3):
        env = gym.make("gym_hil/PandaPickCubeGamepad-v1")
        env.reset()
    device = env.get_wrapper_attr("operator").device
    device._collect_at = 0.0
    device.poll()
    virtual.press("rb")
    assert device.poll().engage
    env.close()


def test_a_connected_gamepad_logs_how_to_take_over(virtual, caplog):
    with caplog.at_level(logging.WARNING), Gamepad():
        pass
    assert "is ready" in caplog.text and "RB: take over" in caplog.text and "guess" not in caplog.text


def test_guessed_buttons_are_announced_and_can_be_set(caplog, tmp_path, monkeypatch):
    monkeypatch.setenv("GYM_HIL_CONTROLLER_CONFIG", str(tmp_path / "own" / "controllers.json"))
    pad = VirtualGamepad("Strange Pad", mapped=False)
    with caplog.at_level(logging.WARNING), Gamepad() as device:
        device.poll()
    assert "guess" in caplog.text and "gym-hil doctor --map-gamepad" in caplog.text
    save_controller_config(
        "Strange Pad",
        {
            "axes": {"left_x": 0, "left_y": 1, "right_x": 2, "right_y": 3, "lt": 4, "rt": 5},
            "buttons": {"a": 0, "b": 1, "x": 2, "y": 3, "start": 6, "lb": 9, "rb": 10},
            "axis_inversion": {"left_y": True, "right_y": True},
        },
    )
    caplog.clear()
    with caplog.at_level(logging.WARNING), Gamepad() as device:
        device.poll()
        pad.press("rb")
        assert device.poll().engage
    assert "guess" not in caplog.text
    pad.detach()


@pytest.mark.parametrize("order", [("x", "y", "a", "start"), ("start", "a", "y", "x")])
def test_presses_whose_events_were_lost_come_in_the_order_of_the_mapping(virtual, order):
    import pygame

    with Gamepad(buttons={button: GAMEPAD[button] for button in order}) as device:
        device.poll()
        for button in ("y", "start", "x", "a"):
            virtual.press(button)
        pygame.event.clear()
        names = {"x": "rerecord_episode", "y": "success", "a": "failure", "start": "pause"}
        assert [event.value for event in device.poll().events] == [names[button] for button in order]
        assert [device.help().index(f"{button.upper()}:") for button in order] == sorted(
            device.help().index(f"{button.upper()}:") for button in order
        )
