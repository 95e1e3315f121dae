"""A study runs every combination once, continues where it was stopped, and reports the results of the runs."""

from __future__ import annotations

import csv
import json
import multiprocessing
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")
pytest.importorskip("scipy")

from gym_hil.cli import STOPPED
from gym_hil.cli.study import CompareRuns
from gym_hil.cli.train import state_base_id
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.experiments.run_record import FORMAT, differences, read_record
from gym_hil.experiments.study import Study, load_study
from gym_hil.experiments.study_report import FinishedRun, write_study_report
from gym_hil.experiments.study_runs import Status, run_study
from gym_hil.experiments.workers import LocalWorkers, _Progress, _train_and_pack, _unpack, train_run
from gym_hil.learning.run_folder import open_folder

TOML = """
title = "Does the human help?"
[base]
task = "PandaPickCube-v1"
robot_minutes = 5
[axes]
seed = [0, 1, 2]
[axes.task]
pick = {}
insert = {task = "PandaInsertPeg-v1", robot_minutes = 10}
[axes."the human"]
"is here" = {operator = "simulated"}
"is away" = {operator = "none"}
"""


def study(tmp_path, text: str = TOML, name: str = "human.toml") -> Study:
    path = tmp_path / name
    path.write_text(text)
    return load_study(path, state_base_id)


def test_every_combination_is_a_run(tmp_path):
    read = study(tmp_path)
    assert len(read.runs) == 12 and len({run.name for run in read.runs}) == 12
    assert read.axes == ("task", "the human")
    configs = {
        (run.config.env_id, run.config.operator, run.config.seed, run.config.robot_minutes)
        for run in read.runs
    }
    assert ("gym_hil/PandaInsertPegStateBase-v1", "none", 2, 10) in configs and len(configs) == 12
    assert [len(runs) for runs in read.groups.values()] == [3, 3, 3, 3]
    assert {run.config.seed for run in read.only_seed(1).runs} == {1}
    assert "seed-0--insert--is-away" in {run.name for run in read.runs}


def test_a_study_file_overrides_the_defaults_for_images(tmp_path):
    base = {"task": "PandaPickCube-v1", "obs": "pixels"}
    text = json.dumps({"base": base, "axes": {"pace": {"usual": {}, "more": {"batch_size": 96}}}})
    usual, more = (run.config for run in study(tmp_path, text, "pixels.json").runs)
    assert (usual.updates_per_step, usual.batch_size) == (1, 64)
    assert (more.updates_per_step, more.batch_size) == (1, 96)


def test_json_and_toml_studies_are_equal(tmp_path):
    text = json.dumps({"base": {"task": "PandaPickCube-v1"}, "axes": {"seed": [0, 1]}})
    assert [run.config.seed for run in study(tmp_path, text, "human.json").runs] == [0, 1]


@pytest.mark.parametrize(
    "change, complaint",
    [
        (("robot_minutes", "robot_minuets"), 'did you mean "robot_minutes"'),
        (("[base]", "[bsae]"), 'did you mean "base"'),
        (("= 5", "= 'five'"), "robot_minutes='five' must be of type float"),
        (("= 5", "= -1"), "robot_minutes=-1.0 must be positive"),
        (("PandaPickCube-v1", "PandaPickCub-v1"), 'did you mean "PandaPickCube-v1"'),
        (("[0, 1, 2]", "3"), "axis 'seed' must be a list"),
        (("[0, 1, 2]", "[0, 0]"), "two runs have the name"),
        (("[0, 1, 2]", "[9, 10]"), "the seeds of a study must be of one kind"),
        (("[axes]", "[axes"), "cannot be read as a study"),
    ],
)
def test_errors_in_a_study_file_are_reported(tmp_path, change, complaint):
    with pytest.raises(InvalidArgumentError, match=complaint):
        study(tmp_path, TOML.replace(*change))


def finished_run(run, successes: int, success_per_minute: float) -> FinishedRun:
    minutes = np.linspace(0.5, 5.0, 10)
    curve = {
        "robot_minutes": minutes,
        "wall_s": 20 * minutes,
        "success_alone": np.clip(minutes * success_per_minute, 0, 1),
        "success_with_help": np.ones(10),
        "intervention_rate": 1 / (1 + minutes),
        "human_s": 10 * minutes,
        "watched_s": 50 * minutes,
        "takeovers": np.arange(10),
        "switches": 2 * np.arange(10),
    }
    result = {"successes": successes, "episodes": 100, "wall_s": 100.0, "cycle_s": 1.5}
    return FinishedRun(run, {"result": result, "curve": curve})


