"""Devices are found by name, and say what feeds them however deeply they are wrapped."""

from __future__ import annotations

import pytest

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices import DEVICES, CombinedDevice, Engage, Keyboard, PageDevice, RecordingDevice
from gym_hil.devices.keyboard import WindowKeyboard
from gym_hil.devices.registry import DeviceOptions, DeviceSpec
from gym_hil.intervention.human import Human
from gym_hil.intervention.named import make_operator


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


def test_wrapping_devices_pass_on_what_feeds_them(tmp_path):
    window, page, plain = WindowKeyboard(), PageDevice(), Keyboard()
    wrapped = RecordingDevice(CombinedDevice(window, CombinedDevice(page, plain)), tmp_path / "log.jsonl")
    assert list(wrapped.leaves()) == [window, page, plain]
    assert [leaf.fed_by for leaf in wrapped.leaves()] == ["window", "page", None]
    wrapped.close()
