"""docs/humans.md tells the truth: its programs run, and its tables name every preset and every simulated human."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gym_hil.intervention.limits import DEFAULT_PRESET, PRESETS
from gym_hil.intervention.named import SIMULATED

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "humans.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_run(program, tmp_path):
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)


def test_every_preset_and_every_simulated_human_is_in_the_tables():
    assert all(f"| `{name}` |" in TEXT for name in (*SIMULATED, *PRESETS))
    assert f"| `{DEFAULT_PRESET}` | the default |" in TEXT


def test_the_table_says_what_the_limits_say():
    for name in ("average", "novice", "experienced", "inattentive"):
        limits = PRESETS[name]
        row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{name}` |"))
        assert f"{limits.gates[0].seconds:.1f} s" in row and f"{limits.reaction_s:.2f} s" in row  # type: ignore[attr-defined]
        percentages = (limits.noise, limits.wrong_key, limits.attention)
        assert all(f"{100 * share:g} %" in row for share in percentages), row


def test_the_command_measures_humans_and_writes_a_result(tmp_path):
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "humans.py"),
        "--episodes",
        "1",
        "--tasks",
        "PickCube",
    ]
    options = ["--presets", "experienced", "--json", str(tmp_path / "rows.json")]
    subprocess.run([*command, *options], check=True, capture_output=True)
    rows = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert [row["operator"] for row in rows] == list(SIMULATED)
    assert all(row["in_the_end"] == 1 for row in rows)
