"""Camera images of recorded episodes, which are rendered from the stored states, or stored if cameras took them."""

from __future__ import annotations

from collections.abc import Iterator

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.replay import require_fit, translate_state_errors
from gym_hil.simulation.rendering import Image

IMAGES = "observation.images."
"""Prefix of the names of frames with images of real cameras."""
CameraImages = dict[str, list[Image]]
"""Images by the name of the camera, before every step and after the last one, (height, width, 3) uint8 each."""


def at_steps(episode: Episode, env: EnvironmentInterface, steps: Iterator[int] | range) -> Iterator[int]:
    """Put an environment into stored states of an episode, one after the other.

    Args:
        episode: the episode.
        env: the environment.
        steps: indices of the steps before which the states were stored; the length of the episode stands for the
            state at its end.

    Yields:
        Each index, after the environment was put into that state.

    Raises:
        InvalidDatasetError: the states do not fit the environment.
    """
    require_fit(episode, env)
    with translate_state_errors():
        env.set_state(episode.initial)
    for step in steps:
        physics = episode.frames["physics"]
        with translate_state_errors():
            env.restore_physics(physics[step] if step < episode.length else episode.final["physics"])
        yield step


def render_images(episode: Episode, env: EnvironmentInterface) -> CameraImages:
    """Return the camera images of `episode`: those that it contains, or else rendered from its stored states."""
    pictures: CameraImages = {
        name.removeprefix(IMAGES): [*episode.frames[name], episode.final[name]]
        for name in episode.extra_terms
        if name.startswith(IMAGES)
    }
    if pictures:
        return pictures
    for _ in at_steps(episode, env, range(episode.length + 1)):
        for camera, image in env.draw().items():
            pictures.setdefault(camera, []).append(image)
    return pictures
