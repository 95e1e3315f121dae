"""``gym-hil humans``: fits simulated humans to recorded sessions of people, and shows them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from gym_hil.cli.common import write_json
from gym_hil.cli.inspect_command import Inspect
from gym_hil.cli.option_types import OperatorName, Preset
from gym_hil.cli.progress import progress_bar
from gym_hil.cli.record import Record
from gym_hil.core.errors import InvalidArgumentError, InvalidDatasetError, MissingExtraError
from gym_hil.datasets.dataset import journal_folder
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.journal import EpisodeStore


@dataclass(kw_only=True)
class FitHuman:
    """Fit a simulated human to recorded episodes in which a person drove, and report the remaining
    differences.

    Every second episode is held out. Distances are printed for both halves.
    """

    datasets: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Folders written by `gym-hil record`, with the same environment and the same device."""
    candidates: int = 40
    """Number of sets of limits to try, including the presets."""
    seed: int = 0
    """Seed of the search."""
    json: Path | None = None
    """Also write limits, distances and numbers of values to this file."""

    def run(self) -> int:
        """Fit, and print two tables."""
        try:
            import scipy  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("scipy", "humans", "Comparing distributions") from error
        from gym_hil.experiments.human_behaviour import MEASURES
        from gym_hil.experiments.human_fit import fit

        console = Console()
        env_id, episodes = _episodes(self.datasets)
        with progress_bar(console) as progress:
            bar = progress.add_task("fitting", total=self.candidates)

            def report(tried: int, least: float) -> None:
                progress.update(bar, completed=tried, description=f"fitting, mean distance {least:.2f}")

            result = fit(env_id, episodes, candidates=self.candidates, seed=self.seed, report=report)
        table = Table("limit", "fitted")
        for name in result.fitted:
            table.add_row(name, f"{getattr(result.limits, name):.3g}")
        console.print(table)
        table = Table("measure", "recorded", "simulated", "KS, fitted to", "KS, held out", "values")
        for measure in MEASURES:
            recorded, simulated = result.recorded[measure.name], result.simulated[measure.name]
            table.add_row(
                f"{measure.name} ({measure.unit})",
                _median(recorded),
                _median(simulated),
                f"{result.trained[measure.name]:.2f}",
                f"{result.held_out[measure.name]:.2f}",
                f"{len(recorded)} and {len(simulated)}",
            )
        console.print(table)
        console.print(
            f"{len(episodes)} episodes of {env_id}, {result.tried} sets of limits tried. Recorded and simulated are "
            "medians of the held-out episodes; KS is the Kolmogorov-Smirnov distance, 0 for equal and 1 for disjoint."
        )
        for measure in MEASURES:
            console.print(f"  {measure.name}: {measure.description}", highlight=False)
        facts = {
            "env_id": env_id,
            "episodes": len(episodes),
            "candidates": result.tried,
            "limits": {name: getattr(result.limits, name) for name in result.fitted},
            "trained": result.trained,
            "held_out": result.held_out,
        }
        write_json(self.json, facts)
        return 0


@dataclass(kw_only=True)
class ShowHuman:
    """Record episodes of a simulated human, and write a page with the acting agent, the commands, key frames
    and videos.
    """

    preset: Annotated[Preset, tyro.conf.Positional]
    """The simulated human."""
    operator: OperatorName = "simulated-keyboard"
    """The device of the simulated human."""
    task: str = "PandaPickCube-v1"
    """Environment id, with or without "gym_hil/"."""
    policy: str = "zero"
    """The policy that the human watches; with "zero" the human drives from the start."""
    episodes: int = 2
    """Number of episodes."""
    seed: int = 1000
    """Seed of the first episode."""
    out: Path | None = None
    """The page; human-PRESET.html by default."""

    def run(self) -> int:
        """Record into a temporary folder, and write the page."""
        from gym_hil.intervention.named import SIMULATED

        if self.operator not in SIMULATED:
            raise InvalidArgumentError(
                f"operator={self.operator!r} is not a simulated human; valid: {', '.join(SIMULATED)}"
            )
        out = self.out or Path(f"human-{self.preset}.html")
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / f"{self.preset}, {self.operator}"
            record = Record(
                task=self.task,
                operator=self.operator,
                preset=self.preset,
                policy=self.policy,
                episodes=self.episodes,
                seed=self.seed,
                root=root,
            )
            return record.run() or Inspect(root=root, html=out).run()


@dataclass(kw_only=True)
class Humans:
    """Fit simulated humans to recorded sessions of people, or show one."""

    command: Annotated[
        Annotated[FitHuman, tyro.conf.subcommand("fit", prefix_name=False)]
        | Annotated[ShowHuman, tyro.conf.subcommand("show", prefix_name=False)],
        tyro.conf.OmitArgPrefixes,
    ]
    """The command to run."""

    def run(self) -> int:
        """Run the command."""
        return self.command.run()


def _episodes(roots: Sequence[Path]) -> tuple[str, list[Episode]]:
    """Return the environment and the episodes of datasets.

    Raises:
        InvalidDatasetError: the datasets are from different environments.
    """
    stores = [EpisodeStore(journal_folder(root)) for root in roots]
    ids = sorted({store.env_id for store in stores})
    if len(ids) != 1:
        raise InvalidDatasetError(
            f"the datasets must be from one environment, not from {', '.join(ids) or 'none'}"
        )
    return ids[0], [store.read(number) for store in stores for number in store.numbers()]


def _median(values: np.ndarray) -> str:
    return f"{np.median(values):.2f}" if len(values) else "-"
