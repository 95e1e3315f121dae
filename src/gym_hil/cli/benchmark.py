"""``gym-hil benchmark``: compares methods, tasks and humans according to a fixed protocol."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console

from gym_hil.cli import STOPPED
from gym_hil.cli.common import require_libraries, write_json
from gym_hil.core.errors import InvalidArgumentError


@dataclass(kw_only=True)
class Benchmark:
    """Compare learning methods with a human in the loop according to the protocol in docs/benchmark.md.

    By default, unfinished runs are executed. An interrupted command can be continued by running it again.
    """

    action: Annotated[Literal["run", "verify", "submit"], tyro.conf.Positional] = "run"
    """run: execute the runs; verify: repeat a sample of the results exactly; submit: add a row per setting of
    verified results to a leaderboard."""
    results: Annotated[Path, tyro.conf.Positional] = Path("benchmark-results")
    """Folder of the results."""
    quick: bool = False
    """Compare three methods on two tasks with one human and three seeds."""
    tasks: tuple[str, ...] = ()
    """Names of tasks, such as PickCube; by default all of the protocol."""
    methods: tuple[str, ...] = ()
    """Names of learning methods; by default those of the protocol."""
    humans: tuple[str, ...] = ()
    """Presets of simulated humans; by default those of the protocol."""
    seeds: int | None = None
    """Number of seeds; by default 5, or 3 with --quick."""
    development: bool = False
    """Use seeds for development, whose results do not count for reports."""
    robot_minutes: float | None = None
    """Shorten the runs for a trial, whose results do not count for the benchmark."""
    episodes: int | None = None
    """Use fewer evaluation episodes for a trial."""
    address: str | None = None
    """Address of a Ray cluster whose machines have gym-hil; by default the runs are processes of this machine."""
    workers: int | None = None
    """Number of runs at a time on this machine; by default one per core."""
    dry_run: bool = False
    """List the runs without starting them."""
    sample: int = 1
    """For verify: number of runs to repeat."""
    submitter: str = ""
    """For submit: name of the submitter."""
    leaderboard: Path = Path("benchmarks/leaderboard.json")
    """For submit: file to which the rows are added."""
    json: Path | None = None
    """Also write the results to this file."""

    def run(self) -> int:
        """Execute the action."""
        require_libraries()
        console = Console(soft_wrap=True, highlight=False)
        actions = {"run": self._run, "verify": self._verify, "submit": self._submit}
        return actions[self.action](console)

    def _run(self, console: Console) -> int:
        from gym_hil.cli.study import run_and_show
        from gym_hil.experiments import benchmark as protocol
        from gym_hil.learning.config import TrainConfig

        if self.seeds is not None and not 1 <= self.seeds <= 10:
            raise InvalidArgumentError(f"seeds={self.seeds} must be from 1 to 10")
        tasks = self.tasks or (protocol.QUICK_TASKS if self.quick else tuple(protocol.ROBOT_MINUTES))
        methods = self.methods or (protocol.QUICK_METHODS if self.quick else protocol.COMPARED)
        humans = self.humans or (protocol.HUMANS[:1] if self.quick else protocol.HUMANS)
        count = self.seeds or (protocol.QUICK_SEEDS if self.quick else protocol.SEEDS)
        first = protocol.FIRST_SEED["development" if self.development else "report"]
        episodes, minutes = self.episodes, self.robot_minutes

        def change(config: TrainConfig) -> TrainConfig:
            if episodes is not None:
                config = replace(config, eval_episodes=episodes, final_episodes=episodes)
            return config if minutes is None else replace(config, robot_minutes=minutes)

        study = protocol.benchmark(tasks, methods, humans, range(first, first + count), change)
        if self.dry_run:
            for run in study.runs:
                console.print(run.name)
            console.print(f"{len(study.runs)} runs, {study.robot_minutes:g} robot minutes in all.")
            return 0
        status = run_and_show(study, self.results, console, address=self.address, workers=self.workers)
        if status is None:
            return STOPPED
        results = {entry.run.name: entry.result for entry in status.ended}
        write_json(self.json, {"out": str(self.results), "runs": results, "failed": status.failed})
        return 1 if status.failed else 0

    def _verify(self, console: Console) -> int:
        from gym_hil.experiments import benchmark as protocol
        from gym_hil.experiments.leaderboard import write_verified

        if self.sample < 1:
            raise InvalidArgumentError(f"sample={self.sample} must be at least 1")
        entries, problems, deviating, repeated = protocol.read_results(self.results), {}, {}, []
        for entry in entries:
            if deviations := protocol.protocol_differences(entry):
                deviating[entry.run.name] = deviations
                console.print(f"{entry.run.name} deviates from the protocol: {'; '.join(deviations)}")
        for entry in protocol.sample_runs(entries, self.sample):
            console.print(f"Repeating {entry.run.name}, which took {entry.result['wall_s']:.0f} s ...")
            if differences := protocol.record_differences(entry, protocol.repeat(entry)):
                problems[entry.run.name] = differences
                console.print(f"{entry.run.name} was not reproduced: {'; '.join(differences)}")
            else:
                repeated.append(entry.run.name)
                console.print(f"{entry.run.name} was reproduced bit for bit.")
        facts = {"runs": len(entries), "repeated": repeated, "problems": problems, "deviations": deviating}
        write_json(self.json, facts)
        if not problems:
            write_verified(self.results, entries, repeated)
        return 1 if problems else 0

    def _submit(self, console: Console) -> int:
        from gym_hil.experiments.benchmark import read_results
        from gym_hil.experiments.leaderboard import add_rows, make_rows

        if not self.submitter.strip():
            raise InvalidArgumentError("--submitter is empty; give the name of the submitter")
        rows = make_rows(self.results, read_results(self.results), self.submitter.strip())
        add_rows(self.leaderboard, rows)
        write_json(self.json, rows)
        console.print(f"{len(rows)} rows in {self.leaderboard}. A pull request with that file submits them.")
        return 0
