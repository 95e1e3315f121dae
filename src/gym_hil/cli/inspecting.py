"""``gym-hil inspect``: what is in a dataset, and what is wrong with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.table import Table

from gym_hil.cli.common import write_json
from gym_hil.recording.dataset import journal_of
from gym_hil.recording.quality import Quality, judge
from gym_hil.recording.store import EpisodeStore


@dataclass(kw_only=True)
class Inspect:
    """Say what is in a folder of episodes, and warn of demonstrations that would mislead a learner."""

    root: Annotated[Path, tyro.conf.Positional]
    """Folder that `gym-hil record` wrote."""
    seed: int = 0
    """Changes nothing here; every command takes it."""
    json: Path | None = None
    """Write the facts to this file as well."""

    def run(self) -> int:
        """Print the table."""
        store = EpisodeStore(journal_of(self.root))
        facts = {number: judge(store.read(number)) for number in store.numbers()}
        Console().print(_table(facts))
        Console().print(f"{len(facts)} episodes of {store.env_id}")
        write_json(self.json, {"env_id": store.env_id, "episodes": {n: asdict(q) for n, q in facts.items()}})
        return 0


def _table(facts: dict[int, Quality]) -> Table:
    table = Table("episode", "steps", "success", "end", "takeovers", "by a human", "warnings")
    for number, quality in facts.items():
        table.add_row(
            str(number),
            str(quality.length),
            "[green]yes[/]" if quality.success else "[red]no[/]",
            quality.end,
            str(quality.interventions),
            f"{quality.intervened_share:.0%}",
            "; ".join(quality.warnings),
        )
    return table
