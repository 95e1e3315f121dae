"""Conformance tests for input devices, including those of other packages.

Subclass `DeviceConformance`, and define a pytest fixture `rig` that yields a `DeviceRig`, which operates the
device::

    class TestMyPad(DeviceConformance):
        @pytest.fixture
        def rig(self):
            yield MyPadRig()
"""

from __future__ import annotations

import abc
import math
import time
import unittest
from collections.abc import Callable
from dataclasses import replace

from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.devices.base import DISCONNECTED, STILL, Device, DeviceReading
from gym_hil.devices.controls import DIRECTIONS, EVENTS, GRIPPER, Control

POLL_BUDGET = 0.02
"""Longest mean duration of a poll (s), a fifth of a 10 Hz control period."""


class DeviceRig(abc.ABC):
    """A device, and the means to operate it in tests.

    `controls` and `axes` list what the device has. Tests of other controls and axes are skipped, and so are those of
    `disconnect` if it raises `NotImplementedError`.
    """

    device: Device
    controls: frozenset[Control] = frozenset()
    """Buttons that `press` and `release` operate."""
    axes: tuple[int, ...] = ()
    """Indices into `Motion` that `move` operates."""
    can_hold: bool = True
    """Whether buttons can be held, which is not the case in a terminal."""

    @abc.abstractmethod
    def press(self, control: Control) -> None:
        """Press a button.

        Args:
            control: the control of the button.
        """

    @abc.abstractmethod
    def release(self, control: Control) -> None:
        """Release a button, so that the next `press` is a new one.

        Args:
            control: the control of the button.
        """

    def move(self, axis: int, level: float) -> None:
        """Move one axis to `level`, in [-1, 1]."""
        raise NotImplementedError

    def disconnect(self) -> None:
        """Unplug the device."""
        raise NotImplementedError

    def reconnect(self) -> None:
        """Plug the device in again."""
        raise NotImplementedError

    def settle(self) -> None:  # noqa: B027
        """Wait until the device has received all input."""


def assert_valid_reading(reading: DeviceReading) -> None:
    """Check the types and ranges of a reading, and that it is neutral if nothing is connected.

    Args:
        reading: the reading.
    """
    assert isinstance(reading, DeviceReading)
    assert isinstance(reading.motion, tuple) and len(reading.motion) == 6
    assert all(math.isfinite(level) and -1.0 <= level <= 1.0 for level in reading.motion), reading.motion
    assert isinstance(reading.gripper, GripperCommand)
    assert isinstance(reading.engage, bool) and isinstance(reading.connected, bool)
    assert isinstance(reading.engage_presses, int) and reading.engage_presses >= 0
    assert isinstance(reading.events, tuple)
    assert all(isinstance(event, EpisodeEvent) for event in reading.events)
    if not reading.connected:
        assert reading == replace(DISCONNECTED, events=reading.events)


class DeviceBasics:
    """Tests for any device, including those that tests cannot operate. They need a fixture `rig` with an attribute
    `device`.
    """

    def test_has_a_name(self, rig: DeviceRig) -> None:
        assert isinstance(rig.device.name, str) and rig.device.name

    def test_help_is_one_line(self, rig: DeviceRig) -> None:
        text = rig.device.help()
        assert text.strip() and len(text.splitlines()) == 1, repr(text)

    def test_poll_returns_at_once(self, rig: DeviceRig) -> None:
        start = time.perf_counter()
        for _ in range(50):
            assert_valid_reading(rig.device.poll())
        assert time.perf_counter() - start < 50 * POLL_BUDGET

    def test_close_twice_then_nothing_is_connected(self, rig: DeviceRig) -> None:
        rig.device.close()
        rig.device.close()
        assert rig.device.poll() == DISCONNECTED
        rig.device.flush()
        assert rig.device.help().strip()

    def test_context_manager_closes(self, rig: DeviceRig) -> None:
        with rig.device as device:
            assert device is rig.device
        assert rig.device.poll() == DISCONNECTED


