"""Videos and key frames of recorded episodes, rendered from the stored states."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.step_record import PHASES
from gym_hil.datasets.camera_images import at_steps
from gym_hil.datasets.episode import Episode
from gym_hil.reports.page import data_url, picture_url
from gym_hil.reports.video import open_video, render_image, with_banner

MAX_FRAMES = 120
"""Largest number of frames of a video. Longer episodes have fewer frames per second."""
MAX_KEY_FRAMES = 6
"""Number of key frames of an episode."""


@dataclass(frozen=True)
class EpisodeVideo:
    """Video and key frames of an episode, as data URLs."""

    key_frames: dict[str, str]
    """JPEG images by their captions."""
    video: str
    """MP4 video."""


def key_steps(episode: Episode) -> dict[int, str]:
    """Return the steps of key frames in ascending order, and a caption for each."""
    frames = episode.frames
    captions = {0: "start"}
    takeovers = np.flatnonzero(frames["phase"] == PHASES.index("takeover")).tolist()
    for number, step in enumerate(takeovers[:3]):
        captions[step] = f"takeover {number + 1}"
    closing = np.flatnonzero(frames["action"][:, 3:] < 0.5)
    if closing.size:
        captions.setdefault(int(closing[0]), "gripper closes")
    captions[episode.length] = str(episode.meta["end"]).replace("_", " ")
    for step in np.linspace(0, episode.length, MAX_KEY_FRAMES).round().astype(int).tolist():
        if len(captions) < MAX_KEY_FRAMES and min(abs(step - known) for known in captions) > 2:
            captions[step] = f"{step / episode.meta['fps']:.1f} s"
    return dict(sorted(captions.items()))


def make_episode_video(episode: Episode, env: EnvironmentInterface) -> EpisodeVideo:
    """Return the video and key frames of an episode.

    Args:
        episode: the episode.
        env: an environment with ``render_mode="rgb_array"``, preferably with `REPORT_SPEC`.

    Raises:
        RenderingError: the environment cannot be rendered.
    """
    seed = episode.meta["seed"]
    env.reset(
        seed=seed if isinstance(seed, int) else None
    )  # Gymnasium renders nothing before the first reset
    stride = math.ceil((episode.length + 1) / MAX_FRAMES)
    names = key_steps(episode)
    shown_steps = sorted({*range(0, episode.length + 1, stride), *names})
    by_human = episode.frames["complementary_info.is_intervention"]
    key_frames: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        with open_video(path, episode.meta["fps"] / stride) as add:
            for step in at_steps(episode, env, iter(shown_steps)):
                image = with_banner(
                    render_image(env),
                    human=bool(by_human[min(step, episode.length - 1)]),
                    success=step == episode.length and episode.success,
                    seconds=step / episode.meta["fps"],
                )
                if step % stride == 0:
                    add(image)
                if step in names:
                    key_frames[names[step]] = picture_url(image)
        return EpisodeVideo(key_frames, data_url(path.read_bytes(), ".mp4"))
