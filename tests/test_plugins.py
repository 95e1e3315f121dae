"""A separate package adds one entry to every registry, and all commands work with it.

Its files are those of docs/extend.md.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

TEXT = (Path(__file__).parent.parent / "docs" / "extend.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r'```python title="(my_lab/\w+\.py)"\n(.*?)```', TEXT, re.DOTALL))
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
PROJECT = re.search(r'```toml title="pyproject.toml"\n(.*?)```', TEXT, re.DOTALL)[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Return a folder with the package and its metadata, as an installer leaves them."""
    folder = tmp_path_factory.mktemp("site")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    info = folder / "my_lab-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-lab\nVersion: 1.0\n", encoding="utf-8")
    groups = re.findall(r'\[project\.entry-points\."([\w.]+)"\]\n([^\[]*)', PROJECT)
    points = "".join(f"[{group}]\n{entries.strip()}\n".replace('"', "") for group, entries in groups)
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
    return folder


@pytest.fixture
def run(installed, tmp_path):
    """Return what runs Python with the package installed, in a folder of its own."""

    def run(*arguments: str, status: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(installed), *filter(None, [os.environ.get("PYTHONPATH")])])
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path, **variables},
        )
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr and "Warning" not in done.stderr, done.stderr
        return done

    return run


@pytest.fixture
def gym_hil(run):
    return lambda *arguments, **options: run("-m", "gym_hil", *arguments, **options)


def test_each_plugin_is_one_file_with_one_entry_point(installed):
    modules = re.findall(r"my_lab\.(\w+):", PROJECT)
    assert sorted(f"my_lab/{module}.py" for module in modules) == sorted({*FILES} - {"my_lab/__init__.py"})
    assert len(modules) == 7


def test_list_shows_the_names_and_ids_of_plugins(gym_hil, tmp_path):
    gym_hil("list", "--names", "--json", "names.json")
    names = json.loads((tmp_path / "names.json").read_text())
    added = {
        "task": "TouchCube",
        "robot": "panda_soft",
        "operator": "latecomer",
        "method": "nearest",
        "format": "csv",
        "observation_terms": "tcp_height",
    }
    assert {kind for kind, name in added.items() if name in names[kind]} == set(added)
    assert "knobs" in names["operator"], "a person drives with the device"
    ids = gym_hil("list", "touchcube").stdout.splitlines()
    for robot in ("Panda", "PandaSoft", "SO101"):
        assert f"gym_hil/{robot}TouchCube-v1" in ids
    assert "gym_hil/PandaSoftPickCubeSimulatedHuman-v1" in gym_hil("list", "PandaSoft").stdout.splitlines()


def test_ids_are_registered_in_any_order_of_imports(run):
    made = "import gymnasium; gymnasium.make('gym_hil/PandaSoftTouchCube-v1')"
    for first in ("my_lab.touch_cube", "my_lab.panda_soft", "gym_hil"):
        run("-c", f"import {first}; {made}")


def test_errors_about_unknown_names_list_those_of_plugins(gym_hil):
    assert 'did you mean "PandaSoftTouchCube-v1"' in gym_hil("play", "PandaSoftTuchCube-v1", status=2).stderr
    assert "latecomer" in gym_hil("play", "--operator", "latecomr", status=2).stderr


def test_play_with_task_robot_and_observation_term(gym_hil):
    terms = ("--observation-terms", "proprioception", "tcp_height")
    done = gym_hil("play", "PandaSoftTouchCube-v1", "--episodes", "3", "--no-window", *terms)
    assert "3 of 3 episodes succeeded" in done.stdout


def test_programs_run(run):
    for program in PROGRAMS:
        assert run("-c", program).stdout == "(1,)\n"


@pytest.mark.skipif(sys.platform == "win32", reason="the box is at a serial port")
def test_a_person_drives_with_the_device(gym_hil, tmp_path):
    (tmp_path / "port").write_text("0 0 0.5\n0 0 -1\n")
    drive = ("--operator", "knobs", "--no-window", "--min-success", "0", "--json", "out.json")
    done = gym_hil("play", "PandaTouchCube-v0", *drive, KNOBS=str(tmp_path / "port"))
    assert "turn a knob to take over" in done.stdout
    (episode,) = json.loads((tmp_path / "out.json").read_text())["episodes"]
    assert episode["human"]["interventions"] == 1
    assert (
        "no box of knobs at /dev/nothing"
        in gym_hil("play", "PandaTouchCube-v0", *drive, status=2, KNOBS="/dev/nothing").stderr
    )


def test_record_with_the_operator_into_the_format_and_replay(gym_hil, tmp_path):
    record = (
        "record",
        "PandaTouchCube-v1",
        "--operator",
        "latecomer",
        "--format",
        "csv",
        "--root",
        "touches",
        "--observation-terms",
        "tcp_height",
    )
    gym_hil(*record, "--episodes", "2")
    (tmp_path / "touches" / "csv" / "episode_000001.csv").write_text("damaged")
    assert "was changed after it was written" in gym_hil("inspect", "touches", "--no-page", status=1).stdout
    gym_hil(*record, "--episodes", "3", "--resume")
    files = sorted((tmp_path / "touches" / "csv").iterdir())
    assert [file.name for file in files] == [f"episode_{number:06d}.csv" for number in range(3)]
    for file in files:
        table = np.loadtxt(file, delimiter=",", skiprows=1)
        assert table[-1, -1] == 1.0 and not table[:10, :3].any() and table[10:, :3].any()
    verified = gym_hil("replay", "touches", "--verify").stdout
    assert verified.count("bit-identical") == 3


@pytest.mark.slow
@pytest.mark.skipif(find_spec("torch") is None, reason="learning needs PyTorch")
def test_train_with_the_method_and_eval(gym_hil, tmp_path):
    learn = ("--method", "nearest", "--operator", "latecomer", "--demos", "3", "--robot-minutes", "0.3")
    gym_hil("train", "PandaSoftTouchCube-v1", *learn, "--episodes", "4", "--out", "run")
    gym_hil("eval", "run", "--episodes", "4", "--json", "found.json")
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["env_id"] == "gym_hil/PandaSoftTouchCubeStateBase-v1" and found["episodes"] == 4
    played = gym_hil("play", "PandaSoftTouchCube-v1", "--policy", "run", "--operator", "none", "--no-window",
                     "--min-success", "0")  # fmt: skip
    assert "of 1 episodes succeeded" in played.stdout
