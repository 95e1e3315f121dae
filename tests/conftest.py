"""Fixtures and settings for all tests."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys

import pytest

signal.signal(signal.SIGINT, signal.default_int_handler)  # else a shell's background job would ignore Ctrl-C

NO_OPENGL = "no OpenGL backend works"
LONGEST = ("test_keys_alone_insert_the_peg", "test_commands_run[README.md")
"""Beginnings of the names of tests that take one minute or more and are among the last ones otherwise."""
PROBE = "from gym_hil.simulation import gl; gl.make_context(64, 64)"


@functools.cache
def rendering_error() -> str:
    """Return why this machine cannot draw pictures, or an empty string if it can."""
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True)
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def pytest_collection_modifyitems(items):
    """Begin with the tests that take minutes, so that parallel workers end at about the same time."""
    items.sort(key=lambda item: not item.name.startswith(LONGEST))


def pytest_runtest_setup(item):
    if item.get_closest_marker("rendering") and (reason := rendering_error()):
        pytest.skip(f"this machine cannot render: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Count a test that failed because OpenGL is missing, here or in a program that it started, as skipped."""
    report = yield
    output = f"{report.longreprtext}{report.capstdout}{report.capstderr}" if report.failed else ""
    if NO_OPENGL in output and (reason := rendering_error()):
        report.outcome = "skipped"
        path, line, _ = item.location
        report.longrepr = (path, line, f"Skipped: this machine cannot render: {reason}")
    return report


@pytest.fixture
def no_coverage(monkeypatch):
    """Start programs without coverage: its data file would meet a limit on the size of files, and its handler of
    SIGTERM would replace the default action.
    """
    for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def screen():
    """The environment variables with which programs open their windows on a separate virtual screen."""
    for program in ("Xvfb", "xdotool"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    ready, announce = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(announce), "-screen", "0", "1200x800x24", "-noreset"],
        pass_fds=[announce],
        stderr=subprocess.DEVNULL,
    )
    os.close(announce)
    try:
        with os.fdopen(ready) as numbers:
            number = (
                numbers.readline().strip()
            )  # the server chooses a free one and announces it when it is ready
        assert number, "Xvfb ended before it was ready"
        hidden = ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE")
        yield {**{k: v for k, v in os.environ.items() if k not in hidden}, "DISPLAY": f":{number}"}
    finally:
        server.terminate()
        server.wait()
