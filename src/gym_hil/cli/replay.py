"""``gym-hil replay``: recorded episodes, run again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import gymnasium as gym
import numpy as np
import tyro
from rich.console import Console

from gym_hil import schema
from gym_hil.cli.common import write_json
from gym_hil.errors import InvalidArgumentError
from gym_hil.recording.dataset import journal_of
from gym_hil.recording.episode import Episode
from gym_hil.recording.replay import first_difference, make_replay_env, replayed, same_model
from gym_hil.recording.store import EpisodeStore
from gym_hil.sim.rendering import GymRenderingSpec
from gym_hil.viewers.banner import with_banner

SPEC = GymRenderingSpec(video_height=720, video_width=960)
"""Size and quality of the video."""


@dataclass(kw_only=True)
class Replay:
    """Run recorded episodes again, from their stored initial state and executed actions."""

    root: Annotated[Path, tyro.conf.Positional]
    """Folder that `gym-hil record` wrote."""
    episode: int | None = None
    """Number of the episode; all of them without it."""
    verify: bool = False
    """Fail unless every observation is bit-identical, and say where it first differs."""
    video: Path | None = None
    """Write a video (.mp4), larger and prettier than it was recorded, with a banner that says who acts."""
    seed: int = 0
    """Changes nothing here; every command takes it."""
    json: Path | None = None
    """Write the differences to this file as well."""

    def run(self) -> int:
        """Replay."""
        console = Console()
        store = EpisodeStore(journal_of(self.root))
        numbers = store.numbers() if self.episode is None else [self.episode]
        if not numbers:
            raise InvalidArgumentError(f"{self.root} has no episodes")
        env = make_replay_env(store.env_id, render_mode="rgb_array" if self.video else None, render_spec=SPEC)
        found: dict[int, Any] = {}
        for number in numbers:
            episode = store.read(number)
            if self.verify:
                difference = first_difference(episode, env)
                found[number] = None if difference is None else asdict(difference)
                if difference is None:
                    console.print(f"episode {number}: {episode.length} steps, bit-identical")
                    continue
                why = "" if same_model(episode, env) else " The model is not the one it was recorded with."
                console.print(
                    f"episode {number}: differs before step {difference.step} in {difference.name}"
                    f"[{difference.index}]: {difference.recorded!r} recorded, {difference.replayed!r} "
                    f"replayed.{why}",
                    markup=False,
                )
        if self.video is not None:
            import imageio

            self.video.parent.mkdir(parents=True, exist_ok=True)
            with imageio.get_writer(
                self.video, fps=env.metadata["render_fps"], macro_block_size=None
            ) as video:
                for number in numbers:
                    for image in _film(store.read(number), env):
                        video.append_data(image)
            console.print(f"Video: {self.video}")
        env.close()
        write_json(self.json, {"episodes": found})
        return 0 if all(difference is None for difference in found.values()) else 1


def _film(episode: Episode, env: gym.Env) -> Iterator[np.ndarray]:
    """Yield an image of every moment of running `episode` again in `env`, with who acts and whether it is
    done.
    """
    last = episode.length - 1
    for step, _ in enumerate(replayed(episode, env)):
        told = {
            schema.IS_INTERVENTION: episode.frames["complementary_info.is_intervention"][min(step, last)],
            schema.NEXT_SUCCESS: step > last and episode.success,
        }
        yield with_banner(np.asarray(env.render()), told, step / episode.meta["fps"])
