"""Commands show how far they are, on one line of a terminal, and Ctrl-C ends each of them with one line."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys

import imageio.v3 as iio
import pytest
from rich.console import Console

from gym_hil.cli.progress import progress_bar
from gym_hil.cli.record import Record

TASK = "PandaPickCube-v1"
terminals = pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")


def test_a_bar_fits_a_narrow_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with progress_bar(console) as progress:
        progress.add_task("PandaRobotiq2F85OpenDrawerAndPlace-v1: images", total=100_000, completed=3)
        progress.refresh()
    assert isinstance(console.file, io.StringIO)
    lines = plain(console.file.getvalue())
    assert any("left" in line for line in lines) and max(map(len, lines)) <= 80


def test_without_a_terminal_no_progress_bar_is_shown(capsys):
    with progress_bar(Console(force_terminal=True, width=80)) as progress:
        progress.add_task("working", total=2)
        progress.refresh()
    assert capsys.readouterr() == ("", "")


@pytest.fixture(scope="module")
def picks(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "picks"
    assert Record(task=TASK, root=root, episodes=8, preset="scripted").run() == 0
    return root


@terminals
@pytest.mark.rendering
@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "status"),
    [
        (("play", TASK, "--episodes", "1000", "--no-window"), 130),
        (("bench", "--tasks", TASK), 130),
        (("eval", "pretrained", "--episodes", "10000"), 130),
        (("record", TASK, "--root", "{new}/picks", "--episodes", "1000"), 1),
        (("replay", "{picks}", "--video", "{new}/film.mp4"), 130),
        (("inspect", "{picks}", "--verify"), 130),
        (("train", TASK, "--out", "{new}/run", "--demos", "3"), 130),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_a_command_shows_its_progress_and_can_be_stopped(command, status, picks, tmp_path):
    arguments = [part.format(new=tmp_path, picks=picks) for part in command]
    said, code = interrupted(arguments)
    lines = plain(said)
    assert "Traceback" not in said and sum(line.startswith("Stopped.") for line in lines) == 1, said
    assert code == status
    assert max(len(line) for line in lines if " left " in line) <= 80
    if command[0] == "replay":
        film = tmp_path / "film.mp4"
        assert not film.exists() or len(iio.imread(film)) > 0, "what was filmed so far"
    if command[0] == "record":
        assert Record(task=TASK, root=tmp_path / "picks", episodes=1, resume=True).run() == 0


def interrupted(arguments: list[str]) -> tuple[str, int]:
    """Return what a command says at a terminal that sends Ctrl-C once a bar is shown, and its status."""
    controlling_end, terminal_end = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "gym_hil", *arguments],
        stdout=terminal_end,
        stderr=terminal_end,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        start_new_session=True,
    )
    os.close(terminal_end)
    said, sent = b"", False
    try:
        while True:
            try:
                part = os.read(controlling_end, 4096)
            except OSError:  # Linux says so at the end of a terminal
                break
            if not part:
                break
            said += part
            if not sent and re.search(rb"left \S*[-\d]:[-\d][-\d]", said):
                os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group
                sent = True
        return said.decode(), process.wait(timeout=30)
    finally:
        process.kill()
        os.close(controlling_end)


def plain(said: str) -> list[str]:
    """Return the lines of a terminal without control sequences."""
    return re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said))
