"""Runs ``gym-hil`` and Python programs in processes of their own, which start quickly.

Starting Python and importing PyTorch takes seconds, and the tests run hundreds of programs. On Linux, one process per
test worker has imported everything and is forked for each program. Elsewhere, a new process is started each time.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

PRELOADED = (
    "gym_hil.cli.bench", "gym_hil.cli.benchmark", "gym_hil.cli.doctor", "gym_hil.cli.humans",
    "gym_hil.cli.inspect_command", "gym_hil.cli.list_command", "gym_hil.cli.play", "gym_hil.cli.record",
    "gym_hil.cli.replay", "gym_hil.cli.study", "gym_hil.cli.train", "gym_hil.learning.run", "jinja2",
    "plotly.graph_objects", "stable_baselines3",
)  # fmt: skip
"""Modules that programs import, as far as they are installed."""
COMMAND = "from gym_hil.cli import main; main()"
FAILED_AT = re.compile(r'^  File "<string>", line (\d+), in <module>$', re.MULTILINE)
MISSING = re.compile(r"^ModuleNotFoundError: No module named '(\w+)", re.MULTILINE)


class ForkServer:
    """A process that has imported modules, and is forked for every program.

    Args:
        modules: the modules, as far as they are installed.
        variables: its environment variables.
    """

    def __init__(self, modules: Sequence[str], variables: Mapping[str, str]) -> None:
        self._command = [sys.executable, __file__, *modules]
        self._variables = dict(variables)
        self._server: subprocess.Popen[str] | None = None

    def run(
        self, program: str | Path, arguments: Sequence[str], cwd: Path, variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run Python code, or a file, to its end."""
        server = self._running()
        assert server.stdin is not None and server.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            out, err = (Path(folder) / name for name in ("stdout", "stderr"))
            request = {"program": str(program), "code": isinstance(program, str), "arguments": list(arguments),
                     "cwd": str(cwd), "variables": dict(variables), "stdout": str(out), "stderr": str(err)}  # fmt: skip
            server.stdin.write(json.dumps(request) + "\n")
            server.stdin.flush()
            status = int(server.stdout.readline())
            done = (out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))
        return subprocess.CompletedProcess([str(program), *arguments], status, *done)

    def _running(self) -> subprocess.Popen[str]:
        if self._server is None or self._server.poll() is not None:
            self._server = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", cwd="/",
                env=self._variables,
            )  # fmt: skip
            atexit.register(self._end)
        return self._server

    def _end(self) -> None:
        """End the process by the end of its input, so that it writes which lines its imports have executed."""
        if self._server is not None and self._server.stdin is not None:
            self._server.stdin.close()
            try:
                self._server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._server.kill()


_server = ForkServer(PRELOADED, os.environ)


def run(*arguments: object, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end.

    Args:
        arguments: arguments of ``gym-hil``.
        cwd: its working directory; None for the current one.
        variables: environment variables in addition to those of this process. As imports may depend on them, the
            command then runs in a new process.

    Returns:
        Exit status and output.
    """
    return run_program(COMMAND, *arguments, cwd=cwd, **variables)


def run_program(
    program: str | Path, *arguments: object, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run Python code, or a file, to its end; see `run`."""
    words = [str(argument) for argument in arguments]
    if variables or not sys.platform.startswith("linux"):
        command = [sys.executable, *(["-c"] if isinstance(program, str) else []), str(program), *words]
        environment = {**os.environ, **variables}
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, encoding="utf-8")
    return _server.run(program, words, cwd or Path.cwd(), os.environ)


def missing_package(program: str, error: str) -> str:
    """Return the package whose absence explains why a documented program failed, or an empty string.

    It does so only if one of the program's own imports failed, because a page says what has to be installed for its
    imports. If a package is missing later, the part of this package that the program uses needs it without saying so.

    Args:
        program: the code, which was run by `run_program`.
        error: what it wrote to the error stream.
    """
    line, package = FAILED_AT.search(error), MISSING.search(error)
    if line is None or package is None or package[1] == "gym_hil" or find_spec(package[1]) is not None:
        return ""
    failed = program.splitlines()[int(line[1]) - 1]
    return package[1] if failed.startswith(("import ", "from ")) else ""


def _serve() -> None:
    """Fork for every line of the standard input, and write the exit status of the fork."""
    import contextlib
    import importlib

    from gym_hil.simulation.gl import import_mujoco

    import_mujoco()
    for name in sys.argv[1:]:
        with contextlib.suppress(ImportError):  # the program says what is missing
            importlib.import_module(name)
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if not child:
            _run_forked(json.loads(line))
            return
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run_forked(request: dict) -> None:
    """Run a program in this process, which was forked for it."""
    import runpy
    import types

    streams = [os.open(os.devnull, os.O_RDONLY)]
    streams += [os.open(request[name], os.O_WRONLY | os.O_CREAT, 0o600) for name in ("stdout", "stderr")]
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["variables"])
    program = request["program"]
    sys.path[0] = "" if request["code"] else str(Path(program).parent)
    sys.argv = ["-c" if request["code"] else program, *request["arguments"]]
    if not request["code"]:
        runpy.run_path(program, run_name="__main__")
        return
    sys.modules["__main__"] = main = types.ModuleType("__main__")
    exec(compile(program, "<string>", "exec"), main.__dict__)


if __name__ == "__main__":
    _serve()
