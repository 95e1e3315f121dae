"""LeRobot's programs are started in order, watched, and stopped together. Here, short scripts replace them."""

from __future__ import annotations

import json
import socket
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from gym_hil.cli import lerobot_backend
from gym_hil.cli.lerobot_backend import lerobot_id, train_with_lerobot
from gym_hil.cli.lerobot_config import LerobotConfig
from gym_hil.cli.train import Train
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.integrations.lerobot.configs import PROGRAMS, Plan
from gym_hil.integrations.lerobot.launch import LerobotError, learn_with_lerobot

PROGRAM = """
    import json, os, pathlib, signal, socket, sys, time
    config = json.loads(pathlib.Path(sys.argv[2]).read_text())
    here = pathlib.Path(sys.argv[2]).parent
    def episode(number, outcome, steps, rate):
        line = {"number": number, "outcome": outcome, "steps": steps, "intervention_rate": rate}
        with open(os.environ["GYM_HIL_EPISODES_FILE"], "a") as file:
            file.write(json.dumps(line) + "\\n")
    def note(text):
        with (here / "order").open("a") as file:
            file.write(text + "\\n")
"""
RECORDER = """
    note("record")
    (here / "dataset" / "meta").mkdir(parents=True)
    (here / "dataset" / "meta" / "info.json").write_text('{"total_episodes": 1}')
    print("INFO episode 7: failure after 9 steps, intervention rate 0.00", flush=True)
    episode(1, "success", 20, 1.0)
"""
LEARNER = """
    def stop(*_):
        note("learner closed")
        sys.exit(0)
    signal.signal(signal.SIGTERM, stop)
    server = socket.create_server(("127.0.0.1", config["policy"]["actor_learner_config"]["learner_port"]))
    note("learner listens")
    time.sleep(60)
"""
ACTOR = """
    note("actor")
    for number in (1, 2):
        episode(number, "time_limit", 100, 0.25)
        time.sleep(0.2)
"""


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """A plan, and programs that take the place of LeRobot's."""
    package = tmp_path / "programs" / "lerobot" / "rl"
    package.mkdir(parents=True)
    for folder in (package.parent, package):  # else an installed LeRobot would come first
        (folder / "__init__.py").touch()
    for name, body in {"gym_manipulator": RECORDER, "learner": LEARNER, "actor": ACTOR}.items():
        (package / f"{name}.py").write_text(textwrap.dedent(PROGRAM) + textwrap.dedent(body))
    (tmp_path / "programs" / "grpc.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "programs")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "programs"), prepend=":")
    return Plan(task="PandaPickCubeStateSimulatedHuman-v1", steps=50, episodes=1)


def order(out) -> list[str]:
    return (out / "order").read_text().split("\n")[:-1]


def test_the_programs_run_in_order_and_the_learner_is_closed_last(plan, tmp_path):
    out, episodes = tmp_path / "out", []
    learn_with_lerobot(plan, out, ended=episodes.append)
    assert order(out) == ["record", "learner listens", "actor", "learner closed"]
    assert [(one.program, one.number, one.outcome, one.steps) for one in episodes] == [
        ("record", 1, "success", 20),
        ("actor", 1, "time_limit", 100),
        ("actor", 2, "time_limit", 100),
    ]
    assert episodes[1].intervention_rate == 0.25
    assert json.loads((out / "actor.json").read_text())["policy"]["online_steps"] == 50
    learn_with_lerobot(plan, out)
    assert order(out)[4] == "learner listens", "demonstrations that are there are not recorded again"
    with pytest.raises(LerobotError, match="contains 1 of 3 demonstrations"):
        learn_with_lerobot(replace(plan, episodes=3), out)


@pytest.mark.parametrize("broken", ["gym_manipulator", "learner", "actor"])
def test_a_failed_program_is_named_and_all_processes_end(plan, tmp_path, broken):
    path = tmp_path / "programs" / "lerobot" / "rl" / f"{broken}.py"
    before = "" if broken == "learner" else path.read_text()
    path.write_text(before + "\nraise SystemExit('it broke')\n")
    with pytest.raises(LerobotError, match="it broke"):
        learn_with_lerobot(plan, tmp_path / "out")
    if broken == "actor":
        assert order(tmp_path / "out")[-1] == "learner closed"


def test_two_plans_have_two_ports_and_a_port_in_use_is_refused(plan, tmp_path):
    assert len({Plan(task=plan.task).port for _ in range(3)} | {plan.port}) > 1
    refused = pytest.raises(LerobotError, match=f"another program listens on port {plan.port}")
    with socket.create_server(("127.0.0.1", plan.port)), refused:
        learn_with_lerobot(plan, tmp_path / "out")
    assert order(tmp_path / "out") == ["record"]


def test_ctrl_c_ends_all_programs(plan, tmp_path):
    def interrupted(episode):
        if episode.program == "actor":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn_with_lerobot(plan, tmp_path / "out", ended=interrupted)
    assert order(tmp_path / "out")[-1] == "learner closed"


def test_without_lerobot_the_message_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    plan = Plan(task="PandaPickCubeStateSimulatedHuman-v1")
    with pytest.raises(LerobotError, match=r"lerobot\[hilserl\]"):
        learn_with_lerobot(plan, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_shows_every_episode_and_writes_the_result(plan, tmp_path, capsys):
    out, result = tmp_path / "out", tmp_path / "result.json"
    train = Train(
        task="PandaPickCube-v1",
        backend="lerobot",
        device="cpu",
        demos=1,
        robot_minutes=0.1,
        out=out,
        json=result,
    )
    assert train.run() == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"Training {plan.task} with LeRobot. Logs and results are in {out}"
    assert [line for line in said if " episode " in line] == [
        "record episode 1: success after 20 steps; recently 100% success with help, 100% takeovers",
        "actor episode 1: time_limit after 100 steps; recently 0% success with help, 25% takeovers",
        "actor episode 2: time_limit after 100 steps; recently 0% success with help, 25% takeovers",
    ]
    assert json.loads((out / "actor.json").read_text())["policy"]["online_steps"] == 60
    assert json.loads(result.read_text()) == {
        "task": plan.task,
        "episodes": 2,
        "successes": 0,
        "checkpoint": str(out / "learner" / "checkpoints" / "last"),
    }


@pytest.mark.parametrize("gpu, device", [(True, "cuda"), (False, "cpu")])
def test_the_command_uses_a_gpu_if_there_is_one_and_can_be_stopped(
    tmp_path, monkeypatch, capsys, gpu, device
):
    plans = []

    def learn(plan, *arguments):
        plans.append(plan)
        raise KeyboardInterrupt

    monkeypatch.setattr(lerobot_backend, "learn_with_lerobot", learn)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: gpu)))
    train = Train(task="PandaPickCubeKeyboard-v1", backend="lerobot", obs="pixels", out=tmp_path)
    assert train.run() == 130
    assert [(plan.task, plan.device) for plan in plans] == [("PandaPickCubeKeyboard-v1", device)]
    assert capsys.readouterr().out.splitlines()[-1] == "Stopped."


