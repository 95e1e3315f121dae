"""Executes the unfinished runs of a study, and updates its report."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.files import make_folder, remove, write_atomically
from gym_hil.datasets.dataset import require_no_dataset
from gym_hil.experiments.run_record import RECORD, read_record
from gym_hil.experiments.study import Study, StudyRun
from gym_hil.experiments.study_report import FinishedRun, write_study_report
from gym_hil.experiments.workers import LocalWorkers, RayWorkers, Workers
from gym_hil.stacks.vector import cores

RECORDS, RUNS, UNFINISHED = "records", "runs", "unfinished"
"""Folders of a study: records of finished runs, folders of finished runs with curve, policy and report, and
folders of unfinished runs."""


@dataclass(frozen=True)
class Status:
    """Status of a study."""

    ended: list[FinishedRun]
    failed: dict[str, str]
    """Error message by the name of the run."""
    share: float
    """Completed fraction of all control steps, in [0, 1], including running runs."""
    spent_s: float
    """Time since the study was started or continued (s)."""
    left_s: float | None
    """Estimated remaining time (s); None at the beginning."""
    latest: FinishedRun | None
    """The run that has just finished."""


def run_study(
    study: Study,
    out: Path,
    *,
    address: str | None = None,
    workers: int | None = None,
    report: Callable[[Status], None] = lambda status: None,
) -> Status:
    """Execute the unfinished runs, each on one core, and update the report.

    Args:
        study: the study.
        out: folder of the results. Every finished run has a record in ``out/records`` and a folder in
            ``out/runs``. On this machine, an interrupted run continues; on a cluster, it starts again.
        address: address of a Ray cluster whose machines have gym-hil; None for processes of this machine.
        workers: number of runs at a time on this machine; None for one per core.
        report: called with the status about once per second.

    Raises:
        InvalidArgumentError: `out` contains a run of the same name with another configuration, or a dataset.
        MissingExtraError: Ray is not installed.
    """
    require_no_dataset(out)
    ended = {run.name: entry for run in study.runs if (entry := _ended_before(run, out)) is not None}
    todo = [run for run in study.runs if run.name not in ended]
    for folder in (out, out / RECORDS, out / RUNS):
        make_folder(folder)
    reporter = _StatusReporter(study, out, ended, report)
    if not todo:
        return reporter.update(None)
    unfinished = out / UNFINISHED
    working: Workers = (
        RayWorkers(todo, unfinished, address)
        if address
        else LocalWorkers(todo, unfinished, workers or cores())
    )
    left = {run.name: run for run in todo}
    try:
        while left:
            outcomes = working.wait_for_runs(1.0)
            reporter.steps = working.steps
            for name, problem in outcomes:
                run = left.pop(name)
                if problem is not None:
                    reporter.failed[name] = problem
                    reporter.update(None)
                else:
                    reporter.update(_keep(run, unfinished / name, out))
            if not outcomes:
                reporter.update(None)
        return reporter.update(None)
    finally:
        working.close()


class _StatusReporter:
    """Computes and reports the status of a study."""

    def __init__(
        self, study: Study, out: Path, ended: dict[str, FinishedRun], report: Callable[[Status], None]
    ) -> None:
        self.steps: dict[str, int] = {}
        self.failed: dict[str, str] = {}
        self._study, self._out, self._ended, self._report = study, out, ended, report
        self._start, self._before = time.perf_counter(), self._share()
        write_study_report(study, list(ended.values()), out)

    def update(self, latest: FinishedRun | None) -> Status:
        """Report the status."""
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
        """Return the completed fraction of steps; failed runs count as completed."""
        total = {run.name: run.config.total_steps for run in self._study.runs}
        finished_names = {*self._ended, *self.failed}
        steps = (
            total[name] if name in finished_names else min(self.steps.get(name, 0), total[name])
            for name in total
        )
        return sum(steps) / sum(total.values())


def _ended_before(run: StudyRun, out: Path) -> FinishedRun | None:
    """Return the run if `out` contains its record."""
    path = out / RECORDS / f"{run.name}.json"
    if not path.is_file():
        return None
    record, config = read_record(path)
    before, now = asdict(config), asdict(run.config)
    differing = [f"{name}={before[name]!r}, not {now[name]!r}" for name in now if before[name] != now[name]]
    if differing:
        raise InvalidArgumentError(
            f"{path} is of a run with {'; '.join(differing)}. Give another folder, or delete that file"
        )
    return FinishedRun(run, record)


def _keep(run: StudyRun, folder: Path, out: Path) -> FinishedRun:
    """Store the results of a run from `folder`, with a report whose commands name its new folder. The record is
    written last, so that runs with a record are complete.
    """
    from gym_hil.learning.report import write_report

    text = (folder / RECORD).read_bytes()
    kept = out / RUNS / run.name
    remove(kept)
    os.replace(folder, kept)
    write_report(kept)
    path = out / RECORDS / f"{run.name}.json"
    write_atomically(path, text)
    return FinishedRun(run, read_record(path)[0])
