"""The command line does what it says, and its exit status tells whether it did."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata

import imageio.v3 as iio


def gym_hil(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from gym_hil.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)


def test_play_writes_a_video_and_a_table(tmp_path):
    video, table = tmp_path / "demo.mp4", tmp_path / "out" / "demo.json"
    done = gym_hil("play", "PandaPickCube-v0", "--episodes", "2", "--video", str(video), "--json", str(table))
    assert done.returncode == 0, done.stderr
    result = json.loads(table.read_text())
    assert result["success"] == 1.0 and len(result["episodes"]) == 2
    frames = iio.imread(video)
    assert frames.shape[0] == sum(episode["steps"] for episode in result["episodes"])
    orange, green = frames[2, 5, 300], frames[-1, 5, 300]
    assert orange[0] > orange[2] and green[1] > green[0], "the banner says who acts and that it worked"


def test_play_fails_when_the_task_is_not_done(tmp_path):
    done = gym_hil("play", "PandaPickCube-v0", "--operator", "none")
    assert done.returncode == 1
    assert "0 of 1 episodes succeeded" in done.stdout


def test_play_names_the_nearest_task():
    done = gym_hil("play", "PandaPickCub-v0")
    assert done.returncode == 2
    assert 'did you mean "PandaPickCube-v0"' in done.stderr and "Traceback" not in done.stderr


def test_list_shows_every_id(tmp_path):
    path = tmp_path / "ids.json"
    done = gym_hil("list", "--json", str(path))
    assert done.returncode == 0, done.stderr
    rows = {row["id"]: row for row in json.loads(path.read_text())}
    assert rows["gym_hil/PandaPickCube-v0"]["action"] == "(4,)"
    assert rows["gym_hil/PandaPickCubeGamepad-v0"]["steps"] == 100


def test_doctor_says_what_works(tmp_path):
    path = tmp_path / "doctor.json"
    done = gym_hil("doctor", "--json", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    findings = {finding["what"]: finding for finding in json.loads(path.read_text())}
    assert findings["MuJoCo"]["works"] and findings["rendering"]["works"]
    extras = {what.removeprefix("extra ") for what in findings if what.startswith("extra ")}
    assert extras == set(metadata.metadata("gym-hil").get_all("Provides-Extra")) - {"dev"}
    for extra in extras:
        finding = findings[f"extra {extra}"]
        assert finding["works"] or (f"gym-hil[{extra}]" in finding["mend"] and "gym-hil[" in done.stdout)


def test_bench_measures_everything_it_shows(tmp_path):
    path = tmp_path / "bench.json"
    done = gym_hil("bench", "--quick", "--tasks", "PandaPickCube-v1", "--json", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(path.read_text())["tasks"]["PandaPickCube-v1"]
    for kind in ("state", "images"):
        assert all(value > 0 for value in found[kind].values()), found[kind]
    assert {row["mode"] for row in found["vector"]} == {"sync", "async", "vector_entry_point"}
    assert found["scaling"]["num_envs"] == 2 and found["scaling"]["times_one"] > 0.1


def test_bench_names_the_nearest_task():
    done = gym_hil("bench", "--quick", "--tasks", "PandaPickCub-v1")
    assert done.returncode == 2 and 'did you mean "PandaPickCube-v1"' in done.stderr


def test_every_command_explains_itself():
    for command in (
        "play",
        "list",
        "doctor",
        "bench",
        "train",
        "eval",
        "study",
        "record",
        "replay",
        "inspect",
        "lerobot-config",
    ):
        done = gym_hil(command, "--help")
        assert done.returncode == 0 and "--json" in done.stdout and "--seed" in done.stdout
