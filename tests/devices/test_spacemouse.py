"""The SpaceMouse, with simulated HID reports that the real pyspacemouse decodes."""

from __future__ import annotations

import contextlib
import queue
import sys
import time

import pytest

pyspacemouse = pytest.importorskip("pyspacemouse")

from gym_hil.core.errors import InvalidArgumentError, MissingExtraError  # noqa: E402
from gym_hil.devices import DISCONNECTED, Control, SpaceMouse  # noqa: E402
from gym_hil.devices import spacemouse as module  # noqa: E402
from gym_hil.intervention import Engage  # noqa: E402
from gym_hil.testing.devices import DeviceConformance, DeviceRig  # noqa: E402
from gym_hil.testing.operators import TakeoverConformance  # noqa: E402

MODEL = "SpaceMouseCompact" if "SpaceMouseCompact" in pyspacemouse.get_device_specs() else "SpaceNavigator"
FULL = 350
"""Largest count of an axis."""
HID_AXES = {0: (2, -1), 1: (1, -1), 2: (3, -1), 3: (5, -1), 4: (4, -1), 5: (6, -1)}
"""Maps each axis of the world to the index of its count in the report, which begins at 1, and to its sign. The axes of
the device are x right, y towards the person, z down (USB HID usage tables, multi-axis controller)."""


class FakeHid:
    """The part of a USB device that pyspacemouse uses."""

    product_string = manufacturer_string = serial_number = "fake"
    release_number = 1

    def __init__(self) -> None:
        self.reports: queue.Queue[bytes] = queue.Queue()
        self.plugged = True
        self.sent = self.taken = 0

    def send(self, *reports: bytes) -> None:
        for report in reports:
            self.reports.put(report)
            self.sent += 1

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def is_open(self) -> bool:
        return True

    def set_nonblocking(self, on: bool) -> None:
        pass

    def read(self, size: int) -> bytes:
        if not self.plugged:
            raise OSError("device is gone")
        sent = self.sent
        try:
            return self.reports.get_nowait()
        except queue.Empty:
            self.taken = sent  # All of these have been read and processed.
            return b""


class SpaceMouseRig(DeviceRig):
    axes = (0, 1, 2, 3, 4, 5)
    controls = frozenset({Control.CLOSE, Control.OPEN})

    def __init__(self) -> None:
        self.hid = FakeHid()
        self.counts = [0] * 7
        self.buttons = 0
        spec = pyspacemouse.get_device_specs()[MODEL]
        self.spec = pyspacemouse.apply_axis_convention(spec, pyspacemouse.AxisConvention.ROS)
        self.device = SpaceMouse(open_source=self.open)

    def open(self):
        if not self.hid.plugged:
            raise RuntimeError("No connected or supported devices found.")
        device = pyspacemouse.SpaceMouseDevice(self.spec, self.hid)
        device.open()
        return device

    def press(self, control: Control) -> None:
        self._button(control, 1)

    def release(self, control: Control) -> None:
        self._button(control, 0)

    def _button(self, control: Control, down: int) -> None:
        bit = 1 << (0 if control is Control.CLOSE else 1)
        self.buttons = self.buttons | bit if down else self.buttons & ~bit
        self.hid.send(bytes([3, self.buttons, 0]))

    def move(self, axis: int, level: float) -> None:
        index, sign = HID_AXES[axis]
        self.counts[index] = round(sign * level * FULL)
        words = [count.to_bytes(2, "little", signed=True) for count in self.counts[1:]]
        self.hid.send(bytes([1]) + b"".join(words[:3]), bytes([2]) + b"".join(words[3:]))

    def disconnect(self) -> None:
        self.hid.plugged = False

    def reconnect(self) -> None:
        self.settle()
        self.hid.reports = queue.Queue()
        self.hid.taken = self.hid.sent
        self.counts = [0] * 7
        self.hid.plugged = True
        self.settle()

    def settle(self) -> None:
        """Wait until the reading thread has processed all reports, or has noticed the unplugged or plugged device."""
        deadline = time.monotonic() + 60.0
        while not self.device._stop.is_set() and not self._settled():
            assert time.monotonic() < deadline, "the thread that reads the SpaceMouse does not respond"
            time.sleep(0.001)

    def _settled(self) -> bool:
        connected = self.device._connected
        return (connected and self.hid.taken == self.hid.sent) if self.hid.plugged else not connected


