"""Every example runs, and its last line is the expected one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from commands import run_program

EXAMPLES = Path(__file__).parents[2] / "examples"
ENDS = {
    "camera_images": "wrist.png: (256, 256, 3)",
    "compare_operators": "s by the human per episode",
    "observe_interventions": "success",
    "record_and_replay": "the replay is bit-identical",
    "run_pretrained_policy": "20 of 20 episodes succeeded",
    "saved_states": "12 steps, success: True",
    "step_an_environment": "success",
    "teleoperate": "s by you",
    "train_from_python": "episodes succeeded without help",
    "vector_environment": "steps per second",
}
ARGUMENTS = {
    "teleoperate": ["--operator", "simulated", "--episodes", "1"],
    "train_from_python": ["--out", "run", "--robot-minutes", "0.5"],
}
MARKS = {"camera_images": pytest.mark.rendering, "train_from_python": pytest.mark.slow}


def environment() -> dict[str, str]:
    path = os.pathsep.join([str(EXAMPLES.parent / "src"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def test_every_example_has_an_expected_end():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(ENDS)


@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS.get(name, ())) for name in ENDS])
def test_the_example_runs(name, tmp_path):
    if name == "train_from_python":
        pytest.importorskip("stable_baselines3")
    done = run_program(EXAMPLES / f"{name}.py", *ARGUMENTS.get(name, []), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert ENDS[name] in done.stdout.splitlines()[-1], done.stdout[-500:]


@pytest.mark.slow
@pytest.mark.rendering
def test_the_notebook_runs(tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    notebook = nbformat.read(EXAMPLES / "takeover.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "the notebook is kept without outputs"
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
