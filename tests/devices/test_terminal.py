"""Keys through a real pseudo-terminal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time

import pytest

from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.devices import DISCONNECTED, CombinedDevice, Keyboard, TerminalKeyboard
from gym_hil.devices.terminal import split_keys
from gym_hil.testing.devices import DeviceConformance
from gym_hil.testing.rigs import TerminalRig


@pytest.fixture
def rig():
    rig = TerminalRig()
    yield rig
    rig.close()


class TestTerminalConforms(DeviceConformance):
    @pytest.fixture
    def rig(self, rig):
        return rig


def test_closing_restores_the_settings_of_the_terminal():
    hand, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)
    device = TerminalKeyboard(fd=terminal)
    assert not termios.tcgetattr(terminal)[3] & (termios.ECHO | termios.ICANON)
    assert termios.tcgetattr(terminal)[3] & termios.ISIG, "Ctrl-C works"
    device.close()
    assert termios.tcgetattr(terminal) == before
    os.close(hand)
    os.close(terminal)


def test_the_terminal_is_restored_at_exit_without_close():
    hand, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)
    code = "import gym_hil.devices as d; k = d.TerminalKeyboard(); assert k.poll().connected; 1 / 0"
    done = subprocess.run([sys.executable, "-c", code], stdin=terminal, capture_output=True, timeout=60)
    assert b"ZeroDivisionError" in done.stderr
    assert termios.tcgetattr(terminal) == before
    os.close(hand)
    os.close(terminal)


def test_a_held_key_repeats(rig):
    for _ in range(3):
        rig.type("up")
        rig.type("left")
        rig.settle()
        assert rig.device.poll().motion[:3] == (1.0, 1.0, 0.0)
    assert rig.device.poll().motion[:3] == (0.0, 0.0, 0.0)


def test_after_a_hang_up_the_next_poll_is_disconnected(monkeypatch):
    monkeypatch.setattr(TerminalKeyboard, "_listen", lambda self: os.read(self._wake_read, 1))
    rig = TerminalRig()
    assert rig.device.poll().connected
    rig.disconnect()
    assert rig.device.poll() == DISCONNECTED
    rig.close()


def test_without_a_terminal_the_device_is_disconnected_and_warns(caplog):
    read, write = os.pipe()
    device = TerminalKeyboard(fd=read)
    assert device.poll() == DISCONNECTED
    assert "not a terminal" in caplog.text
    device.close()
    os.close(read)
    os.close(write)


@pytest.mark.parametrize(
    ("text", "keys", "half"),
    [
        ("\x1b[A\x1bOBr", ["up", "down", "r"], ""),
        ("\x1b", [], "\x1b"),
        ("\x1b[", [], "\x1b["),
        ("\x1b\x1b[A", ["escape", "up"], ""),
        ("\x1br", ["escape", "r"], ""),
        ("\x1b[1;5C\x1b[6;2~", ["right", "page_down"], ""),
        ("\x1b[200~x", ["x"], ""),
        ("\x1b[5", [], "\x1b[5"),
        ("\r\n ", ["enter", "enter", "space"], ""),
    ],
)
def test_bytes_are_decoded_to_keys(text, keys, half):
    assert split_keys(text) == (keys, half)


def test_a_key_split_over_two_packets_is_one_key(rig):
    os.write(rig.hand, b"\x1b")
    while rig.unread():
        time.sleep(0.001)
    os.write(rig.hand, b"[A")
    rig.settle()
    reading = rig.device.poll()
    assert reading.motion[0] == 1.0 and reading.events == ()


def test_terminal_keys_end_episodes_that_another_device_drives(rig):
    keyboard = Keyboard()
    device = CombinedDevice(keyboard, rig.device)
    keyboard.press("space")
    keyboard.press("left")
    keyboard.press("ctrl_l")
    rig.type("enter")
    rig.settle()
    reading = device.poll()
    assert reading.motion[:3] == (0.0, 1.0, 0.0) and reading.engage and reading.engage_presses == 1
    assert reading.gripper is GripperCommand.CLOSE and reading.events == (EpisodeEvent.SUCCESS,)
    keyboard.connected = False
    assert device.poll().connected
    assert "terminal: Space: take over" in device.help() and len(device.help().splitlines()) == 1
    device.close()
    assert device.poll() == DISCONNECTED


PLAY = """
from gym_hil.cli import main
from gym_hil.intervention import Human

decide = Human.decide
Human.decide = lambda self, view: (print("a step begins"), decide(self, view))[1]
main()
"""


def test_the_command_is_driven_over_a_terminal(tmp_path):
    hand, terminal = pty.openpty()
    arguments = ["play", "PandaPickCube-v1", "--operator", "terminal", "--no-window"]
    arguments += ["--json", str(tmp_path / "table.json")]
    program = subprocess.Popen(
        [sys.executable, "-c", PLAY, *arguments], stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    said = b""
    keys = [b" ", b"\x1b[A", b"\r"]
    try:
        while True:
            said += os.read(hand, 1024)
            if keys and said.count(b"a step begins") > 3 - len(keys):
                os.write(hand, keys.pop(0))
    except OSError:  # the program has ended
        pass
    assert b"re-record" in said, "the keys are explained"
    assert program.wait(timeout=60) == 0
    os.close(hand)
    (episode,) = json.loads((tmp_path / "table.json").read_text())["episodes"]
    assert episode["end"] == "human_success" and episode["human"]["interventions"] == 1


SIGNALLED = """
import os, signal, sys, termios, time
from gym_hil.devices import TerminalKeyboard
keyboard = TerminalKeyboard(fd=int(sys.argv[1]))
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.usefixtures("no_coverage")
def test_sigterm_restores_the_settings_of_the_terminal():

    hand, terminal = os.openpty()
    before = termios.tcgetattr(terminal)
    program = subprocess.Popen(
        [sys.executable, "-c", SIGNALLED, str(terminal)], pass_fds=[terminal], stdout=subprocess.PIPE
    )
    assert program.stdout.readline().strip() == b"ready"
    assert termios.tcgetattr(terminal) != before
    program.terminate()
    assert program.wait(timeout=20) == -signal.SIGTERM
    assert termios.tcgetattr(terminal) == before
    os.close(hand)
    os.close(terminal)


def test_the_signal_handler_of_the_program_is_kept():

    def own(number, frame):
        raise AssertionError

    hand, terminal = os.openpty()
    previous = signal.signal(signal.SIGTERM, own)
    try:
        keyboard = TerminalKeyboard(fd=terminal)
        assert signal.getsignal(signal.SIGTERM) is own
        keyboard.close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        keyboard = TerminalKeyboard(fd=terminal)
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        keyboard.close()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, previous)
        os.close(hand)
        os.close(terminal)


def test_the_turning_key_toggles_rotation():
    rig = TerminalRig()
    try:
        for expected in ((0, 0, 0, 0, 1, 0), (1, 0, 0, 0, 0, 0)):
            rig.type("t")
            rig.settle()
            rig.device.poll()
            rig.type("up")
            rig.settle()
            assert rig.device.poll().motion == expected
    finally:
        rig.close()
