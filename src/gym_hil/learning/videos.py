"""Films of a run's episodes, drawn afterwards from the states that were kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Episode, ExperienceStore
from gym_hil.learning.policy_env import make_policy_env, time_limit
from gym_hil.learning.run_status import Summary
from gym_hil.reports.video import REPORT_SPEC, open_video, with_banner

FIRST, LAST = "first-episode.mp4", "last-episode.mp4"


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
    env = make_policy_env(
        config.env_id, None, **config.env_arguments(), render_mode="rgb_array", render_spec=REPORT_SPEC
    )
    raw = env.unwrapped
    assert isinstance(raw, ManipulationEnv)
    env.reset(seed=0)
    for number, name in ((first, FIRST), (last, LAST)):
        _write(raw, store.read(number), out / name)
    env.close()


def _is_whole(episode: Episode, limit: int) -> bool:
    return episode.kind == "online" and Summary.of(episode, limit).whole


def _write(raw: ManipulationEnv, episode: Episode, path: Path) -> None:
    with open_video(path, raw.metadata["render_fps"]) as add:
        for step, state in enumerate(episode.states):
            raw.simulation.restore(state)
            frame = with_banner(
                np.asarray(raw.render()),
                human=bool(episode.interventions[max(0, step - 1)]),
                success=episode.success and step == len(episode),
                seconds=step * raw.control_dt,
            )
            add(frame)
