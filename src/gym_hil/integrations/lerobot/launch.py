"""Run LeRobot's recorder, learner and actor: start them in order, follow them, and stop them together."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gym_hil.core.errors import GymHilError
from gym_hil.integrations.lerobot.compatibility import EPISODES_FILE, EpisodeSummary
from gym_hil.integrations.lerobot.configs import PROGRAMS, Plan, write_configs

QUIET = {"OMP_NUM_THREADS": "1", "TORCHDYNAMO_DISABLE": "1", "HF_HUB_OFFLINE": "1"}
"""Environment variables of the programs: one OpenMP thread each, no compilation (it takes a minute), and no access
to the Hugging Face hub."""
START_S = 600.0
"""Longest time until the learner listens on its port (s)."""
STOP_S = 60.0
"""Time that a program has to end after SIGTERM before it is killed (s)."""
TAIL = 15
"""Number of log lines that are shown when a program failed."""


class LerobotError(GymHilError, RuntimeError):
    """One of LeRobot's programs failed, or LeRobot is not installed."""


@dataclass(frozen=True)
class LerobotEpisode(EpisodeSummary):
    """A finished episode of one of the programs.

    Attributes:
        program: the name of the program, a key of `PROGRAMS`.
    """

    program: str


def learn_with_lerobot(
    plan: Plan,
    out: Path,
    report: Callable[[str], None] = lambda line: None,
    ended: Callable[[LerobotEpisode], None] = lambda episode: None,
) -> None:
    """Record demonstrations, then run LeRobot's learner and actor until the actor has executed its steps.

    The demonstrations are recorded into ``out/dataset``, unless it contains them already. Each program writes a
    log ``out/NAME.log``, its episodes ``out/NAME.episodes.jsonl`` and its results ``out/NAME``. The programs are
    stopped when this function returns or raises, Ctrl-C included, by SIGTERM, so that the learner closes its
    datasets.

    Args:
        plan: the settings of the run.
        out: folder of all files.
        report: called with a line of text at the start of each stage.
        ended: called with every finished episode.

    Raises:
        LerobotError: LeRobot is not installed, another program listens on the plan's port, or one of the
            programs failed; the message then contains the end of its log.
    """
    if importlib.util.find_spec("lerobot") is None or importlib.util.find_spec("grpc") is None:
        raise LerobotError("LeRobot's learner needs Python 3.12: pip install 'lerobot[hilserl]>=0.6,<0.7'")
    files = write_configs(plan, out)
    if not _are_recorded(plan, out / "dataset"):
        report(f"recording {plan.episodes} demonstrations")
        with _running("record", files, out) as recorder:
            while recorder.follow(ended):
                pass
            recorder.require_success()
    if _is_listening(plan.port):
        raise LerobotError(f"another program listens on port {plan.port}; choose another port")
    report("starting the learner")
    with _running("learner", files, out) as learner:
        learner.wait_for_port(plan.port)
        report(f"starting the actor: {plan.steps} control steps")
        with _running("actor", files, out) as actor:
            while actor.follow(ended):
                if not learner.is_running():
                    raise LerobotError(f"the learner ended before the actor:\n{learner.tail()}")
            actor.require_success()
        report("the actor is done; closing the learner")


def _are_recorded(plan: Plan, dataset: Path) -> bool:
    """Return whether all demonstrations are recorded.

    Raises:
        LerobotError: the dataset exists but is not complete.
    """
    if not dataset.exists():
        return False
    try:
        recorded = json.loads((dataset / "meta" / "info.json").read_text(encoding="utf-8"))["total_episodes"]
    except (OSError, ValueError, KeyError, TypeError):
        recorded = 0
    if recorded < plan.episodes:
        raise LerobotError(
            f"{dataset} contains {recorded} of {plan.episodes} demonstrations; delete it or choose another folder"
        )
    return True


@contextmanager
def _running(name: str, files: dict[str, Path], out: Path) -> Iterator[_Program]:
    program = _Program(name, files[name], out / f"{name}.log")
    try:
        yield program
    finally:
        program.stop()


def _is_listening(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


class _Program:
    """One of LeRobot's programs, with its log and the file of its episodes."""

    def __init__(self, name: str, config: Path, log: Path) -> None:
        self.name = name
        self._log = log
        self._episodes = log.with_suffix(".episodes.jsonl")
        self._episodes.write_bytes(b"")
        self._read = 0
        command = [sys.executable, "-m", f"lerobot.rl.{PROGRAMS[name]}", "--config_path", str(config)]
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **QUIET, EPISODES_FILE: str(self._episodes.resolve())},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches only the launcher, which stops the programs in order
            )

    def is_running(self) -> bool:
        """Wait for up to 0.5 s, and return whether the program runs."""
        try:
            self._process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            return True
        return False

    def follow(self, ended: Callable[[LerobotEpisode], None]) -> bool:
        """Wait for up to 0.5 s, report the episodes that have ended, and return whether the program runs."""
        running = self.is_running()
        self._report_episodes(ended)
        return running

    def _report_episodes(self, ended: Callable[[LerobotEpisode], None]) -> None:
        with self._episodes.open("rb") as file:
            file.seek(self._read)
            fresh = file.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            ended(LerobotEpisode(program=self.name, **json.loads(line)))

    def wait_for_port(self, port: int) -> None:
        """Wait until the program listens on `port`."""
        deadline = time.monotonic() + START_S
        while self.is_running():
            if _is_listening(port):
                return
            if time.monotonic() > deadline:
                raise LerobotError(f"the {self.name} does not listen on port {port}:\n{self.tail()}")
        raise LerobotError(f"the {self.name} failed:\n{self.tail()}")

    def require_success(self) -> None:
        """Raise `LerobotError` unless the program ended with status 0."""
        if self._process.returncode != 0:
            raise LerobotError(
                f"the {self.name} ended with status {self._process.returncode}; its log is {self._log}:\n"
                f"{self.tail()}"
            )

    def tail(self) -> str:
        """Return the end of the log."""
        return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:])

    def stop(self) -> None:
        """Stop the program by SIGTERM, or kill it and its children if it does not end within `STOP_S`."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
