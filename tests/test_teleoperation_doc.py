"""The programs in docs/teleoperation.md run, and its tables are complete."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from commands import run_program
from gym_hil.devices.keymap import KEYBOARD, TERMINAL, keymap_help
from gym_hil.intervention.named import PEOPLE

DOC = Path(__file__).parent.parent / "docs" / "teleoperation.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", DOC.read_text(), re.DOTALL)
DEVICE = next(program for program in PROGRAMS if "class UdpDevice" in program)
SUITE = next(program for program in PROGRAMS if "class UdpRig" in program)


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p not in (DEVICE, SUITE)])
def test_programs_run(program, tmp_path):
    run_program(program, cwd=tmp_path).check_returncode()


def test_the_device_is_short_and_passes_the_suite(tmp_path):
    body = DEVICE[DEVICE.index("class ") :]
    assert len([line for line in body.splitlines() if line.strip()]) <= 30
    (tmp_path / "test_udp.py").write_text(DEVICE + SUITE)
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_udp.py"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None and int(passed[1]) >= 20, done.stdout


def test_every_device_and_every_key_is_named():
    text = DOC.read_text()
    for person in PEOPLE:
        assert f"| `{person}` |" in text
    for keymap in (KEYBOARD, TERMINAL):
        assert keymap_help(keymap) in text
