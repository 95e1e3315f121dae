"""What the cameras saw. Pictures follow from the stored states, so that episodes need not keep them."""

from __future__ import annotations

from collections.abc import Iterator

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.replay import require_fit, stored_states
from gym_hil.simulation.rendering import Image

Pictures = dict[str, list[Image]]
"""By camera, what it saw before every step and at the end, (height, width, 3) uint8 each."""


def at_steps(episode: Episode, env: EnvironmentInterface, steps: Iterator[int] | range) -> Iterator[int]:
    """Put `env` into the stored states before `steps`, one after the other, and yield each number. The
    episode's length stands for the end.
    """
    require_fit(episode, env)
    with stored_states():
        env.set_state(episode.initial)
    for step in steps:
        physics = episode.frames["physics"]
        with stored_states():
            env.restore_physics(physics[step] if step < episode.length else episode.final["physics"])
        yield step


def drawn_again(episode: Episode, env: EnvironmentInterface) -> Pictures:
    """Return the pictures of `episode`, drawn from its stored states."""
    pictures: Pictures = {}
    for _ in at_steps(episode, env, range(episode.length + 1)):
        for camera, image in env.draw().items():
            pictures.setdefault(camera, []).append(image)
    return pictures
