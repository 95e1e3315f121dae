"""Recorded inputs of a device can be stored and replayed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gym_hil.core.errors import InvalidArgumentError, InvalidDatasetError
from gym_hil.core.schema import EpisodeEvent
from gym_hil.devices import DISCONNECTED, Keyboard, RecordedDevice, RecordingDevice
from gym_hil.devices.device_log import DeviceLog, TimedReading, header_line, load_device_log
from gym_hil.testing.clock import ManualClock
from gym_hil.testing.devices import DeviceBasics, DeviceConformance
from gym_hil.testing.rigs import KeyboardRig

KEYS = ("space", "up", "down", "left", "shift_r", "ctrl_l", "ctrl_r", "enter", "escape", "r", "f")


class TestRecordingConforms(DeviceConformance):
    @pytest.fixture
    def rig(self, tmp_path):
        rig = KeyboardRig(Keyboard())
        rig.device = RecordingDevice(rig.keyboard, tmp_path / "log.jsonl")
        yield rig
        rig.device.close()


class RecordedRig:
    def __init__(self, device: RecordedDevice) -> None:
        self.device = device


class TestRecordedConforms(DeviceBasics):
    @pytest.fixture
    def rig(self, tmp_path):
        played(tmp_path / "log.jsonl", seed=0, polls=200)
        return RecordedRig(RecordedDevice(tmp_path / "log.jsonl"))


def played(path: Path, *, seed: int, polls: int) -> list:
    """Play a keyboard at random, record it, and return its readings."""
    rng = random.Random(seed)
    keyboard = Keyboard()
    device = RecordingDevice(keyboard, path, period_s=0.1)
    readings = []
    for _ in range(polls):
        for _ in range(rng.randrange(4)):
            rng.choice((keyboard.press, keyboard.release))(rng.choice(KEYS))
        if rng.random() < 0.02:
            keyboard.connected = not keyboard.connected
        readings.append(device.poll())
    device.close()
    return readings


@pytest.mark.parametrize("seed", range(5))
def test_a_playback_repeats_every_reading(tmp_path, seed):
    readings = played(tmp_path / "log.jsonl", seed=seed, polls=300)
    device = RecordedDevice(tmp_path / "log.jsonl", period_s=0.1)
    assert [device.poll() for _ in readings] == readings
    assert not device.finished
    assert device.poll() == DISCONNECTED and device.finished


@pytest.mark.parametrize("period_s", [0.03, 0.17, 1.0, 1000.0])
def test_at_any_rate_each_press_arrives_once(tmp_path, period_s):
    readings = played(tmp_path / "log.jsonl", seed=7, polls=300)
    device = RecordedDevice(tmp_path / "log.jsonl", period_s=period_s)
    polled = []
    while not device.finished:
        polled.append(device.poll())
    assert device.poll() == DISCONNECTED
    assert [e for r in polled for e in r.events] == [e for r in readings for e in r.events]
    if period_s < 1.0:
        assert sum(r.engage_presses for r in polled) == sum(r.engage_presses for r in readings)


def test_playback_keeps_real_time(tmp_path):
    keyboard, clock = Keyboard(), ManualClock(start=100.0)
    with RecordingDevice(keyboard, tmp_path / "log.jsonl", clock=clock) as device:
        device.poll()
        clock.advance(0.5)
        keyboard.press("enter")
        device.poll()
    log = load_device_log(tmp_path / "log.jsonl")
    assert log.readings[0].time_s == pytest.approx(0.5)
    clock = ManualClock(start=7.0)
    playback = RecordedDevice(log, clock=clock)
    for _ in range(2):
        assert playback.poll().events == ()
        clock.advance(0.249)
    clock.advance(0.01)
    assert playback.poll().events == (EpisodeEvent.SUCCESS,)


def test_flushed_presses_are_not_recorded(tmp_path):
    keyboard = Keyboard()
    with RecordingDevice(keyboard, tmp_path / "log.jsonl") as device:
        keyboard.press("enter")
        device.flush()
        device.poll()
    assert load_device_log(tmp_path / "log.jsonl").readings == ()


def test_a_truncated_last_line_is_ignored(tmp_path, caplog):
    path = tmp_path / "log.jsonl"
    played(path, seed=1, polls=50)
    whole = load_device_log(path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-2]) + lines[-2][:9])
    assert load_device_log(path).readings == whole.readings[:-1]
    assert "incomplete and ignored" in caplog.text


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"time_s": -1}',
        '{"time_s": 0, "motion": [2, 0, 0, 0, 0, 0]}',
        '{"time_s": 0, "events": ["win"]}',
    ],
)
def test_a_broken_line_is_named(tmp_path, line):
    path = tmp_path / "log.jsonl"
    played(path, seed=1, polls=50)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], line + "\n", *lines[1:]]))
    with pytest.raises(InvalidDatasetError, match="line 2 is invalid"):
        load_device_log(path)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text("hello\n")
    with pytest.raises(InvalidDatasetError, match="not a device log"):
        RecordedDevice(path)
    with pytest.raises(InvalidDatasetError, match="cannot be read"):
        RecordedDevice(tmp_path / "none.jsonl")
    with pytest.raises(InvalidArgumentError, match="is not overwritten"):
        RecordingDevice(Keyboard(), path)
    with pytest.raises(InvalidArgumentError, match="period_s=0"):
        RecordedDevice(DeviceLog("keyboard", (TimedReading(0.0, DISCONNECTED),), 0.0), period_s=0)


def test_a_log_with_the_earlier_name_of_the_end_effector_is_read(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(header_line("gamepad") + '{"time_s": 0.5, "hand": 1, "engage": true}\n')
    (timed,) = load_device_log(path).readings
    assert timed.end_effector == 1 and timed.reading.engage
