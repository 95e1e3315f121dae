"""Keys on a real X server, heard without any window; and reasons where that cannot be."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import time

import pytest

from gym_hil.core.errors import MissingExtraError
from gym_hil.devices import DISCONNECTED, GlobalKeyboard

PROGRAM = """
import time
from gym_hil.devices import GlobalKeyboard

pytestmark = pytest.mark.flaky(reruns=2)
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


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"gym-hil\[pynput\]"):
        GlobalKeyboard()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="about Linux")
@pytest.mark.parametrize(
    ("variables", "reason"), [({"WAYLAND_DISPLAY": "wayland-0"}, "Wayland"), ({}, "there is no display")]
)
def test_where_it_cannot_hear_it_says_why(monkeypatch, caplog, variables, reason):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    device = GlobalKeyboard()
    assert device.poll() == DISCONNECTED
    assert reason in caplog.text and "terminal" in caplog.text
    device.close()


def typed(program: subprocess.Popen[str], key: str, environment: dict[str, str]) -> str:
    """Type a key and return what the program says; again, as pynput may still be starting when it says it
    has started.
    """
    assert program.stdout is not None
    for _ in range(10):
        subprocess.run(["xdotool", "key", key], env=environment, check=True)
        if select.select([program.stdout], [], [], 1.0)[0]:
            return program.stdout.readline()
    raise AssertionError(f"{key} was never heard")


@pytest.mark.display
@pytest.mark.skipif(not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool")
def test_keys_are_heard_without_a_window():
    import importlib.util

    if importlib.util.find_spec("pynput") is None:
        pytest.skip("needs pynput")
    number = 290 + os.getpid() % 100
    server = subprocess.Popen(["Xvfb", f":{number}", "-noreset"], stderr=subprocess.DEVNULL)
    environment = {**os.environ, "DISPLAY": f":{number}"}
    environment.pop("WAYLAND_DISPLAY", None)
    environment.pop("XDG_SESSION_TYPE", None)
    try:
        for _ in range(50):
            probe = subprocess.run(["xdotool", "getmouselocation"], env=environment, capture_output=True)
            if probe.returncode == 0:
                break
            time.sleep(0.1)
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert program.stdout is not None and program.stdout.readline() == "ready\n"
        heard = [typed(program, key, environment) for key in ("space", "Up", "Left", "Return")]
        program.wait(timeout=20)
    finally:
        server.terminate()
        server.wait()
    assert heard == [
        "(0.0, 0.0, 0.0) 1 []\n",
        "(1.0, 0.0, 0.0) 0 []\n",
        "(0.0, 1.0, 0.0) 0 []\n",
        "(0.0, 0.0, 0.0) 0 ['success']\n",
    ]
