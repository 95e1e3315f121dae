"""Help for a person who needs time: pause, pause at takeover, slow motion, a trigger as gripper."""

from __future__ import annotations

import numpy as np
import pytest

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import GripperCommand
from gym_hil.devices import Keyboard
from gym_hil.intervention import Engage, Grip, Human
from gym_hil.stacks.build import make_env
from gym_hil.testing.clock import ManualClock
from gym_hil.wrappers.real_time import RealTimeWrapper

STAY = np.array([0, 0, 0, 1], np.float32)
PERIOD_S = 0.02


class Scripted(ManualClock):
    """A clock on which things happen at given times."""

    def __init__(self) -> None:
        super().__init__()
        self.coming = []

    def at(self, seconds, act):
        """Call `act` once somebody has waited until `seconds` from now."""
        self.coming.append((self.monotonic() + seconds, act))

    def sleep(self, seconds):
        super().sleep(seconds)
        assert self.monotonic() < 60.0, "it waits forever"
        due = [act for time, act in self.coming if time <= self.monotonic()]
        self.coming = [(time, act) for time, act in self.coming if time > self.monotonic()]
        for act in due:
            act()


@pytest.fixture
def keyboard():
    return Keyboard()


@pytest.fixture
def clock():
    return Scripted()


def make(keyboard, clock, *, engage="hold", grip="command", **pacing):
    env = make_env("gym_hil/PandaPickCubeBase-v0", operator=Human(keyboard, engage, grip=grip))
    env = RealTimeWrapper(env, period_s=PERIOD_S, clock=clock, **pacing)
    env.reset(seed=0)
    return env


def tap(keyboard, key):
    keyboard.press(key)
    keyboard.release(key)


def waited(env, clock):
    """Make a step, and return for how long it waited (s)."""
    start = clock.monotonic()
    env.step(STAY)
    return clock.monotonic() - start


def test_steps_start_one_period_apart(keyboard, clock):
    env = make(keyboard, clock)
    assert waited(env, clock) == 0.0, "the first one starts at once"
    assert waited(env, clock) == pytest.approx(PERIOD_S)
    clock.advance(0.25 * PERIOD_S)
    assert waited(env, clock) == pytest.approx(0.75 * PERIOD_S), "the program's time is part of it"
    assert env.overruns == 0


def test_a_late_step_is_counted_and_not_made_up_for(keyboard, clock):
    env = make(keyboard, clock)
    env.step(STAY)
    clock.advance(2.5 * PERIOD_S)
    assert waited(env, clock) == 0.0
    assert env.overruns == 1 and env.worst_overrun_s == pytest.approx(1.5 * PERIOD_S)
    assert waited(env, clock) == pytest.approx(PERIOD_S)


def test_pause_stops_the_environment_until_pressed_again_and_loses_no_event(keyboard, clock):
    env = make(keyboard, clock, engage=Engage.TOGGLE)
    tap(keyboard, "p")
    env.step(STAY)
    assert env.get_wrapper_attr("operator").paused
    for seconds, key in ((0.1, "space"), (0.2, "enter"), (0.3, "p")):
        clock.at(seconds, lambda key=key: tap(keyboard, key))
    start = clock.monotonic()
    *_, terminated, _, info = env.step(STAY)
    assert 0.3 <= clock.monotonic() - start < 0.35
    assert info["phase"] == "takeover" and terminated and info["termination_reason"] == "human_success"
    env.reset()
    assert waited(env, clock) == 0.0
    assert env.overruns == 0, "a pause is nobody's delay"


@pytest.mark.parametrize("end", ["unplug", "reset"])
def test_a_pause_ends_with_a_reset_or_when_the_device_is_unplugged(keyboard, clock, end):
    env = make(keyboard, clock)
    tap(keyboard, "p")
    env.step(STAY)
    if end == "unplug":
        keyboard.connected = False
    else:
        env.reset()
    assert waited(env, clock) < 0.05


def test_the_environment_waits_at_a_takeover_only(keyboard, clock):
    env = make(keyboard, clock, takeover_pause_s=0.2)
    env.step(STAY)
    keyboard.press("space")
    env.step(STAY)
    assert waited(env, clock) == pytest.approx(PERIOD_S + 0.2)
    assert waited(env, clock) == pytest.approx(PERIOD_S)


def test_slow_motion_scales_only_actions_of_the_human(keyboard, clock):
    env = make(keyboard, clock, human_slow_motion=8.0)
    env.step(STAY)
    assert waited(env, clock) == pytest.approx(PERIOD_S)
    keyboard.press("space")
    env.step(STAY)
    assert waited(env, clock) == pytest.approx(8.0 * PERIOD_S)
    keyboard.release("space")
    env.step(STAY)
    assert waited(env, clock) == pytest.approx(PERIOD_S)


def test_a_trigger_holds_the_gripper_closed(keyboard, clock):
    env = make(keyboard, clock, grip=Grip.HELD)
    keyboard.press("space")
    assert env.step(STAY)[4]["teleop_action"][3] == GripperCommand.OPEN
    keyboard.press("ctrl_l")
    assert [env.step(STAY)[4]["teleop_action"][3] for _ in range(2)] == [GripperCommand.CLOSE] * 2
    keyboard.release("ctrl_l")
    assert env.step(STAY)[4]["teleop_action"][3] == GripperCommand.OPEN


@pytest.mark.parametrize("argument", [{"takeover_pause_s": -1}, {"human_slow_motion": 0}])
def test_invalid_waiting_times_are_refused(keyboard, clock, argument):
    with pytest.raises(InvalidArgumentError, match=next(iter(argument))):
        make(keyboard, clock, **argument)


def test_an_unknown_gripper_mode_is_refused(keyboard):
    with pytest.raises(InvalidArgumentError, match="grip='claw'"):
        Human(keyboard, grip="claw")
