"""The programs in docs/humans.md run, and its tables name every preset and every simulated human."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from commands import run_program
from gym_hil.intervention.limits import DEFAULT_PRESET, PRESETS
from gym_hil.intervention.named import SIMULATED

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "humans.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_run(program, tmp_path):
    run_program(program, cwd=tmp_path).check_returncode()


def test_every_preset_and_every_simulated_human_is_in_the_tables():
    assert all(f"| `{name}` |" in TEXT for name in (*SIMULATED, *PRESETS))
    assert f"| `{DEFAULT_PRESET}` | the default |" in TEXT


def test_the_table_shows_the_values_of_the_presets():
    for name in ("average", "novice", "experienced", "inattentive"):
        limits = PRESETS[name]
        row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{name}` |"))
        assert f"{limits.gates[0].seconds:.1f} s" in row and f"{limits.reaction_s:.2f} s" in row  # type: ignore[attr-defined]
        percentages = (limits.noise, limits.wrong_key, limits.attention)
        assert all(f"{100 * share:g} %" in row for share in percentages), row


@pytest.mark.parametrize("name", ["humans", "page_sessions"])
def test_the_tables_are_those_of_the_result_files(name):
    if name == "page_sessions":
        pytest.importorskip("selenium")
    result = ROOT / "benchmarks" / f"{name}.json"
    done = run_program(result.with_suffix(".py"), "--episodes", 0, "--json", result)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") > 5 and done.stdout in TEXT


def measure(result: Path, episodes: int) -> str:
    options = ["--tasks", "PickCube", "--presets", "experienced", "--json", str(result)]
    done = run_program(ROOT / "benchmarks" / "humans.py", "--episodes", episodes, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_measures_humans_and_continues_from_its_result(tmp_path):
    result = tmp_path / "rows.json"
    measure(result, 1)
    first = json.loads(result.read_text())
    assert [row["operator"] for row in first] == list(SIMULATED)
    assert all(len(row["steps"]) == 1 and not row["failed"] for row in first)
    printed = measure(result, 2)
    second = json.loads(result.read_text())
    assert all(row["steps"][:1] == before["steps"] for row, before in zip(second, first, strict=True))
    assert all(len(row["steps"]) == 2 for row in second)
    assert measure(result, 2) == printed[printed.index("| task") :], "nothing is measured again"
    assert json.loads(result.read_text()) == second