@pytest.fixture
def rig(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.02)
    rig = SpaceMouseRig()
    yield rig
    rig.device.close()


class TestSpaceMouseConforms(DeviceConformance):
    @pytest.fixture
    def rig(self, rig):
        return rig


class TestTakingOverWithASpaceMouse(TakeoverConformance):
    engage = Engage.MOTION

    @pytest.fixture
    def rig(self, rig):
        return rig


def test_noise_of_a_spacemouse_at_rest_is_ignored(rig):
    rig.move(0, 0.04)
    rig.settle()
    assert not any(rig.device.poll().motion)


def test_all_six_axes_at_once(rig):
    for axis in range(6):
        rig.move(axis, 1.0 if axis % 2 else -0.5)
    rig.settle()
    motion = rig.device.poll().motion
    assert motion[1::2] == (1.0, 1.0, 1.0)
    assert motion[0::2] == pytest.approx([-0.45 / 0.95] * 3, abs=0.01)


def test_without_a_spacemouse_the_message_explains_the_remedy(caplog):
    def find_no_device():
        raise RuntimeError("No connected or supported devices found.")

    with SpaceMouse(open_source=find_no_device) as device:
        assert device.poll() == DISCONNECTED
    assert "Plug one in at any time" in caplog.text and "hidraw" in caplog.text
    assert caplog.text.count("No SpaceMouse") == 1


def test_bad_arguments_and_missing_packages_are_named(monkeypatch):
    with pytest.raises(InvalidArgumentError, match="deadzone=1"):
        SpaceMouse(deadzone=1)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match='pip install "pyspacemouse>='):
        SpaceMouse()


def test_searching_for_a_spacemouse_does_not_redirect_other_output(monkeypatch, capsys):
    from gym_hil.devices.spacemouse import open_spacemouse

    outputs = set()

    class Hid(FakeHid):
        vendor_id, product_id = pyspacemouse.get_device_specs()[MODEL].hid_id

    class Enumeration:
        def find(self):
            outputs.add(sys.stdout)
            return [] if len(attempts) % 2 else [Hid()]

    attempts: list[int] = []
    monkeypatch.setattr("easyhid.Enumeration", Enumeration)
    before = sys.stdout
    for number in range(4):
        attempts.append(number)
        with contextlib.suppress(RuntimeError):
            open_spacemouse().close()
    assert outputs == {before}, "standard output was swapped"
    assert capsys.readouterr().out == ""


def test_a_spacemouse_is_found_with_its_axes_forward_left_and_up(monkeypatch):
    from gym_hil.devices.spacemouse import open_spacemouse

    hid = FakeHid()
    hid.vendor_id, hid.product_id = pyspacemouse.get_device_specs()[MODEL].hid_id
    monkeypatch.setattr("easyhid.Enumeration", lambda: type("Found", (), {"find": lambda self: [hid]})())
    source = open_spacemouse()
    hid.reports.put(
        bytes([1]) + (0).to_bytes(2, "little") + (-FULL).to_bytes(2, "little", signed=True) + bytes(2)
    )
    assert source.read().x == pytest.approx(1.0)


def test_without_hidapi_the_message_names_it(monkeypatch):
    from gym_hil.devices.spacemouse import open_spacemouse

    def broken():
        raise AttributeError("hid_enumerate")

    monkeypatch.setattr("easyhid.Enumeration", broken)
    with pytest.raises(RuntimeError, match="hidapi"):
        open_spacemouse()
