"""A person chooses between three speeds, the same on every device."""

from __future__ import annotations

import numpy as np
import pytest

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import EpisodeEvent
from gym_hil.devices import Control, Keyboard
from gym_hil.devices.controls import EVENTS
from gym_hil.devices.gamepad import GAMEPAD
from gym_hil.devices.keymap import KEYBOARD, TERMINAL
from gym_hil.devices.page import PAGE_KEYBOARD
from gym_hil.devices.speed import Speed
from gym_hil.intervention.human import Engage, Human
from gym_hil.stacks.build import make_env

STEP_M = 0.025
IDLE = np.array([0, 0, 0, 1], np.float32)


@pytest.fixture
def driven():
    keyboard = Keyboard()
    operator = Human(keyboard, Engage.TOGGLE)
    env = make_env("gym_hil/PandaPickCubeBase-v1", operator=operator)
    env.reset(seed=0)
    keyboard.press("space")
    yield env, keyboard, operator
    env.close()


def moved(env) -> float:
    return float(env.step(IDLE)[4]["teleop_action"][0])


def tap(keyboard, key) -> None:
    keyboard.press(key)
    keyboard.release(key)


def test_there_are_three_speeds_and_the_finest_tap_is_half_a_millimetre():
    assert [speed.factor for speed in Speed] == sorted((speed.factor for speed in Speed), reverse=True)
    assert len(Speed) == 3
    assert Speed.FINE.factor * STEP_M <= 0.0005
    assert Speed.COARSE.after([EpisodeEvent.NEXT_SPEED] * 4) is Speed.MEDIUM


@pytest.mark.parametrize("controls", [KEYBOARD, TERMINAL, PAGE_KEYBOARD, GAMEPAD])
def test_every_device_has_a_button_for_the_next_speed_and_one_for_turning(controls):
    assert {Control.SPEED, Control.TURN} <= set(controls.values())
    assert EVENTS[Control.SPEED] is EpisodeEvent.NEXT_SPEED


def test_the_person_chooses_how_far_a_tap_moves(driven):
    env, keyboard, operator = driven
    for speed in (*Speed, Speed.COARSE):
        assert operator.speed is speed
        tap(keyboard, "up")
        assert moved(env) == pytest.approx(speed.factor)
        tap(keyboard, "f")
        env.step(IDLE)


def test_the_selected_speed_is_kept_in_the_next_episode(driven):
    env, keyboard, operator = driven
    tap(keyboard, "f")
    env.step(IDLE)
    env.reset(seed=1)
    assert operator.speed is Speed.MEDIUM


def test_a_program_chooses_the_first_speed():
    assert Human(Keyboard(), speed="fine").speed is Speed.FINE
    with pytest.raises(InvalidArgumentError, match=r"speed='fast'.*coarse"):
        Human(Keyboard(), speed="fast")


def test_a_rotation_takes_over_only_where_the_action_has_one():
    keyboard = Keyboard()
    env = make_env("gym_hil/PandaPickCubeBase-v1", operator=Human(keyboard, Engage.MOTION))
    env.reset(seed=0)
    keyboard.press("t")
    keyboard.press("up")
    assert env.step(IDLE)[4]["phase"] == "policy", "the action has no rotation"
    keyboard.release("t")
    assert env.step(IDLE)[4]["phase"] == "takeover"
    env.close()
