"""Films of a run's episodes, drawn afterwards from the states that were kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import RenderingError
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Episode, ExperienceStore
from gym_hil.learning.policy_env import PolicyEnv, make_policy_env, time_limit
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
    try:
        env = make_policy_env(
            config.env_id, None, **config.env_arguments(), render_mode="rgb_array", render_spec=REPORT_SPEC
        )
    except TypeError as error:
        raise RenderingError(f"{config.env_id} takes no render_mode") from error
    try:
        if env.render_mode != "rgb_array":
            raise RenderingError(f"{config.env_id} has no render mode 'rgb_array'")
        for number, name in ((first, FIRST), (last, LAST)):
            _write(env, store.read(number), out / name)
    finally:
        env.close()


def _is_whole(episode: Episode, limit: int) -> bool:
    return episode.kind == "online" and Summary.of(episode, limit).whole


def _write(env: PolicyEnv, episode: Episode, path: Path) -> None:
    raw = EnvironmentInterface(env)
    env.reset(seed=episode.seed)  # draws what is no part of the physics, such as a goal, as in the episode
    with open_video(path, round(1.0 / raw.control_dt)) as add:
        for step, state in enumerate(episode.states):
            raw.restore_physics(state)
            frame = with_banner(
                np.asarray(env.render()),
                human=bool(episode.interventions[max(0, step - 1)]),
                success=episode.success and step == len(episode),
                seconds=step * raw.control_dt,
            )
            add(frame)
