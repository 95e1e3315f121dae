"""A person presses the buttons of an unknown gamepad once, and the package reads them correctly from then on."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("pygame")

from gym_hil.cli.doctor import Doctor
from gym_hil.core.errors import DeviceError
from gym_hil.devices.gamepad import Gamepad
from gym_hil.devices.gamepad_mapping import STEPS, GamepadMapper, map_gamepad
from gym_hil.testing.clock import ManualClock
from gym_hil.testing.virtual_gamepad import VirtualGamepad


class PersonAtPad(ManualClock):
    """Does what is asked for, with pauses: each look at the pad is one sleep of this clock."""

    def __init__(self, pad: VirtualGamepad) -> None:
        super().__init__()
        self.pad = pad
        self.asked: list[str] = []
        self._held: str | None = None

    def ask(self, text: str) -> None:
        self.asked.append(text)

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self._held is not None:
            self._set(self._held, 0.0)
            self._held = None
            return
        self._held = next(name for name, prompt in STEPS if prompt == self.asked[-1])
        self._set(self._held, 1.0)

    def _set(self, name: str, level: float) -> None:
        if name in ("left_x", "left_y", "right_x", "right_y", "lt", "rt"):
            self.pad.set_axis(name, level)
        elif level:
            self.pad.press(name)
        else:
            self.pad.release(name)


@pytest.fixture
def pad(tmp_path, monkeypatch):
    """Return a gamepad that SDL does not know; mappings are stored in a folder of the test."""
    monkeypatch.setenv("GYM_HIL_CONTROLLER_CONFIG", str(tmp_path / "controllers.json"))
    made = VirtualGamepad("Strange Pad", mapped=False)
    yield made
    made.detach()


def test_a_person_maps_the_buttons_of_a_gamepad(pad):
    person = PersonAtPad(pad)
    path = map_gamepad(person.ask, person)
    assert person.asked == [prompt for _, prompt in STEPS]
    assert json.loads(path.read_text(encoding="utf-8"))["Strange Pad"]["axes"] == {
        "left_x": 0, "left_y": 1, "right_x": 2, "right_y": 3, "lt": 4, "rt": 5
    }  # fmt: skip
    with Gamepad() as device:
        device.poll()
        pad.press("rb")
        pad.set_axis("left_y", 1.0)
        pad.set_axis("lt", 1.0)
        reading = device.poll()
        assert reading.engage and reading.motion[0] > 0.9 and reading.gripper.name == "CLOSE"


def test_the_doctor_command_maps_a_gamepad(pad, tmp_path, monkeypatch, capsys):
    person = PersonAtPad(pad)

    def watched(ask, clock=person):
        return map_gamepad(lambda prompt: (person.ask(prompt), ask(prompt))[1], clock)

    monkeypatch.setattr("gym_hil.devices.gamepad_mapping.map_gamepad", watched)
    assert Doctor(map_gamepad=True).run() == 0
    said, stored = capsys.readouterr().out, tmp_path / "controllers.json"
    assert all(f"Please {prompt}." in " ".join(said.split()) for _, prompt in STEPS)
    assert f"stored in {stored} and used from now on" in said and stored.is_file()


def test_a_held_stick_is_one_answer_and_a_button_is_not_a_stick():
    mapper = GamepadMapper([0.0, 0.0])
    mapper.look([0.0, 0.0], [True])
    assert mapper.prompt == STEPS[0][1]
    mapper.look([0.0, 0.0], [False])
    for _ in range(3):
        mapper.look([-1.0, 0.0], [False])
    assert mapper.prompt == STEPS[1][1]
    assert mapper.config["axes"] == {"left_x": 0} and mapper.config["axis_inversion"] == {"left_x": True}


def test_without_a_gamepad_mapping_reports_it():
    with pytest.raises(DeviceError, match="plug one in"):
        map_gamepad(lambda text: None, ManualClock())