def test_the_report_contains_the_results_of_the_runs(tmp_path):
    read = study(tmp_path)
    found = [finished_run(run, 90 + run.config.seed, 0.2 + 0.1 * run.config.seed) for run in read.runs[:-1]]
    write_study_report(read, found, tmp_path)
    table = (tmp_path / "table.md").read_text()
    assert "11 of 12 runs have ended, with seeds for development." in table
    assert (
        "| pick | is here | 90.0%, 91.0%, 92.0% | 91.0% (90.0% to 92.0%) | 63.8% (50.0% to 75.0%) "
        "| never, never, 2.5 | 5.0 | 1.5 | 50 | 250 | 9 | 109 (108 to 110) | 100 s |" in table
    )
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    assert len(rows) == 11 and rows[0]["successes"] == "90" and rows[0]["the human"] == "is here"
    assert (rows[0]["watched_s"], rows[0]["takeovers"], rows[0]["switches"]) == ("250.0", "9", "18")
    page = (tmp_path / "report.html").read_text()
    charts = [part.split("</figure>")[0] for part in page.split("<figure>")[1:]]
    assert len(charts) == 2 * 6 and all(ElementTree.fromstring(svg) is not None for svg in charts)
    assert all(name in charts[0] for name in ("is here", "is away")), "one line per setting"
    for picture in ("curves-pick.svg", "curves-insert.svg"):
        ElementTree.parse(tmp_path / picture)


def test_the_studies_that_are_shipped_can_be_run():
    shipped = sorted((Path(__file__).parents[2] / "benchmarks").glob("*.toml"))
    studies = {path.stem: load_study(path, state_base_id) for path in shipped}
    runs = {name: study.runs for name, study in studies.items()}
    assert len(runs["ablation"]) == 5 * 2 * 10 and len(runs["operators"]) == 3 * 5
    assert {run.config.method for run in runs["ablation"]} == {"hil", "hg-dagger", "bc"}
    assert {run.config.method for run in (*runs["cloning"], *runs["demonstrations"])} == {"bc"}
    assert {run.config.demos for run in runs["ablation"]} == {0, 20, 200}
    assert {run.config.obs for run in runs["so101"]} == {"state", "pixels"}
    for_reports = {name for name, study in studies.items() if study.purpose == "report"}
    assert for_reports == {"boxes", "cloning", "demonstrations", "parts", "so101", "takeovers"}


def test_the_example_in_the_documentation_is_a_valid_study(tmp_path):
    manual = (Path(__file__).parents[2] / "docs" / "studies.md").read_text()
    (example,) = re.findall(r"```toml\n(title.*?)```", manual, re.DOTALL)
    assert len(study(tmp_path, example).runs) == 3 * 2 * 2


@pytest.mark.slow
def test_finished_runs_are_not_repeated_and_a_failed_one_stops_no_other(tmp_path):
    text = """
    [base]
    task = "PandaPickCube-v1"
    method = "hg-dagger"
    robot_minutes = 0.1
    demos = 1
    eval_episodes = 1
    final_episodes = 1
    [axes]
    seed = [0, 1]
    [axes.rate]
    good = {}
    bad = {learning_rate = -1.0}
    """
    read, out = study(tmp_path, text), tmp_path / "out"
    first = run_study(read, out, workers=2)
    assert {finished.run.name for finished in first.ended} == {"seed-0--good", "seed-1--good"}
    assert set(first.failed) == {"seed-0--bad", "seed-1--bad"}
    assert "Invalid learning rate" in first.failed["seed-0--bad"]
    folder = out / "runs" / "seed-0--good"
    assert (folder / "policy.npz").is_file()
    report = (folder / "report.html").read_text()
    assert str(folder) in report and "unfinished" not in report and "So far" not in report
    good = Study(read.title, tuple(run for run in read.runs if run.axis_values["rate"] == "good"))
    assert len(run_study(good, out).ended) == 2, "nothing is left to do"
    record = json.loads((out / "records" / "seed-1--good.json").read_text())
    (out / "records" / "seed-1--good.json").unlink()
    statuses: list[Status] = []
    again = run_study(good, out, workers=1, report=statuses.append)
    assert len(again.ended) == 2 and statuses[0].share >= 0.5
    repeated = json.loads((out / "records" / "seed-1--good.json").read_text())
    assert differences(record, repeated) == [] and record["episodes_sha256"] == repeated["episodes_sha256"]
    assert [status.latest.run.name for status in statuses if status.latest] == ["seed-1--good"]
    with pytest.raises(InvalidArgumentError, match="demos=1, not 3"):
        run_study(study(tmp_path, text.replace("demos = 1", "demos = 3")), out)


def test_a_result_of_an_earlier_configuration_does_not_count_as_finished(tmp_path):
    """Neither one without fields that were added since, nor one that does not say its version."""
    (run, *_) = study(tmp_path).runs
    (tmp_path / "records").mkdir()
    path = tmp_path / "records" / f"{run.name}.json"
    curve = {"robot_minutes": [5.0], "success_alone": [1.0]}
    old = {
        name: value for name, value in run.config.to_json().items() if name not in ("imitation", "annealing")
    }
    for config in (old, {name: value for name, value in old.items() if name != "version"}):
        facts = {"format": FORMAT, "config": config, "curve": curve, "result": {"episodes": 100}}
        path.write_text(json.dumps(facts))
        with pytest.raises(InvalidArgumentError, match=run.name):
            run_study(study(tmp_path), tmp_path)
        assert json.loads(path.read_text()) == facts and not (tmp_path / "report.html").exists()


