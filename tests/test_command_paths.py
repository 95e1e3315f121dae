"""Paths that are given to commands: relative ones, ``~``, and files that hold a secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from commands import run
from gym_hil.cli.common import with_home, write_json
from gym_hil.cli.play import Play
from gym_hil.cli.record import Record
from gym_hil.core.errors import InvalidArgumentError, StorageError
from gym_hil.devices import PageAddress


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def test_tilde_and_relative_paths_are_expanded(home):
    done = run("record", "PandaPickCube-v1", "--episodes", "1", "--root=~/picks", "--json=~/facts.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((home / "facts.json").read_text())["root"] == str(home / "picks")
    done = run("record", "PandaPickCube-v1", "--episodes", "2", "--resume", "--root", "../picks")
    assert done.returncode == 0, done.stderr
    for root in ("../picks", "~/picks"):
        done = run("replay", root, "--verify")
        assert done.returncode == 0 and done.stdout.count("bit-identical") == 2, done.stderr
    done = run("lerobot-config", "PandaPickCube-v1", "--out=~/picks")
    assert done.returncode == 2 and "contains a dataset" in done.stderr
    assert os.listdir(home / "work") == []


def test_every_path_of_every_command_is_expanded(home):
    (home / "c.pem").touch()
    record = Record(task="x", root=Path("~/a"), page=PageAddress(certificate=Path("~/c.pem")))
    assert with_home(record).root == home / "a" and record.page.certificate == home / "c.pem"
    assert with_home(Play()) == Play() and with_home(Path("a/~")) == Path("a/~")
    with pytest.raises(InvalidArgumentError, match="nobody-here"):
        with_home(Path("~nobody-here/a"))


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_only_the_owner_may_read_the_address_of_the_page(tmp_path):
    pytest.importorskip("aiohttp")
    result = tmp_path / "result.json"
    program = f"""
import gym_hil.cli.play as play
from pathlib import Path

result = Path({str(result)!r})

def person_presses_ctrl_c(*_):
    print("while waiting:", oct(result.stat().st_mode & 0o777))
    raise KeyboardInterrupt

play.await_person = person_presses_ctrl_c
play.Play(web=True, json=result).run()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0 and "while waiting: 0o600" in done.stdout, done.stdout + done.stderr
    assert "token=" in json.loads(result.read_text())["url"]
    assert result.stat().st_mode & 0o777 == 0o600


def test_a_result_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be created"):
        write_json(tmp_path / "file" / "result.json", {})
