"""The README's promises are run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import pytest

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.parametrize("snippet", re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL))
def test_snippets_run(snippet, tmp_path):
    subprocess.run([sys.executable, "-c", snippet], check=True, cwd=tmp_path)
    for name in re.findall(r'"(\w+\.mp4)"', snippet):
        frames = iio.imread(tmp_path / name)
        assert len(frames) == 200 and frames[0].std() > 5 and (frames[0] != frames[-1]).any()


def test_the_commands_run(tmp_path):
    commands = [
        line for block in re.findall(r"```bash\n(.*?)```", README.read_text(), re.DOTALL)
        for line in block.splitlines() if line.startswith("gym-hil play") and "my-run" not in line
    ]  # fmt: skip
    assert len(commands) == 3
    for command in commands:
        code = "from gym_hil.cli import main; main()"
        run = [sys.executable, "-c", code, *shlex.split(command)[1:]]
        subprocess.run(run, check=True, cwd=tmp_path)
        frames = iio.imread(tmp_path / command.split()[-1])
        assert frames.shape[0] > 10 and frames[0].std() > 5


@pytest.mark.slow
def test_the_training_commands_run(tmp_path):
    pytest.importorskip("stable_baselines3")
    commands = [
        line for line in README.read_text().splitlines() if "gym-hil " in line[:8] and "my-run" in line
    ]
    assert len(commands) == 2
    for command in commands:
        code = "from gym_hil.cli import main; main()"
        run = [sys.executable, "-c", code, *shlex.split(command)[1:]]
        subprocess.run(run, check=True, cwd=tmp_path)
    assert iio.imread(tmp_path / "learned.mp4").shape[0] > 20


def test_the_recording_commands_run(tmp_path):
    commands = [line for line in README.read_text().splitlines() if re.match(r"gym-hil .*\bpicks\b", line)]
    assert len(commands) == 2
    for command in commands:
        code = "from gym_hil.cli import main; main()"
        subprocess.run([sys.executable, "-c", code, *shlex.split(command)[1:]], check=True, cwd=tmp_path)
    assert "<dd>10</dd><dt>replay bit for bit</dt>" in (tmp_path / "picks" / "inspect.html").read_text()
