"""``gym-hil humans``: simulated humans, fitted to recorded sessions of people and shown at work."""

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
from gym_hil.datasets.dataset import journal_of
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.journal import EpisodeStore


@dataclass(kw_only=True)
class FitHuman:
    """Fit a simulated human to recorded sessions in which a person drove alone, and say how well it fits.

    Every second episode is held out: distances are printed for those that were fitted to and for those that were not.
    """

    datasets: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Folders that `gym-hil record` wrote, of one environment and one device."""
    candidates: int = 40
    """How many limits are tried, the presets among them."""
    seed: int = 0
    """Seed of the search."""
    json: Path | None = None
    """Write limits, distances and the numbers of values to this file as well."""

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

            found = fit(env_id, episodes, candidates=self.candidates, seed=self.seed, report=report)
        table = Table("limit", "fitted")
        for name in found.fitted:
            table.add_row(name, f"{getattr(found.limits, name):.3g}")
        console.print(table)
        table = Table("measure", "recorded", "simulated", "KS, fitted to", "KS, held out", "values")
        for measure in MEASURES:
            recorded, simulated = found.recorded[measure.name], found.simulated[measure.name]
            table.add_row(
                f"{measure.name} ({measure.unit})",
                _median(recorded),
                _median(simulated),
                f"{found.trained[measure.name]:.2f}",
                f"{found.held_out[measure.name]:.2f}",
                f"{len(recorded)} and {len(simulated)}",
            )
        console.print(table)
        console.print(
            f"{len(episodes)} episodes of {env_id}, {found.tried} limits tried. Recorded and simulated are medians of "
            "the episodes that were held out; KS is the Kolmogorov-Smirnov distance, 0 for alike and 1 for disjoint."
        )
        for measure in MEASURES:
            console.print(f"  {measure.name}: {measure.says}", highlight=False)
        facts = {
            "env_id": env_id,
            "episodes": len(episodes),
            "candidates": found.tried,
            "limits": {name: getattr(found.limits, name) for name in found.fitted},
            "trained": found.trained,
            "held_out": found.held_out,
        }
        write_json(self.json, facts)
        return 0


@dataclass(kw_only=True)
class ShowHuman:
    """Draw sessions of a simulated human: one page with who acts when, what is commanded, key frames and videos."""

    preset: Annotated[Preset, tyro.conf.Positional]
    """Who it is."""
    operator: OperatorName = "simulated-keyboard"
    """What the human holds."""
    task: str = "PandaPickCube-v1"
    """Environment id, with or without "gym_hil/"."""
    policy: str = "zero"
    """What the human watches; zero for nothing, so that it drives alone."""
    episodes: int = 2
    """Number of episodes."""
    seed: int = 1000
    """Seed of the first one."""
    out: Path | None = None
    """Where the page goes; without it to human-PRESET.html."""

    def run(self) -> int:
        """Record into a folder that is thrown away, and write the page."""
        from gym_hil.intervention.named import SIMULATED

        if self.operator not in SIMULATED:
            raise InvalidArgumentError(
                f"operator={self.operator!r} is no simulated human; there are {', '.join(SIMULATED)}"
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
    """Simulated humans: fit them to recorded sessions of people, or look at one."""

    command: Annotated[
        Annotated[FitHuman, tyro.conf.subcommand("fit", prefix_name=False)]
        | Annotated[ShowHuman, tyro.conf.subcommand("show", prefix_name=False)],
        tyro.conf.OmitArgPrefixes,
    ]
    """What to do."""

    def run(self) -> int:
        """Run the command that was chosen."""
        return self.command.run()


def _episodes(roots: Sequence[Path]) -> tuple[str, list[Episode]]:
    """Return the environment that datasets were recorded in, and their episodes.

    Raises:
        InvalidDatasetError: they are of different environments.
    """
    stores = [EpisodeStore(journal_of(root)) for root in roots]
    ids = sorted({store.env_id for store in stores})
    if len(ids) != 1:
        raise InvalidDatasetError(
            f"the datasets are of {', '.join(ids) or 'nothing'}; give those of one environment"
        )
    return ids[0], [store.read(number) for store in stores for number in store.numbers()]


def _median(values: np.ndarray) -> str:
    return f"{np.median(values):.2f}" if len(values) else "-"