class DeviceConformance(DeviceBasics):
    """Tests for devices with buttons or axes. They need a fixture `rig` with a `DeviceRig`."""

    def test_is_neutral_while_nobody_touches_it(self, rig: DeviceRig) -> None:
        rig.settle()
        assert rig.device.poll() == DeviceReading()

    def test_a_tap_between_polls_arrives_exactly_once(self, rig: DeviceRig) -> None:
        for control, event in _events(rig).items():
            tap(rig, control)
            assert polled_events(rig) == [event]
            assert polled_events(rig) == []

    def test_taps_arrive_in_their_order(self, rig: DeviceRig) -> None:
        events = _events(rig)
        for control in events:
            tap(rig, control)
        assert polled_events(rig) == list(events.values())

    def test_a_held_button_is_one_press(self, rig: DeviceRig) -> None:
        for control, event in _events(rig).items():
            rig.press(control)
            assert polled_events(rig) + polled_events(rig) + polled_events(rig) == [event]
            rig.release(control)
            assert polled_events(rig) == []

    def test_buttons_pressed_together_all_arrive(self, rig: DeviceRig) -> None:
        events = _events(rig)
        for control in events:
            rig.press(control)
        assert sorted(polled_events(rig)) == sorted(events.values())
        for control in events:
            rig.release(control)
        assert polled_events(rig) == []

    def test_an_engage_tap_is_seen_once(self, rig: DeviceRig) -> None:
        _skip_unless(Control.ENGAGE in rig.controls, "an intervention button")
        tap(rig, Control.ENGAGE)
        rig.settle()
        first, second = rig.device.poll(), rig.device.poll()
        assert (first.engage, first.engage_presses) == (True, 1)
        assert second.engage_presses == 0
        assert not (rig.can_hold and second.engage)

    def test_engage_taps_are_counted(self, rig: DeviceRig) -> None:
        _skip_unless(
            Control.ENGAGE in rig.controls and rig.can_hold, "an intervention button that can be tapped fast"
        )
        for _ in range(3):
            tap(rig, Control.ENGAGE)
        rig.settle()
        assert rig.device.poll().engage_presses == 3
        assert rig.device.poll().engage_presses == 0

    def test_engage_lasts_while_held(self, rig: DeviceRig) -> None:
        _skip_unless(
            Control.ENGAGE in rig.controls and rig.can_hold, "an intervention button that can be held"
        )
        rig.press(Control.ENGAGE)
        rig.settle()
        readings = [rig.device.poll() for _ in range(3)]
        assert all(reading.engage for reading in readings)
        assert sum(reading.engage_presses for reading in readings) == 1
        rig.release(Control.ENGAGE)
        rig.settle()
        assert not rig.device.poll().engage

    def test_a_gripper_tap_is_not_lost(self, rig: DeviceRig) -> None:
        for control, command in _gripper(rig).items():
            tap(rig, control)
            rig.settle()
            assert rig.device.poll().gripper is command
            if rig.can_hold:
                assert rig.device.poll().gripper is GripperCommand.STAY

    def test_a_gripper_button_lasts_while_held(self, rig: DeviceRig) -> None:
        _skip_unless(rig.can_hold, "buttons that can be held")
        for control, command in _gripper(rig).items():
            rig.press(control)
            rig.settle()
            assert [rig.device.poll().gripper for _ in range(3)] == [command] * 3
            rig.release(control)
            rig.settle()
            assert rig.device.poll().gripper is GripperCommand.STAY

    def test_each_control_moves_its_axis_in_its_direction(self, rig: DeviceRig) -> None:
        _skip_unless(bool(rig.axes), "axes")
        for axis in rig.axes:
            for level in (1.0, -1.0):
                rig.move(axis, level)
                rig.settle()
                motion = rig.device.poll().motion
                assert motion[axis] * level > 0.0, (axis, level, motion)
                assert not any(other for index, other in enumerate(motion) if index != axis), motion
            rig.move(axis, 0.0)
            rig.settle()
            rig.device.poll()
            assert rig.device.poll().motion == STILL

    def test_the_newest_motion_wins(self, rig: DeviceRig) -> None:
        _skip_unless(bool(rig.axes), "axes")
        rig.move(rig.axes[0], 1.0)
        rig.move(rig.axes[0], -1.0)
        rig.settle()
        assert rig.device.poll().motion[rig.axes[0]] < 0.0
        rig.move(rig.axes[0], 0.0)

    def test_directions_turn_the_hand_while_the_button_for_turning_is_held(self, rig: DeviceRig) -> None:
        """Forward tips the hand forward, about y; left tips it to the left, about x."""
        _skip_unless(Control.TURN in rig.controls and rig.can_hold, "a button for turning that can be held")
        rig.press(Control.TURN)
        for axis, rotation, sign in ((0, 4, 1.0), (1, 3, -1.0)):
            rig.move(axis, 1.0)
            rig.settle()
            motion = rig.device.poll().motion
            assert motion[rotation] * sign > 0.0, motion
            assert [index for index, level in enumerate(motion) if level] == [rotation], motion
            rig.move(axis, 0.0)
        rig.release(Control.TURN)
        rig.settle()
        rig.device.poll()
        rig.move(0, 1.0)
        rig.settle()
        assert rig.device.poll().motion[0] > 0.0
        rig.move(0, 0.0)

    def test_flush_forgets_presses(self, rig: DeviceRig) -> None:
        for control in rig.controls:
            tap(rig, control)
        rig.settle()
        rig.device.flush()
        reading = rig.device.poll()
        assert (reading.events, reading.engage_presses) == ((), 0)

    def test_disconnected_is_neutral_and_reconnecting_resumes(self, rig: DeviceRig) -> None:
        for control in rig.controls:
            rig.press(control)
        for axis in rig.axes:
            rig.move(axis, 1.0)
        rig.settle()
        rig.device.poll()
        _skip_if_not_implemented(rig.disconnect, "a plug")
        rig.settle()
        assert [rig.device.poll() for _ in range(3)] == [DISCONNECTED] * 3
        _skip_if_not_implemented(rig.reconnect, "a plug that can be plugged in again")
        rig.settle()
        assert rig.device.poll() == DeviceReading()
        for control, event in _events(rig).items():
            tap(rig, control)
            assert polled_events(rig) == [event]


