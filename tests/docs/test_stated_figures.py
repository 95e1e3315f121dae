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
