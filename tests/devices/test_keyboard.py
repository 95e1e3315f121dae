"""The keyboard without a window: key maps, spellings, repeats, speeds, short presses, and the conformance suite."""

from __future__ import annotations

import random

import pytest

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.devices import DISCONNECTED, Control, Keyboard
from gym_hil.devices.keymap import KEYBOARD, TERMINAL, canonical_key, canonical_keymap
from gym_hil.testing.clock import ManualClock
from gym_hil.testing.devices import DeviceConformance, assert_valid_reading
from gym_hil.testing.rigs import KeyboardRig


class TestKeyboardConforms(DeviceConformance):
    @pytest.fixture
    def rig(self) -> KeyboardRig:
        return KeyboardRig(Keyboard())


class TestKeyboardWithAnotherMapConforms(DeviceConformance):
    @pytest.fixture
    def rig(self) -> KeyboardRig:
        return KeyboardRig(Keyboard({**TERMINAL, "q": Control.RESET}))


def test_the_default_map_is_the_documented_one() -> None:
    assert KEYBOARD == {
        "up": Control.FORWARD,
        "down": Control.BACKWARD,
        "left": Control.LEFT,
        "right": Control.RIGHT,
        "shift_l": Control.DOWN,
        "shift_r": Control.UP,
        "ctrl_l": Control.CLOSE,
        "ctrl_r": Control.OPEN,
        "space": Control.ENGAGE,
        "enter": Control.SUCCESS,
        "escape": Control.FAILURE,
        "r": Control.RERECORD,
        "p": Control.PAUSE,
        "t": Control.TURN,
        "f": Control.SPEED,
    }


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("ArrowUp", "up"),
        ("ShiftRight", "shift_r"),
        ("ControlLeft", "ctrl_l"),
        ("KeyR", "r"),
        (" ", "space"),
        ("Return", "enter"),
        ("KP_Enter", "enter"),
        ("Esc", "escape"),
        ("R", "r"),
        ("LEFT_SHIFT", "shift_l"),
        ("Control_R", "ctrl_r"),
        ("shift", "shift_l"),
        ("PageUp", "page_up"),
    ],
)
def test_each_key_has_one_name(spelling: str, name: str) -> None:
    assert canonical_key(spelling) == name


def test_arrows_held_together_move_diagonally() -> None:
    keyboard = Keyboard()
    for key in ("up", "left", "shift_r"):
        keyboard.press(key)
    assert keyboard.poll().motion == (1.0, 1.0, 1.0, 0.0, 0.0, 0.0)


def test_directions_turn_the_hand_while_the_key_for_turning_is_held() -> None:
    keyboard = Keyboard()
    keyboard.press("t")
    turns = {"up": (0, 1, 0), "left": (-1, 0, 0), "shift_r": (0, 0, 1), "shift_l": (0, 0, -1)}
    for key, rotation in turns.items():
        keyboard.press(key)
        assert keyboard.poll().motion == (0, 0, 0, *rotation)
        keyboard.release(key)
    keyboard.release("t")
    keyboard.press("up")
    assert keyboard.poll().motion == (1, 0, 0, 0, 0, 0)


def test_motion_is_in_proportion_to_how_long_a_key_was_down() -> None:
    clock = ManualClock()
    keyboard = Keyboard(clock=clock)
    keyboard.press("up")
    clock.advance(0.03)
    keyboard.release("up")
    clock.advance(0.07)
    assert keyboard.poll().motion[0] == pytest.approx(0.3)
    clock.advance(0.06)
    keyboard.press("up")
    clock.advance(0.04)
    assert keyboard.poll().motion[0] == pytest.approx(0.4)
    clock.advance(0.1)
    assert keyboard.poll().motion[0] == 1.0
    clock.advance(0.01)
    keyboard.release("up")
    keyboard.press("down")
    clock.advance(0.09)
    assert keyboard.poll().motion[0] == pytest.approx(0.1 - 0.9)
    keyboard.release_all()
    clock.advance(0.1)
    assert keyboard.poll().motion[0] == 0.0


def test_two_taps_move_twice_as_far_as_one() -> None:
    clock = ManualClock()
    keyboard = Keyboard(clock=clock)
    for _ in range(2):
        keyboard.press("left")
        clock.advance(0.025)
        keyboard.release("left")
    clock.advance(0.05)
    assert keyboard.poll().motion[1] == pytest.approx(0.5)


def test_presses_are_timed_by_their_timestamps() -> None:
    clock = ManualClock()
    keyboard = Keyboard(clock=clock)
    clock.advance(0.1)
    keyboard.press("up", at=0.02)
    keyboard.release("up", at=0.07)
    assert keyboard.poll().motion[0] == pytest.approx(0.5)
    clock.advance(0.1)
    keyboard.press("up", at=99.0)
    assert keyboard.poll().motion[0] == 0.0, "what is yet to come does not count"
    clock.advance(0.1)
    assert keyboard.poll().motion[0] == 1.0


def test_a_press_without_length_counts_as_a_short_tap() -> None:
    clock = ManualClock()
    keyboard = Keyboard(clock=clock)
    keyboard.press("up")
    keyboard.release("up")
    clock.advance(0.1)
    assert keyboard.poll().motion[0] == pytest.approx(0.2)


