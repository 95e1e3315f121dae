"""``gym-hil inspect``: shows and checks a dataset."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gym_hil.cli.common import plain_table, write_json
from gym_hil.cli.progress import progress_bar
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import GymHilError, InvalidDatasetError, MissingExtraError, RenderingError
from gym_hil.datasets.dataset import dataset_condition, journal_folder
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.episode_video import make_episode_video
from gym_hil.datasets.html_report import Entry, write_dataset_report
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.datasets.replay import describe_difference, make_replay_env, recorded_arguments
from gym_hil.datasets.validation import assess
from gym_hil.reports.page import require_libraries
from gym_hil.reports.video import REPORT_SPEC

PAGE = "inspect.html"


@dataclass(kw_only=True)
class Inspect:
    """Show the content of a dataset, and warn of demonstrations that impair learning.

    Prints a table, and writes an HTML page with plots, key frames and videos.
    """

    root: Annotated[Path, tyro.conf.Positional]
    """Folder of the dataset."""
    verify: bool = False
    """Also replay every episode, and fail unless states, observations, rewards and labels of all of them are
    bit-identical."""
    html: Path | None = None
    """File of the page; by default inspect.html in the dataset's folder."""
    page: bool = True
    """Write the page."""
    pictures: int = 20
    """Number of episodes with key frames and a video. Those with warnings come first."""
    json: Path | None = None
    """Also write the results to this file."""

    def run(self) -> int:
        """Print the table, and write the page."""
        console = Console()
        store = EpisodeStore(journal_folder(self.root))
        try:
            env = make_replay_env(
                store.env_id, render_mode="rgb_array", **recorded_arguments(store, REPORT_SPEC)
            )
        except RenderingError:
            env = make_replay_env(store.env_id, **recorded_arguments(store))
        interface = EnvironmentInterface(env)
        entries: dict[int, Entry] = {}
        condition = dataset_condition(self.root)
        damage, differences = list(condition.damage), []
        with progress_bar(console) as progress:
            description = "replaying episodes" if self.verify else "reading episodes"
            for number in progress.track(store.numbers(), description=description):
                try:
                    episode = store.read(number)
                    quality = assess(episode, interface)
                except GymHilError as error:
                    if not any(str(error) in known for known in damage):
                        damage.append(f"episode {number} cannot be used: {error}")
                    continue
                difference = describe_difference(episode, env) if self.verify else None
                if difference is not None:
                    differences.append(f"episode {number} {difference}")
                replays = difference is None if self.verify else None
                entries[number] = Entry(_without_states(episode), quality, None, replays)
        console.print(_table(entries))
        console.print(f"{len(entries)} episodes of {store.env_id}")
        notes = (*damage, *differences, *condition.notes)
        of_episodes = [
            f"episode {number}: {'; '.join(entry.quality.warnings)}"
            for number, entry in entries.items()
            if entry.quality.warnings
        ]
        for note in (*notes, *of_episodes):
            console.print(f"Warning: {note}", markup=False, soft_wrap=True)
        if self.page:
            self._write_page(entries, interface, store, notes, console)
        env.close()
        facts = {
            number: {**asdict(entry.quality), "replays": entry.replays} for number, entry in entries.items()
        }
        write_json(self.json, {"env_id": store.env_id, "episodes": facts, "warnings": notes})
        return 1 if damage or differences else 0

    def _write_page(
        self,
        entries: dict[int, Entry],
        env: EnvironmentInterface,
        store: EpisodeStore,
        notes: tuple[str, ...],
        console: Console,
    ) -> None:
        try:
            require_libraries()
        except MissingExtraError as error:
            console.print(f"The page is not written: {error}", markup=False, soft_wrap=True)
            return
        first = sorted(entries, key=lambda number: not entries[number].quality.warnings)[: self.pictures]
        with progress_bar(console) as progress:
            for number in progress.track(first, description="rendering episodes"):
                entry = entries[number]
                try:
                    film = make_episode_video(store.read(number), env)
                except (RenderingError, InvalidDatasetError) as error:
                    reason = f"Episode {number} and those after it have no images: {error}"
                    console.print(reason, markup=False, soft_wrap=True)
                    break
                entries[number] = Entry(entry.episode, entry.quality, film, entry.replays)
        path = self.html or self.root / PAGE
        layout = env.get_wrapper_attr("layout") if env.has_wrapper_attr("layout") else None
        title = f"{self.root.resolve().name}: {store.env_id}"
        write_dataset_report(path, title, entries, notes, layout=layout)
        console.print(f"Page: {path}", soft_wrap=True)


def _without_states(episode: Episode) -> Episode:
    """Return `episode` without its states, to save memory."""
    frames = {name: rows for name, rows in episode.frames.items() if name != "physics"}
    return replace(episode, frames=frames)


def _table(entries: dict[int, Entry]) -> Table:
    replays = any(entry.replays is not None for entry in entries.values())
    columns = ["episode", "steps", "success", "end", "takeovers", "changes of\ncontrol", "acting\n(s)"]
    table = plain_table(*columns, "watching\n(s)", *(["identical\nreplay"] if replays else []))
    for number, entry in entries.items():
        quality = entry.quality
        table.add_row(
            str(number),
            str(quality.length),
            _yes(quality.success),
            escape(quality.end.replace("_", " ")),
            str(quality.interventions),
            str(quality.switches),
            f"{quality.intervened_s:.1f}",
            f"{quality.watched_s:.1f}",
            *([_yes(bool(entry.replays))] if replays else []),
        )
    return table


def _yes(value: bool) -> str:
    return "[green]yes[/]" if value else "[red]no[/]"