@pytest.mark.parametrize(
    "options, reason",
    [({"method": "bc"}, "method='bc' is not supported"), ({"operator": "none"}, "operator")],
)
def test_options_that_lerobot_does_not_support_are_refused(tmp_path, options, reason):
    with pytest.raises(InvalidArgumentError, match=reason):
        Train(task="PandaPickCube-v1", backend="lerobot", out=tmp_path / "out", **options).run()
    assert not (tmp_path / "out").exists()


def test_ids_for_lerobot_name_an_operator():
    assert lerobot_id("PandaPickCube-v1", "simulated", images=False) == "PandaPickCubeStateSimulatedHuman-v1"
    assert lerobot_id("PandaInsertPegStateGamepad-v0", "browser", images=True) == "PandaInsertPegBrowser-v0"
    with pytest.raises(InvalidArgumentError, match="did you mean"):
        lerobot_id("PandaPickCub-v1", "simulated", images=False)


def test_observations_that_lerobots_learner_does_not_have_are_refused():
    with pytest.raises(InvalidArgumentError, match="obs='positions'"):
        train_with_lerobot(Train(task="PandaPickCube-v1", backend="lerobot", obs="positions"), Console())


def test_the_command_for_configurations_prints_the_programs_that_use_them(tmp_path, capsys):
    out, result = tmp_path / "out", tmp_path / "result.json"
    task = "PandaPickCubeStateSimulatedHuman-v1"
    assert LerobotConfig(task=f"gym_hil/{task}", out=out, port=50123, json=result).run() == 0
    written = json.loads(result.read_text())
    assert capsys.readouterr().out.splitlines() == [
        f"python -m lerobot.rl.{program} --config_path {written[name]}" for name, program in PROGRAMS.items()
    ]
    learner = json.loads(Path(written["learner"]).read_text(encoding="utf-8"))
    assert learner["policy"]["actor_learner_config"]["learner_port"] == 50123
