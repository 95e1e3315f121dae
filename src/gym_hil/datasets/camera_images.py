"""What the cameras saw. Pictures follow from the stored states, so that episodes need not keep them."""

from __future__ import annotations

from collections.abc import Iterator

from gym_hil.datasets.episode import Episode
from gym_hil.datasets.replay import require_fit
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.simulation.rendering import Image

Pictures = dict[str, list[Image]]
"""By camera, what it saw before every step and at the end, (height, width, 3) uint8 each."""


def at_steps(episode: Episode, raw: ManipulationEnv, steps: Iterator[int] | range) -> Iterator[int]:
    """Put `raw` into the stored states before `steps`, one after the other, and yield each number. The
    episode's length stands for the end.
    """
    require_fit(episode, raw)
    raw.set_state(episode.initial)
    for step in steps:
        physics = episode.frames["physics"]
        raw.simulation.restore(physics[step] if step < episode.length else episode.final["physics"])
        yield step


def drawn_again(episode: Episode, raw: ManipulationEnv) -> Pictures:
    """Return the pictures of `episode`, drawn from its stored states."""
    pictures: Pictures = {}
    for _ in at_steps(episode, raw, range(episode.length + 1)):
        for camera, image in raw.draw().items():
            pictures.setdefault(camera, []).append(image)
    return pictures
