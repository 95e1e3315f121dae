"""Videos of a run's episodes, rendered from the stored states."""

from __future__ import annotations

from pathlib import Path

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import Experience, ExperienceStore
from gym_hil.learning.policy_env import PolicyEnv, make_policy_env, time_limit
from gym_hil.learning.run_status import Summary
from gym_hil.reports.video import REPORT_SPEC, open_video, picture, with_banner

FIRST, LAST = "first-episode.mp4", "last-episode.mp4"


def write_videos(out: Path, store: ExperienceStore, config: TrainConfig) -> None:
    """Write videos of the first and the last complete episode of the policy.

    Args:
        out: folder of the videos.
        store: the episodes of the run.
        config: configuration of the run.

    Raises:
        RenderingError: this machine or environment cannot render.
    """
    limit, numbers = time_limit(config.env_id), range(len(store))
    first = next((number for number in numbers if _is_whole(store.read(number), limit)), None)
    last = next((number for number in reversed(numbers) if _is_whole(store.read(number), limit)), None)
    if first is None or last is None:
        return
    env = make_policy_env(
        config.env_id, None, **config.env_arguments(), render_mode="rgb_array", render_spec=REPORT_SPEC
    )
    try:
        for number, name in ((first, FIRST), (last, LAST)):
            _write(env, store.read(number), out / name)
    finally:
        env.close()


def _is_whole(episode: Experience, limit: int) -> bool:
    return episode.kind == "online" and Summary.of(episode, limit).whole


def _write(env: PolicyEnv, episode: Experience, path: Path) -> None:
    raw = EnvironmentInterface(env)
    env.reset(seed=episode.seed)  # restores what is not in the physics state, such as a goal
    with open_video(path, round(1.0 / raw.control_dt)) as add:
        for step, state in enumerate(episode.states):
            raw.restore_physics(state)
            frame = with_banner(
                picture(env),
                human=bool(episode.interventions[max(0, step - 1)]),
                success=episode.success and step == len(episode),
                seconds=step * raw.control_dt,
            )
            add(frame)
