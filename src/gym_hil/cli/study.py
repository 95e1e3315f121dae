"""``gym-hil study``: runs sweeps, seeds and ablations, and compares them in a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from rich.console import Console

from gym_hil.cli import STOPPED
from gym_hil.cli.common import require_libraries, state_base_id, write_json
from gym_hil.cli.progress import progress_bar
from gym_hil.core.errors import InvalidArgumentError

if TYPE_CHECKING:
    from gym_hil.experiments import study as studies
    from gym_hil.experiments.study_runs import Status


@dataclass(kw_only=True)
class CompareRuns:
    """Run every combination of a study, and compare them.

    An interrupted study can be continued by running the same command again.
    """

    file: Annotated[Path, tyro.conf.Positional]
    """Base configuration and axes, as .toml or .json; docs/studies.md describes the format."""
    out: Path | None = None
    """Folder of the results; by default "study-" and the name of the file."""
    address: str | None = None
    """Address of a Ray cluster whose machines have gym-hil; by default processes of this machine."""
    workers: int | None = None
    """Number of runs at a time on this machine; by default one per core."""
    dry_run: bool = False
    """List the runs without starting them."""
    seed: int | None = None
    """Run only this seed of the study."""
    json: Path | None = None
    """Also write the results of the runs and their location to this file."""

    def run(self) -> int:
        """Run the study, and print the table."""
        require_libraries()
        from gym_hil.experiments import study as studies

        study = studies.load_study(self.file, state_base_id)
        if self.seed is not None:
            study = study.only_seed(self.seed)
        console = Console()
        if self.dry_run:
            for run in study.runs:
                console.print(run.name, highlight=False, soft_wrap=True)
            console.print(f"{len(study.runs)} runs, {study.robot_minutes:g} robot minutes in all.")
            return 0
        out = self.out or Path(f"study-{self.file.stem}")
        status = run_and_show(study, out, console, address=self.address, workers=self.workers)
        if status is None:
            return STOPPED
        results = {entry.run.name: entry.result for entry in status.ended}
        write_json(self.json, {"out": str(out), "runs": results, "failed": status.failed})
        return 1 if status.failed else 0


def run_and_show(
    study: studies.Study, out: Path, console: Console, *, address: str | None, workers: int | None
) -> Status | None:
    """Run a study with a progress bar and a line for each finished run; return None after Ctrl-C."""
    from gym_hil.experiments.study_runs import run_study

    if workers is not None and workers < 1:
        raise InvalidArgumentError(f"workers={workers} must be at least 1")
    with progress_bar(console) as progress:
        bar = progress.add_task(f"{len(study.runs)} runs", total=1.0)

        def report(status: Status) -> None:
            left = "" if status.left_s is None else f", about {_duration(status.left_s)} left"
            count = f"{len(status.ended)} of {len(study.runs)} runs"
            progress.update(bar, completed=status.share, description=count)
            if (entry := status.latest) is not None:
                outcome = f"{entry.result['successes']} of {entry.result['episodes']} without help"
                line = f"{entry.run.name}: {outcome}, {entry.result['wall_s']:.0f} s  [{count}{left}]"
                console.print(line, highlight=False, markup=False, soft_wrap=True)

        try:
            status = run_study(study, out, address=address, workers=workers, report=report)
        except KeyboardInterrupt:
            console.print("Stopped. Run the same command again to continue; finished runs are kept.")
            return None
    for name, problem in status.failed.items():
        console.print(f"{name} failed:\n{problem}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"Table and curves: {out / 'report.html'}, {out / 'table.md'}", soft_wrap=True)
    return status


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
