"""The commands of docs/recording.md run as printed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import imageio.v3 as iio
import pytest

import commands

ROOT = Path(__file__).parent.parent.parent
BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)


def run(command: str, cwd: Path) -> str:
    done = commands.run(*shlex.split(command)[1:], cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_commands_run(tmp_path):
    blocks = BLOCK.findall((ROOT / "docs" / "recording.md").read_text())
    assert blocks[0] in BLOCK.findall((ROOT / "README.md").read_text()), "where inspect is run as printed"
    run(blocks[0].splitlines()[0], tmp_path)
    verify, film = blocks[-1].splitlines()
    assert run(verify, tmp_path).count("bit-identical") == 10
    run(film, tmp_path)
    frames = iio.imread(tmp_path / "again.mp4")
    assert frames.shape[1:] == (720, 960, 3) and len(frames) > 10 and (frames[0] != frames[-1]).any()