def test_opposite_keys_cancel() -> None:
    keyboard = Keyboard()
    keyboard.press("left")
    keyboard.press("right")
    assert keyboard.poll().motion[1] == 0.0
    keyboard.release("left")
    assert keyboard.poll().motion[1] == -1.0


def test_a_tapped_arrow_moves_for_one_poll() -> None:
    keyboard = Keyboard()
    keyboard.press("up")
    keyboard.release("up")
    assert [keyboard.poll().motion[0] for _ in range(2)] == [1.0, 0.0]


def test_fine_speed_while_its_key_is_held() -> None:
    keyboard = Keyboard({**KEYBOARD, "f": Control.FINE}, coarse_speed=0.8, fine_speed=0.1)
    keyboard.press("up")
    assert keyboard.poll().motion[0] == 0.8
    keyboard.press("f")
    assert keyboard.poll().motion[0] == 0.1
    keyboard.release("f")
    assert keyboard.poll().motion[0] == 0.8


def test_a_repeating_key_is_one_press() -> None:
    keyboard = Keyboard()
    for _ in range(30):
        keyboard.press("space")
        keyboard.press("Enter")
    reading = keyboard.poll()
    assert (reading.engage_presses, reading.events) == (1, (EpisodeEvent.SUCCESS,))
    keyboard.press("space")
    assert keyboard.poll().engage_presses == 0


def test_a_key_released_under_another_case_is_released() -> None:
    keyboard = Keyboard()
    keyboard.press("R")
    keyboard.release("r")
    keyboard.press("r")
    assert keyboard.poll().events == (EpisodeEvent.RERECORD,) * 2


def test_of_two_gripper_keys_the_last_one_is_used() -> None:
    keyboard = Keyboard()
    keyboard.press("ctrl_l")
    keyboard.poll()
    keyboard.press("ctrl_r")
    keyboard.release("ctrl_r")
    assert keyboard.poll().gripper is GripperCommand.OPEN
    assert keyboard.poll().gripper is GripperCommand.CLOSE


def test_losing_the_focus_releases_keys_but_keeps_presses() -> None:
    keyboard = Keyboard()
    keyboard.press("enter")
    keyboard.press("up")
    keyboard.release_all()
    assert keyboard.poll().events == (EpisodeEvent.SUCCESS,)
    assert keyboard.poll().motion[0] == 0.0


def test_keys_pressed_while_disconnected_or_closed_are_discarded() -> None:
    keyboard = Keyboard()
    keyboard.press("enter")
    keyboard.connected = False
    keyboard.press("enter")
    assert keyboard.poll() == DISCONNECTED
    keyboard.connected = True
    assert keyboard.poll().events == ()
    keyboard.close()
    keyboard.connected = True
    keyboard.press("enter")
    assert keyboard.poll() == DISCONNECTED


def test_unknown_keys_are_reported_and_ignored() -> None:
    keyboard = Keyboard()
    assert keyboard.press("Enter") is True
    assert keyboard.press("q") is False
    keyboard.release("q")
    assert keyboard.poll().events == (EpisodeEvent.SUCCESS,)


def test_help_names_every_key_of_the_map_in_use() -> None:
    assert Keyboard().help() == (
        "Space: take over, Up arrow: forward, Down arrow: back, Left arrow: left, Right arrow: right, "
        "right Shift: up, left Shift: down, left Ctrl: close gripper, right Ctrl: open gripper, "
        "T: turn instead of move, F: next speed, Enter: success, Esc: failure, R: re-record, P: pause"
    )
    assert (
        Keyboard({"k": Control.SUCCESS, "j": Control.SUCCESS, "F1": Control.PAUSE}).help()
        == "K or J: success, F1: pause"
    )


def test_bad_speeds_and_maps_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"fine_speed=0.0 is not in \(0, 1\]"):
        Keyboard(fine_speed=0.0)
    with pytest.raises(InvalidArgumentError, match=r"coarse_speed=2 is not in \(0, 1\]"):
        Keyboard(coarse_speed=2)
    with pytest.raises(InvalidArgumentError, match="key 'enter' means both 'success' and 'failure'"):
        canonical_keymap({"enter": Control.SUCCESS, "Return": Control.FAILURE})
    with pytest.raises(InvalidArgumentError, match="key 'k' means 'success', which is not a Control"):
        canonical_keymap({"k": "success"})  # type: ignore[dict-item]


def test_ten_thousand_random_key_events_raise_nothing() -> None:
    rng = random.Random(7)
    keyboard = Keyboard()
    keys = [*KEYBOARD, "q", "F5", ""]
    down: set[str] = set()
    pressed = delivered = 0
    for _ in range(10_000):
        key, action = rng.choice(keys), rng.random()
        if action < 0.45:
            keyboard.press(key)
            pressed += key == "enter" and key not in down
            down.add(key)
        elif action < 0.9:
            keyboard.release(key)
            down.discard(key)
        elif action < 0.91:
            keyboard.release_all()
            down.clear()
        else:
            reading = keyboard.poll()
            assert_valid_reading(reading)
            delivered += reading.events.count(EpisodeEvent.SUCCESS)
    delivered += keyboard.poll().events.count(EpisodeEvent.SUCCESS)
    assert delivered == pressed > 100
