"""Facts about the project that are in more than one file agree."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_citation_names_this_version():
    version = re.search(r'^version = "(.+)"', PROJECT, re.MULTILINE)[1]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_every_dependency_has_a_lower_bound_that_is_tested():
    script = ROOT / ".ci" / "lower-bounds"
    bounds = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True).stdout
    lowest = dict(line.split("==") for line in bounds.splitlines())
    assert {"numpy", "gymnasium", "mujoco", "torch", "stable-baselines3", "aiohttp"} <= set(lowest)
    major, minor = map(int, lowest["torch"].split(".")[:2])
    assert (major, minor) >= (2, 4), "earlier versions have no fused Adam for CPUs"


def test_the_workflow_tests_every_python_that_is_supported():
    supported = re.findall(r"Python :: (3\.\d+)", PROJECT)
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    tested = re.findall(r"python: \[(.*)\]", workflow)[0]
    assert re.findall(r"3\.\d+", tested) == supported
