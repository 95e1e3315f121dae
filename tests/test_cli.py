"""Commands do what their help describes, and their exit status is 0 only on success."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import gymnasium as gym
import imageio.v3 as iio
import pytest

from commands import run as gym_hil
from commands import run_program
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.datasets.formats.registry import format_names
from gym_hil.envs.observations import OBSERVATION_TERMS
from gym_hil.intervention.named import operator_names
from gym_hil.intervention.operator import Operator
from gym_hil.learning.methods import METHODS
from gym_hil.robots import ROBOTS
from gym_hil.stacks.ids import SUFFIXES
from gym_hil.tasks import TASKS


def test_the_version_is_that_of_the_package_metadata():
    said = f"gym-hil {metadata.version('gym-hil')}\n"
    done = gym_hil("--version")
    assert done.returncode == 0 and done.stdout == said
    module = [sys.executable, "-m", "gym_hil", "--version"]
    assert subprocess.run(module, capture_output=True, text=True, check=True).stdout == said


FULL = """
import errno
from gym_hil import cli
def fail():
    raise OSError(errno.ENOSPC, "No space left on device", "table.json")
cli._run = fail
cli.main()
"""


def test_an_error_of_the_operating_system_is_one_line():
    done = run_program(FULL)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("gym-hil: table.json: ") and done.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="about pipes of POSIX shells")
def test_a_reader_that_closes_the_pipe_causes_no_traceback():
    command = [sys.executable, "-m", "gym_hil", "list"]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert program.stdout is not None and program.stderr is not None
    program.stdout.close()
    said = program.stderr.read()
    assert program.wait(60) == 1 and "Traceback" not in said and "BrokenPipe" not in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("play", "PandaPickCube-v1", "--seed", "-1"), "seed=-1 must be at least 0"),
        (("record", "PandaPickCube-v1", "--seed", "-1"), "seed=-1 must be at least 0"),
        (("train", "PandaPickCube-v1", "--seed", "-1"), "seed=-1 must be at least 0"),
        (("humans", "show", "novice", "--seed", "-1"), "seed=-1 must be at least 0"),
        (("play", "PandaPickCube-v1", "--video", "noext"), "must end in one of: .mp4"),
        (("play", "PandaPickCube-v1", "--video", "/proc/film.mp4"), "film.mp4"),
        (("list", "PickCubed"), "no id contains 'PickCubed'"),
    ],
)
def test_impossible_requests_give_a_one_line_error(arguments, message, tmp_path):
    done = gym_hil(*arguments, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("gym-hil: ") and done.stderr.count("\n") == 1, done.stderr
    assert message in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of a file's size")
def test_a_video_that_cannot_be_completed_is_deleted(tmp_path, no_coverage):
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))\n"
        "from gym_hil.cli import main; main()\n"
    )
    video = tmp_path / "film.mp4"
    command = [sys.executable, "-c", code, "play", "PandaPickCube-v1", "--video", str(video)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (1, 2) and not list(tmp_path.iterdir())
    assert done.stderr.startswith(f"gym-hil: {video} cannot be written: ") and done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr and "FFMPEG" not in done.stderr, done.stderr


def test_ctrl_c_ends_with_one_line():
    code = (
        "import sys, _thread; from gym_hil import cli\n"
        "cli._run = lambda: _thread.interrupt_main() or __import__('time').sleep(5)\n"
        "cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "Stopped.\n")


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
    assert len(done.stderr) < 500


def test_list_fits_a_terminal_and_cuts_nothing():
    done = gym_hil("list", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) <= 28 and max(map(len, lines)) <= 80 and "\u2026" not in done.stdout
    for task in TASKS:
        assert task in done.stdout
        assert sum(line.startswith(f"{task} ") for line in lines) == (0 if task.endswith("Easy") else 1), task
    for suffix in (*filter(None, SUFFIXES), "Base"):
        assert len(re.findall(rf"\b{suffix}\b", done.stdout)) == 1, f"{suffix} is explained once"


def test_list_shows_the_names_that_options_take():
    done = gym_hil("list", "--names", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    for word in (*TASKS, *ROBOTS, *operator_names(), *METHODS, *format_names(), *OBSERVATION_TERMS):
        assert word in done.stdout, word


def test_list_shows_all_ids_of_a_task():
    done = gym_hil("list", "insertpeg", COLUMNS="40")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [env_id for env_id in gym.registry if "InsertPeg" in env_id]


def test_list_writes_every_id(tmp_path):
    path = tmp_path / "ids.json"
    done = gym_hil("list", "--json", str(path))
    assert done.returncode == 0, done.stderr
    rows = {row["id"]: row for row in json.loads(path.read_text())}
    assert list(rows) == [env_id for env_id in gym.registry if env_id.startswith("gym_hil/")]
    assert rows["gym_hil/PandaPickCube-v0"]["action"] == "(4,)"
    assert rows["gym_hil/PandaPickCubeBase-v0"]["action"] == "(7,)"
    assert "environment_state" in rows["gym_hil/PandaPickCubeSimulatedHuman-v1"]["observation"]
    assert rows["gym_hil/PandaPickCubeGamepad-v0"]["steps"] == 100


WITHOUT_OSMESA = """
import ctypes, ctypes.util