def test_the_command_lists_the_runs_of_a_study(tmp_path, capsys):
    read = study(tmp_path)
    command = CompareRuns(file=tmp_path / "human.toml", dry_run=True)
    assert command.run() == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [*(run.name for run in read.runs), "12 runs, 90 robot minutes in all."]
    assert replace(command, seed=1).run() == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [*(run.name for run in read.only_seed(1).runs), "4 runs, 30 robot minutes in all."]
    with pytest.raises(InvalidArgumentError, match="workers=0 must be at least 1"):
        replace(command, dry_run=False, workers=0).run()


def test_the_command_reports_failed_runs_and_can_be_stopped(tmp_path, monkeypatch, capsys):
    good, bad, *_ = study(tmp_path).runs
    result = {"successes": 9, "episodes": 10}
    outcome = SimpleNamespace(
        ended=[FinishedRun(good, {"result": result, "curve": {}})], failed={bad.name: "ValueError: x"}
    )
    monkeypatch.setattr("gym_hil.experiments.study_runs.run_study", lambda *arguments, **options: outcome)
    command = CompareRuns(file=tmp_path / "human.toml", out=tmp_path / "out", json=tmp_path / "facts.json")
    assert command.run() == 1
    assert f"{bad.name} failed:\nValueError: x" in capsys.readouterr().out
    facts = {"out": str(tmp_path / "out"), "runs": {good.name: result}, "failed": outcome.failed}
    assert json.loads((tmp_path / "facts.json").read_text()) == facts

    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("gym_hil.experiments.study_runs.run_study", stop)
    assert command.run() == STOPPED
    assert "finished runs are kept" in capsys.readouterr().out


SHORT = """
base = {task = "PandaPickCube-v1", method = "bc", robot_minutes = 0.1, demos = 2, eval_episodes = 1, final_episodes = 1}
[axes]
seed = [0]
"""


def test_the_results_of_another_machine_are_those_of_this_one(tmp_path):
    (run,) = study(tmp_path, SHORT).runs
    arguments = dict(run.axis_values), run.config
    progress = _Progress()
    remote = SimpleNamespace(report=SimpleNamespace(remote=progress.report))
    packed = _train_and_pack(run.name, arguments[0], run.config.as_dict(), remote)
    assert list(progress.read()) == [run.name] and 0 < progress.read()[run.name] <= run.config.total_steps
    there, here = tmp_path / "there", tmp_path / "here"
    _unpack(packed, there)
    open_folder(replace(run.config, seed=1), here, resume=False).release()
    train_run(*arguments, here, lambda steps: None)  # in place of another run with the same name
    ours, theirs = (read_record(folder / "record.json")[0] for folder in (here, there))
    assert differences(ours, theirs) == []
    assert sorted(path.name for path in here.iterdir()) == sorted(path.name for path in there.iterdir())


def test_a_killed_run_is_reported_and_closing_ends_the_others(tmp_path):
    text = SHORT.replace("robot_minutes = 0.1", "robot_minutes = 60").replace("[0]", "[0, 1]")
    runs = study(tmp_path, text).runs
    workers = LocalWorkers(runs, tmp_path / "runs", 2)
    assert workers.wait_for_runs(0.0) == []
    processes = {process.name: process for process in multiprocessing.active_children()}
    killed, other = (processes[f"gym-hil {run.name}"] for run in runs)
    killed.kill()
    assert workers.wait_for_runs(20.0) == [(runs[0].name, "its process ended with status -9")]
    assert other.is_alive()
    workers.close()
    assert not other.is_alive()


def test_an_interrupted_run_is_resumed(tmp_path):
    text = """
    base = {task = "PandaPickCube-v1", robot_minutes = 0.2, demos = 2, eval_episodes = 1, final_episodes = 1}
    [axes]
    seed = [0]
    """
    (run,) = study(tmp_path, text).runs
    arguments = dict(run.axis_values), run.config

    class StoppedError(Exception):
        pass

    def stop(steps):
        if steps > 30:
            raise StoppedError

    with pytest.raises(StoppedError):
        train_run(*arguments, tmp_path / "stopped", stop)
    stored = len(list((tmp_path / "stopped" / "episodes").glob("*.npz")))
    assert stored == 2
    train_run(*arguments, tmp_path / "stopped", lambda steps: None)
    train_run(*arguments, tmp_path / "whole", lambda steps: None)
    stopped, whole = (read_record(tmp_path / name / "record.json")[0] for name in ("stopped", "whole"))
    assert differences(stopped, whole) == []
    assert not (tmp_path / "whole" / "episodes").exists()
    whole["policy_sha256"] = "changed"
    assert differences(stopped, whole) == ["policy_sha256"]
