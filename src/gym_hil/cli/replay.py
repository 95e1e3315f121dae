"""``gym-hil replay``: replays recorded episodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import gymnasium as gym
import numpy as np
import tyro
from rich.console import Console

from gym_hil.cli.common import write_json
from gym_hil.cli.progress import progress_bar
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.datasets.dataset import journal_folder
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.datasets.replay import describe_difference, make_replay_env, recorded_arguments, replayed
from gym_hil.reports.video import VIDEO_SPEC, open_video, render_image, with_banner
from gym_hil.simulation.gl import has_display


@dataclass(kw_only=True)
class Replay:
    """Replay recorded episodes from their stored initial states and executed actions.

    Without `--verify` and `--video`, they are shown in a window in real time if there is a display.
    """

    root: Annotated[Path, tyro.conf.Positional]
    """Folder of the dataset."""
    episode: int | None = None
    """Number of the episode; by default all episodes."""
    verify: bool = False
    """Fail unless states, observations, rewards and labels are bit-identical, and report the first
    difference."""
    video: Path | None = None
    """Write a video (.mp4) of higher quality than the recorded images, with a banner that shows who acts."""
    json: Path | None = None
    """Also write the differences to this file."""

    def run(self) -> int:
        """Replay the episodes."""
        console = Console()
        store = EpisodeStore(journal_folder(self.root))
        numbers = store.numbers() if self.episode is None else [self.episode]
        if not numbers:
            raise InvalidArgumentError(f"{self.root} has no episodes")
        env = self._make(store)
        damaged = {} if self.episode is not None else store.damage()
        for number, damage in damaged.items():
            console.print(f"episode {number} is damaged: {damage}", markup=False, soft_wrap=True)
        numbers = [number for number in numbers if number not in damaged]
        differences: dict[int, str | None] = dict(damaged)
        try:
            with progress_bar(console) as progress:
                if self.verify:
                    for number in progress.track(numbers, description="replaying episodes"):
                        differences[number] = _verify(number, store.read(number), env, console)
                if self.video is not None and numbers:
                    self._write_video(store, progress.track(numbers, description="rendering episodes"), env)
                    console.print(f"Video: {self.video}")
                if not self.verify and self.video is None:
                    for number in progress.track(numbers, description="replaying episodes"):
                        _show(number, store.read(number), env, console)
        finally:
            env.close()
        write_json(self.json, {"episodes": differences})
        return 0 if all(difference is None for difference in differences.values()) else 1

    def _make(self, store: EpisodeStore) -> gym.Env:
        watched = not self.verify and self.video is None and has_display()
        return make_replay_env(
            store.env_id,
            render_mode="rgb_array" if self.video else None,
            **recorded_arguments(store, VIDEO_SPEC if self.video else None),
            use_viewer=watched,
            real_time=watched,
        )

    def _write_video(self, store: EpisodeStore, numbers: Iterable[int], env: gym.Env) -> None:
        assert self.video is not None
        with open_video(self.video, env.metadata["render_fps"]) as add:
            for number in numbers:
                for image in _frames(store.read(number), env):
                    add(image)


def _verify(number: int, episode: Episode, env: gym.Env, console: Console) -> str | None:
    """Report whether a replay is bit-identical, and return a description of the difference or None."""
    difference = describe_difference(episode, env)
    console.print(
        f"episode {number}: {difference or f'{episode.length} steps, bit-identical'}",
        markup=False,
        soft_wrap=True,
    )
    return difference


def _show(number: int, episode: Episode, env: gym.Env, console: Console) -> None:
    """Replay an episode, and report its result."""
    for _ in replayed(episode, env):
        pass
    done = EnvironmentInterface(env).task_success()
    console.print(f"episode {number}: {episode.length} steps, {'success' if done else 'no success'}")


def _frames(episode: Episode, env: gym.Env) -> Iterator[np.ndarray]:
    """Replay an episode, and yield an image before every step and at the end."""
    last = episode.length - 1
    for step, _ in enumerate(replayed(episode, env)):
        yield with_banner(
            render_image(env),
            human=bool(episode.frames["complementary_info.is_intervention"][min(step, last)]),
            success=step > last and episode.success,
            seconds=step / episode.meta["fps"],
        )