def tap(rig: DeviceRig, control: Control) -> None:
    """Press and release a button between two polls."""
    rig.press(control)
    rig.release(control)


def polled_events(rig: DeviceRig) -> list[EpisodeEvent]:
    """Return the events of one poll, after the device has received all input."""
    rig.settle()
    reading = rig.device.poll()
    assert_valid_reading(reading)
    return list(reading.events)


def push_direction(rig: DeviceRig, axis: int, level: float) -> None:
    """Implementation of `move` for rigs of devices with direction keys."""
    for control, (index, sign) in DIRECTIONS.items():
        if index == axis:
            rig.release(control)
            if level * sign > 0.0:
                rig.press(control)


def _events(rig: DeviceRig) -> dict[Control, EpisodeEvent]:
    events = {control: event for control, event in EVENTS.items() if control in rig.controls}
    _skip_unless(bool(events), "buttons for episode events")
    return events


def _gripper(rig: DeviceRig) -> dict[Control, GripperCommand]:
    commands = {control: command for control, command in GRIPPER.items() if control in rig.controls}
    _skip_unless(bool(commands), "gripper buttons")
    return commands


def _skip_unless(present: bool, what: str) -> None:
    if not present:
        raise unittest.SkipTest(f"this device does not have {what}")


def _skip_if_not_implemented(action: Callable[[], None], what: str) -> None:
    try:
        action()
    except NotImplementedError:
        raise unittest.SkipTest(f"this device does not have {what}") from None
