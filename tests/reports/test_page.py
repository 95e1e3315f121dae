"""Reports are files that need no other file, and text in them is escaped."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("jinja2")

from gym_hil.core import palette
from gym_hil.reports.page import data_url, render

STUDY = {"count": "", "note": "", "header": ["a"], "rows": [["b"]], "facets": {}}


def test_all_values_are_escaped():
    evil = "<img src=x onerror=alert(1)>"
    page = render("study.html", **{**STUDY, "title": evil, "rows": [[evil]], "facets": {evil: []}})
    assert evil not in page and page.count("&lt;img src=x onerror=alert(1)&gt;") == 4


def test_a_page_loads_nothing_and_runs_no_script():
    page = render("study.html", title="t", **STUDY)
    assert "default-src 'none'" in page and "script" not in page


def test_the_colours_come_from_the_palette():
    assert palette.as_css() in render("study.html", title="t", **STUDY)
    assert palette.rgb("#d65d0e") == (214, 93, 14) and f"--human: {palette.HUMAN};" in palette.as_css()


def test_a_data_url_contains_the_content():
    assert data_url(b"abc", ".mp4") == "data:video/mp4;base64,YWJj"


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_without_the_report_packages_a_run_continues(tmp_path, package):
    code = (
        "import sys\n"
        f"sys.modules[{package!r}] = None\n"
        "from pathlib import Path\n"
        "from gym_hil.learning.report import write_report\n"
        f"write_report(Path({str(tmp_path)!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and not list(tmp_path.iterdir())
    assert f'pip install "{package}>=' in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_packages_for_reports_are_imported_only_when_a_report_is_written():
    code = (
        "import sys, gym_hil.learning.report, gym_hil.datasets.html_report, gym_hil.reports.video\n"
        "heavy = {'matplotlib', 'jinja2', 'imageio', 'PIL'}\n"
        "print(heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "matplotlib" not in done.stdout and "jinja2" not in done.stdout
