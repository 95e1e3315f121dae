"""The README's promises are run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import pytest

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.parametrize("snippet", re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL))
def test_snippets_run(snippet):
    subprocess.run([sys.executable, "-c", snippet], check=True)


def test_the_main_job_writes_a_watchable_video(tmp_path):
    path = tmp_path / "pick_cube.mp4"
    command = [sys.executable, "-m", "gym_hil.examples.expert_video", str(path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "5 of 5 succeeded" in output
    frames = iio.imread(path)
    assert frames.shape[0] > 40 and frames[0].std() > 5
    assert abs(frames[0].astype(int) - frames[10].astype(int)).max() > 50
