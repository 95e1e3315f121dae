"""Films of a run's episodes, drawn afterwards from the states that were kept."""

from __future__ import annotations

from pathlib import Path

import imageio
import numpy as np

from gym_hil.core import schema
from gym_hil.core.files import replacing
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Episode, ExperienceStore
from gym_hil.learning.policy_env import make_policy_env, time_limit
from gym_hil.learning.run_status import Summary
from gym_hil.simulation.rendering import GymRenderingSpec, Quality
from gym_hil.viewers.banner import with_banner

FIRST, LAST = "first-episode.mp4", "last-episode.mp4"
LOOK = GymRenderingSpec(
    video_height=360, video_width=480, video_quality=Quality(shadow_size=512, samples=2, slices=16, stacks=8)
)


def write_videos(out: Path, store: ExperienceStore, config: TrainConfig) -> None:
    """Write films of the first and the last whole episode in which the policy acted into `out`.

    Raises:
        RenderingError: nothing can be drawn on this machine.
    """
    limit, numbers = time_limit(config.env_id), range(len(store))
    first = next((number for number in numbers if _is_whole(store.read(number), limit)), None)
    last = next((number for number in reversed(numbers) if _is_whole(store.read(number), limit)), None)
    if first is None or last is None:
        return
    env = make_policy_env(config.env_id, None, render_mode="rgb_array", render_spec=LOOK)
    raw = env.unwrapped
    assert isinstance(raw, ManipulationEnv)
    env.reset(seed=0)
    for number, name in ((first, FIRST), (last, LAST)):
        _write(raw, store.read(number), out / name)
    env.close()


def _is_whole(episode: Episode, limit: int) -> bool:
    return episode.kind == "online" and Summary.of(episode, limit).whole


def _write(raw: ManipulationEnv, episode: Episode, path: Path) -> None:
    with (
        replacing(path) as temporary,
        imageio.get_writer(temporary, fps=raw.metadata["render_fps"], macro_block_size=None) as video,
    ):
        for step, state in enumerate(episode.states):
            raw.simulation.restore(state)
            info = {
                schema.IS_INTERVENTION: bool(episode.interventions[max(0, step - 1)]),
                schema.NEXT_SUCCESS: episode.success and step == len(episode),
            }
            frame = np.asarray(raw.render())
            video.append_data(with_banner(frame, info, step * raw.control_dt))
