"""Keys from a real X server without a window, and the error messages where that is impossible."""

from __future__ import annotations

import importlib.util
import re
import select
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest

from gym_hil.core.errors import MissingExtraError
from gym_hil.core.schema import EpisodeEvent
from gym_hil.devices import DISCONNECTED, DeviceReading, GlobalKeyboard

PARTIAL = r"(1\.0|0\.\d*[1-9]\d*(e-\d+)?)"
"""A motion in (0, 1]: the part of the time between two polls for which the key was down."""
PROGRAM = """
import time
from gym_hil.devices import GlobalKeyboard

with GlobalKeyboard() as keyboard:
    print("ready", flush=True)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        reading = keyboard.poll()
        if reading != type(reading)():
            print(reading.motion[:3], reading.engage_presses, [e.value for e in reading.events], flush=True)
        if reading.events:
            break
        time.sleep(0.01)
"""


def test_without_the_package_the_command_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match='pip install "pynput>='):
        GlobalKeyboard()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="about Linux")
@pytest.mark.parametrize(
    ("variables", "reason"), [({"WAYLAND_DISPLAY": "wayland-0"}, "Wayland"), ({}, "there is no display")]
)
def test_an_unusable_keyboard_hook_is_explained(monkeypatch, caplog, variables, reason):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    device = GlobalKeyboard()
    assert device.poll() == DISCONNECTED
    assert reason in caplog.text and "terminal" in caplog.text
    device.close()


class FakeListener:
    """Listens like pynput's class, to keys that the test types."""

    IS_TRUSTED = True

    def __init__(self, on_press, on_release):
        self.on_press, self.on_release = on_press, on_release
        self.state = "made"

    def start(self):
        self.state = "started"

    def wait(self):
        assert self.state == "started"

    def stop(self):
        self.state = "stopped"

    def type(self, **key):
        self.on_press(SimpleNamespace(**key))
        self.on_release(SimpleNamespace(**key))


@pytest.fixture
def pynput(monkeypatch):
    """A module in place of pynput, on a system that allows reading keys."""
    module = SimpleNamespace(keyboard=SimpleNamespace(Listener=FakeListener))
    monkeypatch.setitem(sys.modules, "pynput", module)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    return module


def test_pynputs_names_and_characters_of_keys_are_understood(pynput):
    device = GlobalKeyboard()
    listener = device._listener
    listener.type(name="space", value="<32>")
    assert device.poll().engage_presses == 1
    listener.type(char="r")
    assert device.poll().events == (EpisodeEvent.RERECORD,)
    listener.type(char=None)  # a key without a character, such as a dead key
    assert device.poll() == DeviceReading()
    device.close()
    device.close()
    assert listener.state == "stopped"


def test_a_library_that_cannot_be_loaded_is_the_reason(pynput, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "pynput", ModuleType("pynput"))
    assert GlobalKeyboard().poll() == DISCONNECTED
    assert "cannot import name 'keyboard'" in caplog.text


def test_on_macos_the_missing_permission_is_named(pynput, monkeypatch, caplog):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(FakeListener, "IS_TRUSTED", False)
    assert GlobalKeyboard().poll() == DISCONNECTED
    assert "System Settings, Privacy & Security" in caplog.text


def type_until(program: subprocess.Popen[str], key: str, environment: dict[str, str], expected: str) -> None:
    """Type a key until the program prints a line that matches `expected`. The key is typed repeatedly, because
    pynput reports that it has started before it receives keys.
    """
    assert program.stdout is not None
    said = []
    for _ in range(10):
        subprocess.run(["xdotool", "key", key], env=environment, check=True)
        while select.select([program.stdout], [], [], 1.0)[0] and (line := program.stdout.readline()):
            said.append(line)
            if re.fullmatch(expected, line.strip()):
                return
    raise AssertionError(f"{key} was not received: {said}")


@pytest.mark.display
def test_keys_are_received_without_a_window(screen):
    if importlib.util.find_spec("pynput") is None:
        pytest.skip("pynput is not installed")
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], env=screen, stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None and program.stdout.readline() == "ready\n"
        for key, expected in (
            ("space", r"\(0.0, 0.0, 0.0\) 1 \[\]"),
            ("Up", rf"\({PARTIAL}, 0.0, 0.0\) 0 \[\]"),
            ("Left", rf"\(0.0, {PARTIAL}, 0.0\) 0 \[\]"),
            ("Return", r"\(0.0, 0.0, 0.0\) 0 \['success'\]"),
        ):
            type_until(program, key, screen, expected)
        program.wait(timeout=20)
    finally:
        program.kill()
        program.wait()
