"""The runs of a study, side by side through Ray: on this machine, or on the cluster at an address."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gym_hil.core.errors import InvalidArgumentError, MissingExtraError
from gym_hil.core.files import replacing
from gym_hil.datasets.dataset import require_no_dataset
from gym_hil.experiments.study import Run, Study
from gym_hil.experiments.study_report import Finished, read_run, write_study_report
from gym_hil.learning.config import TrainConfig

RUNS = "runs"
CONFIG, RESULT = "config.json", "result.json"
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
"""A run has one core; more threads than cores make all runs slower."""


@dataclass(frozen=True)
class Status:
    """Where a study stands."""

    ended: list[Finished]
    failed: dict[str, str]
    """What went wrong, by the run's name."""
    share: float
    """Of all control steps of all runs, in [0, 1]; runs under way included."""
    spent_s: float
    """Seconds since the study was started or continued."""
    left_s: float | None
    """Estimate of what is left; None before anything has happened."""
    latest: Finished | None
    """The run that ended just now."""


def run_study(
    study: Study,
    out: Path,
    *,
    address: str | None = None,
    workers: int | None = None,
    report: Callable[[Status], None] = lambda status: None,
) -> Status:
    """Run what has not been run yet, each run on one core, and keep the report in `out` up to date.

    Args:
        study: the runs.
        out: every ended run has a folder in ``out/runs``; one that was stopped leaves nothing.
        address: of a Ray cluster whose machines have gym-hil; None for this machine.
        workers: how many at a time on this machine; None for one per core.
        report: hears where the study stands, every second or so.

    Raises:
        InvalidArgumentError: `out` has a run of the same name with another configuration, or a dataset.
        MissingExtraError: Ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("ray", "ray", "A study") from error
    require_no_dataset(out)
    ended = {run.name: read_run(run, out / RUNS / run.name) for run in study.runs if _has_ended(run, out)}
    todo = [run for run in study.runs if run.name not in ended]
    (out / RUNS).mkdir(parents=True, exist_ok=True)
    board = _Board(study, out, ended, report)
    if not todo:
        return board.update(None)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(
        address=address or "local",
        num_cpus=None if address else workers,
        include_dashboard=None if address else False,
        log_to_driver=False,
        logging_level="error",
        runtime_env={"env_vars": THREADS},
    )
    try:
        heard = ray.remote(num_cpus=0)(_Heard).remote()
        task = ray.remote(num_cpus=1, max_retries=2)(_train)
        under_way = {task.remote(run.name, asdict(run.config), heard): run for run in todo}
        while under_way:
            done, _ = ray.wait(list(under_way), timeout=1.0)
            board.steps = ray.get(heard.read.remote())
            for reference in done:
                run = under_way.pop(reference)
                try:
                    _unpack(ray.get(reference), out / RUNS / run.name)
                except ray.exceptions.RayError as error:
                    board.failed[run.name] = str(error)
                    board.update(None)
                else:
                    board.update(read_run(run, out / RUNS / run.name))
            if not done:
                board.update(None)
        return board.update(None)
    finally:
        ray.shutdown()


class _Board:
    """Knows where the study stands."""

    def __init__(
        self, study: Study, out: Path, ended: dict[str, Finished], report: Callable[[Status], None]
    ) -> None:
        self.steps: dict[str, int] = {}
        self.failed: dict[str, str] = {}
        self._study, self._out, self._ended, self._report = study, out, ended, report
        self._start, self._before = time.perf_counter(), self._share()
        write_study_report(study, list(ended.values()), out)

    def update(self, latest: Finished | None) -> Status:
        """Tell where the study stands."""
        if latest is not None:
            self._ended[latest.run.name] = latest
            in_order = [self._ended[run.name] for run in self._study.runs if run.name in self._ended]
            write_study_report(self._study, in_order, self._out)
        share, spent = self._share(), time.perf_counter() - self._start
        gained = share - self._before
        left = spent / gained * (1.0 - share) if gained > 0 else None
        status = Status(list(self._ended.values()), self.failed, share, spent, left, latest)
        self._report(status)
        return status

    def _share(self) -> float:
        """Count steps; what has failed is over as well."""
        total = {run.name: run.config.total_steps for run in self._study.runs}
        over = {*self._ended, *self.failed}
        steps = (total[name] if name in over else min(self.steps.get(name, 0), total[name]) for name in total)
        return sum(steps) / sum(total.values())


def _has_ended(run: Run, out: Path) -> bool:
    folder = out / RUNS / run.name
    if not (folder / RESULT).is_file():
        return False
    before, now = asdict(TrainConfig.load(folder / CONFIG)), asdict(run.config)
    differing = [f"{name}={before[name]!r}, not {now[name]!r}" for name in now if before[name] != now[name]]
    if differing:
        raise InvalidArgumentError(
            f"{folder} was run with {'; '.join(differing)}. Give another folder, or delete that one"
        )
    return True


class _Heard:
    """How far each run is, in a process of its own. Whoever tells does not wait: Ray would take its core for
    idle, and start another run on it.
    """

    def __init__(self) -> None:
        self._steps: dict[str, int] = {}

    def tell(self, name: str, steps: int) -> None:
        """Hear of a run."""
        self._steps[name] = steps

    def read(self) -> dict[str, int]:
        """Return control steps by the run's name."""
        return self._steps


def _train(name: str, config: dict[str, Any], heard: Any) -> bytes:
    """Run in a worker: train, and return what it wrote, episodes aside, as a zip file."""
    from gym_hil.learning.async_learner import InProcessLearner
    from gym_hil.learning.run import EPISODES, Run, open_folder

    with tempfile.TemporaryDirectory() as name_of_folder:
        folder, settings = Path(name_of_folder), TrainConfig(**config)
        open_folder(settings, folder, resume=False)
        run = Run(settings, folder, lambda status: heard.tell.remote(name, status.steps), InProcessLearner)
        try:
            run.finish()
        finally:
            run.close()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and EPISODES not in path.parts:
                    archive.write(path, path.relative_to(folder))
        return packed.getvalue()


def _unpack(packed: bytes, folder: Path) -> None:
    """Make `folder` in one step, so that a folder that is there is whole."""
    shutil.rmtree(folder, ignore_errors=True)
    with replacing(folder) as unpacked, zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(unpacked)
