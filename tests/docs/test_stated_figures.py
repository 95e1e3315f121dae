"""Measured figures that pages state in their text or in tables of their own are those of the result files."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gym_hil.intervention import Limits

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"


def page(name: str) -> str:
    """Return a page of the documentation, with single spaces between words."""
    return " ".join((ROOT / "docs" / name).read_text(encoding="utf-8").split())


def result(name: str) -> Any:
    return json.loads((BENCHMARKS / name).read_text(encoding="utf-8"))


@pytest.fixture
def program(monkeypatch):
    """Return a function that imports a program of the folder `benchmarks`."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", BENCHMARKS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    return load


def test_the_table_of_simulated_humans_is_that_of_the_result_file(program):
    humans, text = program("humans"), page("humans.md")
    rows = humans.in_order(humans.read(BENCHMARKS / "humans.json"))
    for line in (*humans.table(rows), humans.misses(rows)):
        assert line in text


def test_the_table_of_page_sessions_is_that_of_the_result_file(program):
    found, text = result("page_sessions.json"), page("humans.md")
    for line in program("page_sessions").table(found):
        assert line in text
    limits = [Limits(**script["fit"]["limits"]) for script in found["scripts"].values()]
    practised = limits[list(found["scripts"]).index("practised")]
    assert f"(`pause_s` {practised.pause_s:.2f}, `wrong_key` {practised.wrong_key:.3f})" in text


def test_failures_with_delays_are_those_of_the_result_file():
    rows = result("delays.json")
    of_expert = [row for row in rows if row["who"] == "expert" and row["successes"] < row["episodes"]]
    assert {(row["robot"], row["delay_ms"]) for row in of_expert} == {("SO101", 100)}
    most = max(row["episodes"] - row["successes"] for row in of_expert)
    assert f"in up to {most} of 100 episodes with 100 ms and in none with 200 ms" in page("delays.md")
    assert all(row["successes"] == row["episodes"] for row in rows if row["who"] == "simulated human")
    policy = [row for row in rows if row["who"] == "pretrained policy"]
    worst = min(policy, key=lambda row: row["successes"])
    assert (worst["delay_ms"], worst["late"]) == (200, "half each, jitter")


def test_training_with_the_virtual_arm_is_described_as_measured():
    found, text = result("real_arm.json"), page("real-robot.md")
    training = found["training"]
    evaluation = training["evaluation"]
    assert f"--seed {training['config']['seed']}`" in text
    assert f"Of {training['timed_steps']:,} timed steps" in text
    worst_ms = max(part["worst_late_ms"] for part in training["parts"])
    assert f"{training['late_steps']} was late, by {worst_ms:.0f} ms" in text
    assert f"of {training['episodes']} episodes succeeded with the simulated human's help" in text
    alone = f"{evaluation['successes']} of {evaluation['episodes']} without help"
    interval = f"(95 % interval {100 * evaluation['low']:.0f} to {100 * evaluation['high']:.0f} %)"
    assert f"{alone} {interval}" in text
    assert f"in {evaluation['cycle_s']:.1f} s on average" in text
    lines = (ROOT / "docs" / "real-robot.md").read_text(encoding="utf-8").splitlines()
    for run in found["faults"]:
        (fault,) = run["fault"]
        (row,) = (line for line in lines if f"`{fault}`" in line)
        if run["late_steps"]:
            assert f"{run['late_steps']} of {run['timed_steps']} timed steps late" in row
        if run["cut_off"]:
            assert (
                f"{run['cut_off']} of {run['episodes']} episodes truncated" in row
                or "one episode truncated" in row
            )
        if "evaluation" in run and run["evaluation"]["successes"]:
            assert "the policy succeeded in its only evaluation" in row


def test_rollouts_by_lerobot_are_described_as_measured():
    runs = result("arm_rollouts.json")["states"]
    text = page("real-robot.md")
    rollouts = len(runs["rollouts"])
    assert (
        f"(seed {runs['config']['seed']}) picked up the cube in {runs['successes']} of {rollouts} runs"
        in text
    )
    assert f"(95 % interval {100 * runs['low']:.0f} to {100 * runs['high']:.0f} %)" in text
