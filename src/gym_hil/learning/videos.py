"""Videos of a run's episodes, rendered from the stored states."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import GymHilError, RenderingError
from gym_hil.learning.async_learner import ctrl_c_ignored
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.episode_store import TrainingEpisode, TrainingEpisodeStore
from gym_hil.learning.policy_env import PolicyEnv, make_policy_env, time_limit
from gym_hil.learning.run_status import Summary
from gym_hil.reports.video import REPORT_SPEC, open_video, render_image, with_banner

FIRST, LAST = "first-episode.mp4", "last-episode.mp4"


def write_videos(out: Path, store: TrainingEpisodeStore, config: TrainConfig) -> None:
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
    for number, name in ((first, FIRST), (last, LAST)):
        write_video(config, store.read(number), out / name)


class VideoWriter:
    """Writes the same videos in separate processes during the run.

    Args:
        out: folder of the videos.
        config: configuration of the run.
    """

    def __init__(self, out: Path, config: TrainConfig) -> None:
        self._out, self._config = out, config
        self._last: TrainingEpisode | None = None
        self._errors: list[Connection] = []

    def add(self, episode: TrainingEpisode) -> None:
        """Register a complete episode of the policy. The video of the first one is started."""
        if self._last is None:
            self._begin(episode, FIRST)
        self._last = episode

    def begin_last(self) -> None:
        """Begin the video of the last episode."""
        if self._last is not None:
            self._begin(self._last, LAST)

    def finish(self) -> None:
        """Wait for the videos.

        Raises:
            RenderingError: a video could not be written.
        """
        for receiver in self._errors:
            try:
                error = receiver.recv()
            except EOFError:
                error = "the process that writes it has ended"
            if error:
                raise RenderingError(error)

    def _begin(self, episode: TrainingEpisode, name: str) -> None:
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(
            target=_write_and_report,
            args=(sender, self._config, episode, self._out / name),
            name="gym-hil video",
            daemon=True,
        )
        with ctrl_c_ignored():
            process.start()
        sender.close()
        self._errors.append(receiver)


def _write_and_report(end: Connection, config: TrainConfig, episode: TrainingEpisode, path: Path) -> None:
    """Write a video, and send a message if that is not possible."""
    if hasattr(os, "nice"):
        os.nice(5)  # the video is not needed until the end of the run
    try:
        write_video(config, episode, path)
        end.send("")
    except (GymHilError, OSError) as error:
        end.send(str(error))


def _is_whole(episode: TrainingEpisode, limit: int) -> bool:
    return episode.kind == "online" and Summary.of(episode, limit).whole


def write_video(config: TrainConfig, episode: TrainingEpisode, path: Path) -> None:
    """Write the video of an episode.

    Args:
        config: configuration of its run.
        episode: the episode.
        path: the file.

    Raises:
        RenderingError: this machine or environment cannot render.
    """
    env = make_policy_env(
        config.env_id, None, **config.env_arguments(), render_mode="rgb_array", render_spec=REPORT_SPEC
    )
    try:
        _write(env, episode, path)
    finally:
        env.close()


def _write(env: PolicyEnv, episode: TrainingEpisode, path: Path) -> None:
    raw = EnvironmentInterface(env)
    env.reset(seed=episode.seed)  # restores what is not in the physics state, such as a goal
    with open_video(path, round(1.0 / raw.control_dt)) as add:
        for step, state in enumerate(episode.states):
            raw.restore_physics(state)
            frame = with_banner(
                render_image(env),
                human=bool(episode.interventions[max(0, step - 1)]),
                success=episode.success and step == len(episode),
                seconds=step * raw.control_dt,
            )
            add(frame)
