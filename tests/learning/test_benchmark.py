"""The benchmark follows its protocol, records contain their origin, and only verified results are submitted."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")
pytest.importorskip("scipy")

from gym_hil.cli import STOPPED
from gym_hil.cli.benchmark import Benchmark
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.experiments import benchmark as protocol
from gym_hil.experiments import leaderboard
from gym_hil.experiments.run_record import FORMAT, read_record
from gym_hil.experiments.study import StudyRun
from gym_hil.experiments.study_report import FinishedRun
from gym_hil.experiments.study_runs import run_study
from gym_hil.experiments.workers import train_run


def record(run: StudyRun, success: float) -> dict:
    """A record as a run of this place would leave it, with a curve that rises to `success`."""
    minutes = [0.5, 2.0, run.config.robot_minutes]
    curve = {
        "robot_minutes": minutes,
        "success_alone": [0.0, success / 2, success],
        "human_s": [30.0, 40.0, 60.0],
        "watched_s": [0.0, 80.0, 180.0],
        "takeovers": [0, 5, 8],
    }
    result = {"episodes": 200, "successes": round(200 * success), "cycle_s": 1.5, "wall_s": 9.0}
    config = run.config.to_json()
    return {
        "format": FORMAT,
        "place": dict(run.axis_values),
        "purpose": "report" if run.config.seed >= 10 else "development",
        "config": config,
        "commit": "0" * 40,
        "processor": "a processor",
        "versions": {},
        "episodes_sha256": f"{run.config.seed:08x}",
        "policy_sha256": "1",
        "result": result,
        "curve": curve,
    }


def results(folder, success, humans=("average", "novice"), seeds=(100, 101, 102)):
    """Write records, with a success that depends on human and method, and read them."""
    (folder / "records").mkdir(parents=True)
    for run in protocol.benchmark(["PickCube"], ["bc", "hil", "hg-dagger"], humans, seeds).runs:
        text = json.dumps(record(run, success(run.axis_values["human"], run.axis_values["method"])))
        (folder / "records" / f"{run.name}.json").write_text(text)
    return protocol.read_results(folder)


def test_the_protocol_defines_the_runs():
    study = protocol.benchmark(["InsertPeg", "PickCube"], ["hil"], ["average"], range(100, 105))
    assert [run.axis_values["task"] for run in study.runs] == ["PickCube"] * 5 + ["InsertPeg"] * 5
    assert study.purpose == "report"
    for run in study.runs:
        assert run.config.eval_episodes == run.config.final_episodes == 200
        assert run.config.robot_minutes == protocol.ROBOT_MINUTES[run.axis_values["task"]]
    with pytest.raises(InvalidArgumentError, match='did you mean "PickCube"'):
        protocol.benchmark(["PickCub"], ["hil"], ["average"], [100])


def test_an_incomplete_or_incompatible_record_is_refused(tmp_path):
    (run,) = protocol.benchmark(["PickCube"], ["hil"], ["average"], [100]).runs
    good = record(run, 1.0)
    path = tmp_path / "one.json"
    for change in ({"format": 99}, {"curve": {"a": [1], "b": []}}, {"config": {"env_id": "x"}}):
        path.write_text(json.dumps({**good, **change}))
        with pytest.raises(InvalidArgumentError, match=r"one.json"):
            read_record(path)
    path.write_text(json.dumps(good))
    assert read_record(path)[1] == run.config


def test_differences_from_the_protocol_are_named(tmp_path):
    (one, *_) = results(tmp_path, lambda human, method: 0.9)
    assert protocol.protocol_differences(one) == []
    shorter = FinishedRun(replace(one.run, config=replace(one.run.config, robot_minutes=1.0)), one.record)
    assert protocol.protocol_differences(shorter) == ["robot_minutes=1.0, not 4.0"]
    claims_report = copy.deepcopy(one.record)
    claims_report["purpose"] = "development"
    assert protocol.protocol_differences(FinishedRun(one.run, claims_report)) == [
        "purpose 'development', not 'report'"
    ]


def test_methods_are_ranked_with_each_human(tmp_path):
    order = {"bc": 0.3, "hil": 0.6, "hg-dagger": 0.9}
    same = results(tmp_path / "same", lambda human, method: order[method])
    assert protocol.rank_agreement(same) == [("PickCube", "average", "novice", 3, pytest.approx(1.0))]
    reverse = results(
        tmp_path / "reverse",
        lambda human, method: order[method] if human == "average" else 1 - order[method],
    )
    assert protocol.rank_agreement(reverse)[0][-1] == pytest.approx(-1.0)
    ties = results(tmp_path / "ties", lambda human, method: 1.0)
    assert np.isnan(protocol.rank_agreement(ties)[0][-1])


def test_only_verified_results_for_reports_are_submitted(tmp_path):
    folder, path = tmp_path / "mine", tmp_path / "leaderboard.json"
    found = results(folder, lambda human, method: 0.8)
    with pytest.raises(InvalidArgumentError, match="was not verified"):
        leaderboard.make_rows(folder, found, "we")
    leaderboard.write_verified(folder, found, [found[0].run.name])
    leaderboard.write_verified(folder / "records", found, [])
    assert len(protocol.read_results(folder / "records")) == len(found), "it is no record"
    (folder / "records" / "verified.json").unlink()
    rows = leaderboard.make_rows(folder, found, "we")
    assert len(rows) == 6 and rows[0]["success"] == [0.8, 0.8, 0.8] and rows[0]["seeds"] == [100, 101, 102]
    assert rows[0]["repeated"] == [found[0].run.name]
    leaderboard.add_rows(path, rows)
    leaderboard.add_rows(path, rows[:2])
    assert len(leaderboard.read_rows(path)) == 6, "a row replaces the same one"
    earlier = json.dumps(rows).replace('"submitter"', '"entrant"')
    path.write_text(earlier)
    assert leaderboard.read_rows(path) == rows, "files with the earlier name of a key can be read"
    header, lines = leaderboard.as_table(leaderboard.read_rows(path))
    assert len(lines) == 6 and "80.0% (80.0% to 80.0%)" in lines[0] and len(header) == len(lines[0])
    changed = next((folder / "records").glob("*.json"))
    changed.write_text(changed.read_text().replace('"successes": 160', '"successes": 200'))
    with pytest.raises(InvalidArgumentError, match="changed since it was verified"):
        leaderboard.make_rows(folder, protocol.read_results(folder), "we")


def test_the_command_lists_the_runs_of_the_protocol(tmp_path, capsys):
    command = Benchmark(
        action="run", results=tmp_path, tasks=("PickCube",), methods=("bc",), seeds=2, dry_run=True
    )
    assert command.run() == 0
    *names, total = capsys.readouterr().out.splitlines()
    study = protocol.benchmark(["PickCube"], ["bc"], protocol.HUMANS, range(100, 102))
    assert names == [run.name for run in study.runs]
    assert total == f"{len(names)} runs, {study.robot_minutes:g} robot minutes in all."
    with pytest.raises(InvalidArgumentError, match="seeds=11 must be from 1 to 10"):
        replace(command, seeds=11).run()


def test_the_command_can_be_stopped(tmp_path, monkeypatch, capsys):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("gym_hil.experiments.study_runs.run_study", stop)
    assert Benchmark(action="run", results=tmp_path, quick=True).run() == STOPPED
    assert "Stopped. Run the same command again to continue" in capsys.readouterr().out


def test_the_command_verifies_and_submits_results(tmp_path, monkeypatch, capsys):
    folder, board, facts = tmp_path / "mine", tmp_path / "leaderboard.json", tmp_path / "facts.json"
    found = results(folder, lambda human, method: 0.8)
    command = Benchmark(action="verify", results=folder, leaderboard=board, json=facts)
    with pytest.raises(InvalidArgumentError, match="sample=0 must be at least 1"):
        replace(command, sample=0).run()
    with pytest.raises(InvalidArgumentError, match="give the name of the submitter"):
        replace(command, action="submit").run()
    submit = replace(command, action="submit", submitter=" our laboratory ")
    for successes, status, word in (
        (200, 1, "was not reproduced: result: successes"),
        (160, 0, "bit for bit"),
    ):
        monkeypatch.setattr(protocol, "repeat", lambda entry, n=successes: repeated(entry, n))
        assert command.run() == status
        assert word in capsys.readouterr().out
        assert len(json.loads(facts.read_text())["problems"]) == status
        if status:
            with pytest.raises(InvalidArgumentError, match="was not verified"):
                submit.run()
    assert submit.run() == 0
    assert len(leaderboard.read_rows(board)) == 6 == len(found) / 3
    assert {row["submitter"] for row in leaderboard.read_rows(board)} == {"our laboratory"}


def repeated(entry: FinishedRun, successes: int) -> dict:
    """The record of a repetition with this number of successes."""
    again = copy.deepcopy(entry.record)
    again["result"]["successes"] = successes
    return again


@pytest.mark.parametrize("seeds, complaint", [((0, 1, 2), "seed for development"), ((100,), "fewer than 3")])
def test_runs_with_development_or_too_few_seeds_are_refused(tmp_path, seeds, complaint):
    found = results(tmp_path, lambda human, method: 0.8, seeds=seeds)
    leaderboard.write_verified(tmp_path, found, [])
    with pytest.raises(InvalidArgumentError, match=complaint):
        leaderboard.make_rows(tmp_path, found, "we")


def test_a_repetition_confirms_a_run_and_refuses_a_changed_one(tmp_path):
    def short(config):
        return replace(config, robot_minutes=0.1, demos=1, eval_episodes=1, final_episodes=2)

    (run,) = protocol.benchmark(["PickCube"], ["hg-dagger"], ["average"], [100], short).runs
    train_run(dict(run.axis_values), run.config, tmp_path, lambda steps: None)
    one = FinishedRun(run, read_record(tmp_path / "record.json")[0])
    again = protocol.repeat(one)
    assert protocol.record_differences(one, again) == []
    better = copy.deepcopy(one.record)
    better["result"]["successes"] += 1
    better["processor"] = "another"
    found = protocol.record_differences(FinishedRun(run, better), again)
    assert found[0] == "result: successes" and "another processor: another" in found[1]


@pytest.mark.slow
def test_a_run_on_a_cluster_has_the_same_record_as_a_local_one(tmp_path):
    pytest.importorskip("ray")

    def short(config):
        return replace(config, robot_minutes=0.1, demos=2, eval_episodes=1, final_episodes=2, width=16)

    study = protocol.benchmark(["PickCube"], ["bc"], ["average"], [0], short)
    status = run_study(study, tmp_path, address="local")
    assert not status.failed
    (one,) = protocol.read_results(tmp_path)
    assert (tmp_path / "runs" / one.run.name / "policy.npz").is_file()
    assert protocol.record_differences(one, protocol.repeat(one)) == []
    assert len(run_study(study, tmp_path, address="nowhere:1").ended) == 1, "nothing is left to run"