find, load = ctypes.util.find_library, ctypes.CDLL.__init__

def load_others(self, name, *arguments, **options):
    if "OSMesa" in str(name):
        raise OSError(f"{name}: cannot open shared object file: No such file or directory")
    load(self, name, *arguments, **options)

ctypes.util.find_library = lambda name: None if name == "OSMesa" else find(name)
ctypes.CDLL.__init__ = load_others
"""
"""Hides OSMesa's library from a program that finds this as its module ``sitecustomize``."""


@pytest.mark.parametrize(
    ("backend", "message", "advice"),
    [
        ("foo", "MUJOCO_GL='foo' is not known", "unset MUJOCO_GL"),
        ("glfw", "needs a display", "unset MUJOCO_GL"),
        ("osmesa", "no OpenGL backend works (osmesa: ", "OSMesa is missing; apt install libosmesa6"),
    ],
)
def test_a_wrong_opengl_backend_is_a_row_of_the_doctor(backend, message, advice, tmp_path):
    variables = {"MUJOCO_GL": backend, "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    if backend == "osmesa":
        (tmp_path / "sitecustomize.py").write_text(WITHOUT_OSMESA)
        path = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
        variables["PYTHONPATH"] = os.pathsep.join(path)
    assert gym_hil("--help", **variables).returncode == 0
    path = tmp_path / "doctor.json"
    done = gym_hil("doctor", "--json", str(path), **variables)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    findings = {finding["what"]: finding for finding in json.loads(path.read_text())}
    assert findings["MuJoCo"]["works"] and not findings["rendering"]["works"]
    assert message in findings["rendering"]["found"] and advice in findings["rendering"]["fix"]


def test_doctor_shows_which_features_work(tmp_path):
    path = tmp_path / "doctor.json"
    done = gym_hil("doctor", "--json", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    findings = {finding["what"]: finding for finding in json.loads(path.read_text())}
    assert findings["MuJoCo"]["works"] and findings["rendering"]["works"]
    extras = {what.removeprefix("extra ") for what in findings if what.startswith("extra ")}
    assert extras == set(metadata.metadata("gym-hil").get_all("Provides-Extra")) - {"dev"}
    for extra in extras:
        finding = findings[f"extra {extra}"]
        assert finding["works"] or re.match(r'pip install "[\w-]+', finding["fix"])


def test_bench_measures_all_displayed_values(tmp_path):
    path = tmp_path / "bench.json"
    done = gym_hil("bench", "--quick", "--tasks", "PandaPickCube-v1", "--json", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(path.read_text())["tasks"]["PandaPickCube-v1"]
    for kind in ("state", "images"):
        assert all(value > 0 for value in found[kind].values()), found[kind]
    assert {row["mode"] for row in found["vector"]} == {"sync", "async", "vector_entry_point"}
    assert found["scaling"]["num_envs"] == 2 and found["scaling"]["speedup"] > 0


def test_bench_names_the_nearest_task():
    done = gym_hil("bench", "--quick", "--tasks", "PandaPickCub-v1")
    assert done.returncode == 2 and 'did you mean "PandaPickCube-v1"' in done.stderr


def test_every_command_has_a_help_text():
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
        "lerobot-policy",
    ):
        done = gym_hil(command, "--help")
        assert done.returncode == 0 and "--json" in done.stdout
        assert "nothing here" not in done.stdout, "an option that does nothing"


@pytest.mark.parametrize("command", ["play", "record", pytest.param("train", marks=pytest.mark.slow)])
def test_the_operator_that_an_id_names_is_the_default_and_cannot_be_contradicted(
    command, tmp_path, monkeypatch
):
    """No key is pressed: the test checks which operator is asked."""
    from gym_hil.cli.play import Play
    from gym_hil.cli.record import Record
    from gym_hil.cli.train import Train

    class AskedError(Exception):
        pass

    class Nobody(Operator):
        name = "gamepad"

        def decide(self, view):
            raise AskedError

    made = []
    for maker in (
        "stacks.build.make_operator",
        "learning.rollout.make_operator",
        "intervention.named.make_operator",
    ):
        monkeypatch.setattr(f"gym_hil.{maker}", lambda name, **_: made.append(name) or Nobody())
    options = {
        "play": lambda **more: Play(task="PandaPickCubeGamepad-v1", window=False, episodes=1, **more),
        "record": lambda **more: Record(
            task="PandaPickCubeGamepad-v1", root=tmp_path / "episodes", episodes=1, **more
        ),
        "train": lambda **more: Train(task="PandaPickCubeGamepad-v1", out=tmp_path / "run", demos=1, **more),
    }[command]
    for given in ({}, {"operator": "gamepad"}):
        with pytest.raises(AskedError):
            options(**given).run()
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
    assert made and set(made) == {"gamepad"}
    with pytest.raises(
        InvalidArgumentError, match=r"--operator simulated contradicts .*, whose operator is gamepad"
    ):
        options(operator="simulated").run()


def test_ctrl_c_that_python_ignores_is_repeated():
    program = """
import gym_hil.cli, signal, time, weakref

class Thing: ...

def run():
    thing = Thing()
    reference = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
    del thing
    began = time.monotonic()
    try:
        time.sleep(20)
    finally:
        print(time.monotonic() - began)

gym_hil.cli._run = run
gym_hil.cli.main()
"""
    done = run_program(program)
    assert done.returncode == 130 and done.stderr == "Stopped.\n"
    assert float(done.stdout) < 10, "the sleep was interrupted"


def test_the_exit_status_is_kept_if_ctrl_c_arrives_in_evaluated_code(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import gym_hil.cli\n"
        "def stopped():\n"
        "    try: exec('raise KeyboardInterrupt')\n"
        "    except KeyboardInterrupt: return 1\n"
        "gym_hil.cli._run = stopped\n"
    )
    command = [sys.executable, "-m", "gym_hil", "list"]
    assert subprocess.run(command, env={**os.environ, "PYTHONPATH": str(tmp_path)}).returncode == 1


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_sigterm_ends_the_workers_of_a_study(tmp_path):
    pytest.importorskip("stable_baselines3")
    study = tmp_path / "study.toml"
    study.write_text('base = {task = "PandaPickCube-v1", robot_minutes = 10}\n[axes]\nseed = [0]\n')
    command = [sys.executable, "-m", "gym_hil", "study", study, "--out", tmp_path / "out"]
    program = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)

    def children() -> list[str]:
        return Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text(encoding="utf-8").split()

    def is_running(worker: str) -> bool:
        try:
            return "State:\tZ" not in Path(f"/proc/{worker}/status").read_text(encoding="utf-8")
        except OSError:
            return False

    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("out/**/episodes/*.npz")):
        assert program.poll() is None and time.monotonic() < deadline
        time.sleep(0.2)
    workers = children()
    assert workers
    program.send_signal(signal.SIGTERM)
    assert program.wait(60) == 130
    while any(is_running(worker) for worker in workers):
        assert time.monotonic() < deadline + 60, "a worker is still running"
        time.sleep(0.2)
