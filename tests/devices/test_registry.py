"""Devices are found by name, and wrapped devices still name the viewer that sends their input."""

from __future__ import annotations

import pytest

from gym_hil.cli.play import Play
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices import DEVICES, CombinedDevice, Engage, Keyboard, PageDevice, RecordingDevice
from gym_hil.devices.keyboard import WindowKeyboard
from gym_hil.devices.registry import DeviceOptions, DeviceSpec
from gym_hil.intervention.human import Human
from gym_hil.intervention.named import make_operator
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.rollout import Rollouts
from gym_hil.stacks.build import make_env


def test_every_device_is_explained():
    assert {"gamepad", "keyboard", "browser", "terminal", "spacemouse"} <= set(DEVICES)
    for name, spec in DEVICES.items():
        assert isinstance(spec, DeviceSpec) and isinstance(spec.engage, Engage), name
        assert len(spec.help.splitlines()) == 1 and spec.help.endswith("."), name


def test_a_registered_device_becomes_an_operator(monkeypatch):
    monkeypatch.setitem(
        DEVICES._values,
        "pedal",
        DeviceSpec(make=lambda options: Keyboard(), engage=Engage.MOTION, help="A pedal."),
    )
    operator = make_operator("pedal")
    assert isinstance(operator, Human) and operator.engage is Engage.MOTION
    with pytest.raises(InvalidArgumentError, match=r'operator=.pedall.*did you mean "pedal"'):
        make_operator("pedall")


def test_options_reach_the_device(tmp_path):
    from gym_hil.devices.page import PageAddress

    address = PageAddress(port=4321)
    device = DEVICES["browser"].make(DeviceOptions(page=address))
    assert isinstance(device, PageDevice) and device.address is address


def test_the_gamepad_of_a_command_line_reaches_the_device(monkeypatch):
    asked: list[DeviceOptions] = []

    def make(options: DeviceOptions) -> Keyboard:
        asked.append(options)
        return Keyboard()

    spec = DeviceSpec(make=make, engage=Engage.MOTION, help="A pedal.")
    monkeypatch.setitem(DEVICES._values, "pedal", spec)
    play = Play(task="PandaPickCube-v1", operator="pedal", gamepad_name="F310", window=False)
    play._make().close()
    config = TrainConfig(env_id="gym_hil/PandaPickCubeStateBase-v1", operator="pedal")
    Rollouts(config, gamepad_name="F310").close()
    make_env("gym_hil/PandaPickCube-v1", operator="pedal", gamepad_name="F310").close()
    assert [options.gamepad_name for options in asked] == ["F310"] * 3


def test_wrapped_devices_receive_the_input_of_the_viewer(tmp_path):
    window, page, plain = WindowKeyboard(), PageDevice(), Keyboard()
    wrapped = RecordingDevice(CombinedDevice(window, CombinedDevice(page, plain)), tmp_path / "log.jsonl")
    assert list(wrapped.leaves()) == [window, page, plain]
    assert [leaf.input_viewer for leaf in wrapped.leaves()] == ["window", "page", None]
    wrapped.close()
