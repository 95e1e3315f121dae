"""Processes that execute the runs of a study on this machine, or by Ray on a cluster."""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import shutil
import tempfile
import traceback
import zipfile
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

from gym_hil.core.errors import InvalidArgumentError, MissingExtraError
from gym_hil.core.files import make_folder, remove, replacing, write_atomically
from gym_hil.experiments.run_record import RECORD, make_record
from gym_hil.experiments.study import StudyRun
from gym_hil.learning.config import TrainConfig

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
"""Environment variables that limit each run to one thread, because runs with more threads than cores are
slower."""


class Workers(Protocol):
    """Execute runs, each on one core.

    Attributes:
        steps: number of control steps so far, by the name of the run.
    """

    steps: dict[str, int]

    def wait_for_runs(self, timeout_s: float) -> list[tuple[str, str | None]]:
        """Wait until runs have finished, or for `timeout_s` seconds.

        Returns:
            The name of each finished run, and its error message or None. Its results are then in the folder of that
            name.
        """

    def close(self) -> None:
        """Stop all processes."""


def train_run(
    axis_values: dict[str, str], config: TrainConfig, folder: Path, report: Callable[[int], None]
) -> None:
    """Execute or continue a run in this process, and write its record.

    Args:
        axis_values: the run's value on every axis of its study.
        config: its configuration.
        folder: folder of the results. Files that are only needed to continue the run are removed at its end.
        report: called with the number of control steps so far.
    """
    from gym_hil.learning.async_learner import InProcessLearner
    from gym_hil.learning.policy_file import CHECKPOINT
    from gym_hil.learning.run import EPISODES, TrainingRun
    from gym_hil.learning.run_folder import open_folder

    try:
        lock = open_folder(config, folder, resume=True)
    except InvalidArgumentError:  # the folder belongs to another run with the same name
        shutil.rmtree(folder)
        lock = open_folder(config, folder, resume=False)
    try:
        run = TrainingRun(config, folder, lambda status: report(status.steps), InProcessLearner)
        try:
            run.finish()
        finally:
            run.close()
        text = json.dumps(make_record(axis_values, config, folder), indent=1)
        write_atomically(folder / RECORD, text + "\n")
        for name in (EPISODES, CHECKPOINT):
            remove(folder / name)
    finally:
        lock.release()


class LocalWorkers:
    """Processes of this machine. An interrupted run continues.

    Args:
        runs: the runs, in order.
        folder: each run uses the folder of its name in this folder.
        count: number of runs at a time.
    """

    def __init__(self, runs: Sequence[StudyRun], folder: Path, count: int) -> None:
        self.steps: dict[str, int] = {}
        self._waiting, self._folder, self._count = list(runs), folder, count
        self._running: dict[Connection, tuple[str, Any]] = {}
        make_folder(folder)
        os.environ.update(THREADS)  # for the processes that are started from here on

    def wait_for_runs(self, timeout_s: float) -> list[tuple[str, str | None]]:
        """Start runs on free cores, and wait until runs have finished."""
        while self._waiting and len(self._running) < self._count:
            self._start(self._waiting.pop(0))
        outcomes: list[tuple[str, str | None]] = []
        for connection in wait(list(self._running), timeout_s):
            assert isinstance(connection, Connection)
            name, process = self._running[connection]
            try:
                message = connection.recv()
            except EOFError:
                process.join()
                message = f"its process ended with status {process.exitcode}"
            if isinstance(message, int):
                self.steps[name] = message
                continue
            del self._running[connection]
            process.join()
            outcomes.append((name, message))
        return outcomes

    def close(self) -> None:
        """Stop all processes."""
        for _, process in self._running.values():
            process.kill()
            process.join()

    def _start(self, run: StudyRun) -> None:
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        arguments = (sender, dict(run.axis_values), run.config, self._folder / run.name)
        process = context.Process(target=_work, args=arguments, name=f"gym-hil {run.name}", daemon=True)
        process.start()
        sender.close()
        self._running[receiver] = run.name, process


def _work(connection: Connection, axis_values: dict[str, str], config: TrainConfig, folder: Path) -> None:
    """Execute a run, and report to the parent process. The process ends with its parent."""
    problem = None
    try:
        train_run(axis_values, config, folder, connection.send)
    except (KeyboardInterrupt, BrokenPipeError):
        return
    except Exception:
        problem = traceback.format_exc()
    with contextlib.suppress(BrokenPipeError):
        connection.send(problem)


class RayWorkers:
    """The cores of a Ray cluster. Results are transferred over the network, so that no shared disk is needed.
    An interrupted run starts again.

    Args:
        runs: the runs.
        folder: the results of each run are unpacked into the folder of its name in this folder.
        address: address of the cluster, whose machines have gym-hil.

    Raises:
        MissingExtraError: Ray is not installed.
    """

    def __init__(self, runs: Sequence[StudyRun], folder: Path, address: str) -> None:
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError("ray", "ray", "A study on a cluster") from error
        self._ray, self._folder = ray, folder
        make_folder(folder)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(
            address=address, log_to_driver=False, logging_level="error", runtime_env={"env_vars": THREADS}
        )
        self._progress = ray.remote(num_cpus=0)(_Progress).remote()
        task = ray.remote(num_cpus=1, max_retries=2)(_train_and_pack)
        self._running = {
            task.remote(run.name, dict(run.axis_values), run.config.as_dict(), self._progress): run.name
            for run in runs
        }
        self.steps: dict[str, int] = {}

    def wait_for_runs(self, timeout_s: float) -> list[tuple[str, str | None]]:
        """Wait until runs have finished."""
        done, _ = self._ray.wait(list(self._running), timeout=timeout_s)
        self.steps = self._ray.get(self._progress.read.remote())
        outcomes: list[tuple[str, str | None]] = []
        for reference in done:
            name = self._running.pop(reference)
            try:
                _unpack(self._ray.get(reference), self._folder / name)
            except self._ray.exceptions.RayError as error:
                outcomes.append((name, str(error)))
            else:
                outcomes.append((name, None))
        return outcomes

    def close(self) -> None:
        """Disconnect from the cluster."""
        self._ray.shutdown()


class _Progress:
    """Collects the progress of all runs in a separate process. Runs do not wait for it, because Ray would
    then start another run on their core.
    """

    def __init__(self) -> None:
        self._steps: dict[str, int] = {}

    def report(self, name: str, steps: int) -> None:
        """Store the progress of a run."""
        self._steps[name] = steps

    def read(self) -> dict[str, int]:
        """Return the number of control steps by the name of the run."""
        return self._steps


def _train_and_pack(name: str, axis_values: dict[str, str], config: dict[str, Any], progress: Any) -> bytes:
    """Execute a run on a machine of the cluster, and return its results as a zip file."""
    with tempfile.TemporaryDirectory() as folder:
        train_run(
            axis_values,
            TrainConfig(**config),
            Path(folder),
            lambda steps: progress.report.remote(name, steps),
        )
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(Path(folder).rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(folder))
        return packed.getvalue()


def _unpack(packed: bytes, folder: Path) -> None:
    remove(folder)
    with replacing(folder) as unpacked, zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(unpacked)
