"""Help for a person who needs time: pause, pause at takeover, slow motion, a trigger as gripper."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import GripperCommand
from gym_hil.devices import Keyboard
from gym_hil.intervention import Engage, Grip, Human
from gym_hil.stacks.build import make_env
from gym_hil.wrappers.real_time import RealTimeWrapper

pytestmark = pytest.mark.flaky(reruns=2)

STAY = np.array([0, 0, 0, 1], np.float32)


@pytest.fixture
def keyboard():
    return Keyboard()


def make(keyboard, *, engage="hold", grip="command", **pacing):
    env = make_env("gym_hil/PandaPickCubeBase-v0", operator=Human(keyboard, engage, grip=grip))
    env = RealTimeWrapper(env, period_s=0.02, **pacing)
    env.reset(seed=0)
    return env


def tap(keyboard, key):
    keyboard.press(key)
    keyboard.release(key)


def timed_step(env):
    start = time.perf_counter()
    info = env.step(STAY)[4]
    return time.perf_counter() - start, info


def test_pause_stops_the_world_until_pressed_again_and_loses_nothing(keyboard):
    env = make(keyboard, engage=Engage.TOGGLE)
    tap(keyboard, "p")
    env.step(STAY)
    assert env.get_wrapper_attr("operator").paused

    def after_a_while():
        for key in ("space", "enter", "p"):
            time.sleep(0.1)
            tap(keyboard, key)

    person = threading.Thread(target=after_a_while)
    person.start()
    start = time.perf_counter()
    *_, terminated, _, info = env.step(STAY)
    waited = time.perf_counter() - start
    person.join()
    assert waited >= 0.28
    assert info["phase"] == "takeover" and terminated and info["termination_reason"] == "human_success"
    assert timed_step_after_reset(env) < 0.2
    assert env.worst_overrun_s < waited, "a pause is nobody's delay"


def timed_step_after_reset(env):
    env.reset()
    return timed_step(env)[0]


@pytest.mark.parametrize("end", ["unplug", "reset"])
def test_nobody_is_left_waiting(keyboard, end):
    env = make(keyboard)
    tap(keyboard, "p")
    env.step(STAY)
    if end == "unplug":
        keyboard.connected = False
    else:
        env.reset()
    assert timed_step(env)[0] < 0.5


def test_the_world_waits_at_takeover_only(keyboard):
    env = make(keyboard, takeover_pause_s=0.2)
    env.step(STAY)
    keyboard.press("space")
    env.step(STAY)
    assert timed_step(env)[0] > 0.15
    assert timed_step(env)[0] < 0.15


def test_only_the_human_is_slow(keyboard):
    env = make(keyboard, human_slow_motion=8.0)
    env.step(STAY)
    assert timed_step(env)[0] < 0.1
    keyboard.press("space")
    env.step(STAY)
    assert timed_step(env)[0] > 0.12
    keyboard.release("space")
    env.step(STAY)
    assert timed_step(env)[0] < 0.1


def test_a_trigger_holds_the_gripper_closed(keyboard):
    env = make(keyboard, grip=Grip.HELD)
    keyboard.press("space")
    assert env.step(STAY)[4]["teleop_action"][3] == GripperCommand.OPEN
    keyboard.press("ctrl_l")
    assert [env.step(STAY)[4]["teleop_action"][3] for _ in range(2)] == [GripperCommand.CLOSE] * 2
    keyboard.release("ctrl_l")
    assert env.step(STAY)[4]["teleop_action"][3] == GripperCommand.OPEN


@pytest.mark.parametrize("argument", [{"takeover_pause_s": -1}, {"human_slow_motion": 0}])
def test_impossible_waits_are_refused(keyboard, argument):
    with pytest.raises(InvalidArgumentError, match=next(iter(argument))):
        make(keyboard, **argument)


def test_an_unknown_grip_is_refused(keyboard):
    with pytest.raises(InvalidArgumentError, match="grip='claw'"):
        Human(keyboard, grip="claw")
