"""Every device and operator passes the suite that third parties run over theirs."""

from __future__ import annotations

import os

import pytest

from gym_hil.devices import CombinedDevice, Keyboard, RecordedDevice, RecordingDevice
from gym_hil.intervention import PRESETS, Engage, Expert, Human, SimulatedHuman
from gym_hil.intervention.named import SIMULATED_DEVICES, make_operator
from gym_hil.testing.devices import DeviceConformance, DeviceRig
from gym_hil.testing.operators import OperatorBasics, TakeoverConformance
from gym_hil.testing.rigs import GamepadRig, KeyboardRig, PagePadRig, PageRig, TerminalRig

pytestmark = pytest.mark.filterwarnings("ignore:.*out of date")


def recording(path) -> RecordedDevice:
    keyboard = Keyboard()
    with RecordingDevice(keyboard, path, period_s=0.1) as device:
        for poll in range(200):
            if poll % 20 == 5:
                keyboard.press("space")
                keyboard.press("left")
            if poll % 20 == 12:
                keyboard.release_all()
            device.poll()
    return RecordedDevice(path, period_s=0.1)


class TestExpert(OperatorBasics):
    @pytest.fixture
    def operator(self):
        return Expert()


@pytest.mark.parametrize("preset", sorted(PRESETS))
class TestSimulatedHuman(OperatorBasics):
    @pytest.fixture
    def operator(self, preset):
        return SimulatedHuman(preset)


SIMULATED_DEVICES_AND_PRESETS = [
    pytest.param(device, preset, marks=() if preset == "novice" else pytest.mark.nightly)
    for device in SIMULATED_DEVICES
    for preset in sorted(PRESETS)
]


@pytest.mark.parametrize(("device", "preset"), SIMULATED_DEVICES_AND_PRESETS)
class TestSimulatedHumanWithDevice(OperatorBasics):
    @pytest.fixture
    def operator(self, device, preset):
        return make_operator(device, preset=preset)


class TestIdleHuman(OperatorBasics):
    @pytest.fixture
    def operator(self):
        return Human(Keyboard())


class TestRecordedHuman(OperatorBasics):
    @pytest.fixture
    def operator(self, tmp_path):
        return Human(recording(tmp_path / "log.jsonl"))

    def test_the_same_seed_gives_the_same_takeovers(self):
        pytest.skip("a recording runs through the episodes")


def rigs(tmp_path) -> dict[str, object]:
    def combined() -> DeviceRig:
        rig = KeyboardRig(Keyboard())
        rig.device = CombinedDevice(Keyboard(), rig.keyboard)
        rig.disconnect = rig.reconnect = lambda: (_ for _ in ()).throw(NotImplementedError)
        return rig

    def recorder() -> DeviceRig:
        rig = KeyboardRig(Keyboard())
        rig.device = RecordingDevice(rig.keyboard, tmp_path / "log.jsonl")
        return rig

    def without_viewer(rig: PageRig) -> DeviceRig:
        rig.page.input_viewer = None  # With a viewer, the page would be disconnected.
        return rig

    return {
        "keyboard": lambda: KeyboardRig(Keyboard()),
        "gamepad": GamepadRig,
        "terminal": TerminalRig,
        "combined": combined,
        "recording": recorder,
        "page": lambda: without_viewer(PageRig()),
        "page gamepad": lambda: without_viewer(PagePadRig()),
    }


DEVICES_AND_ENGAGE_MODES = [
    ("keyboard", Engage.HOLD),
    ("keyboard", Engage.TOGGLE),
    ("keyboard", Engage.MOTION),
    ("gamepad", Engage.HOLD),
    ("gamepad", Engage.TOGGLE),
    ("gamepad", Engage.MOTION),
    ("terminal", Engage.TOGGLE),
    ("combined", Engage.HOLD),
    ("recording", Engage.TOGGLE),
    ("page", Engage.TOGGLE),
    ("page gamepad", Engage.HOLD),
]


@pytest.fixture
def make_rig(tmp_path):
    made = []

    def make(name: str) -> DeviceRig:
        if name == "gamepad":
            pytest.importorskip("pygame")
        if name == "terminal" and not hasattr(os, "openpty"):
            pytest.skip("no pseudo-terminals here")
        made.append(rigs(tmp_path)[name]())
        return made[-1]

    yield make
    for rig in made:
        getattr(rig, "close", rig.device.close)()


@pytest.mark.parametrize(
    ("device", "engage"), DEVICES_AND_ENGAGE_MODES, ids=lambda value: getattr(value, "value", value)
)
class TestTakingOver(TakeoverConformance):
    @pytest.fixture
    def rig(self, make_rig, device, engage):
        self.engage = engage
        return make_rig(device)


class TestGamepadConforms(DeviceConformance):
    @pytest.fixture
    def rig(self, make_rig):
        return make_rig("gamepad")


class TestCombinedConforms(DeviceConformance):
    @pytest.fixture
    def rig(self, make_rig):
        return make_rig("combined")


@pytest.mark.parametrize("rig", [PageRig, PagePadRig], indirect=True)
class TestPageConforms(DeviceConformance):
    @pytest.fixture
    def rig(self, request):
        return request.param()
