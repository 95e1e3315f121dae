"""Labelled observations from recorded episodes; see `gym_hil.learning.reward_labels`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.datasets.camera_images import IMAGES, at_steps
from gym_hil.datasets.dataset import journal_folder
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.datasets.replay import make_replay_env, recorded_arguments
from gym_hil.envs.cameras import OBSERVATION_CAMERAS
from gym_hil.learning.reward_labels import SUCCESS, observation_labels
from gym_hil.learning.reward_lerobot import is_lerobot_dataset, lerobot_episodes
from gym_hil.learning.reward_observation import (
    OUTSIDE,
    RewardInterface,
    RewardObservation,
    camera_terms,
    pack_images,
)

OUTSIDE_IDS = "lerobot:"
"""First part of the ids under which episodes of robots outside the simulation are recorded."""


@dataclass(frozen=True)
class LabelledEpisode:
    """The observations of one episode.

    Attributes:
        rows: observations (n + 1, size), see `RewardObservation`.
        labels: one of `NO_SUCCESS`, `SUCCESS` and `UNKNOWN` for each (n + 1).
        dt: time between observations (s).
    """

    rows: NDArray[Any]
    labels: NDArray[np.int8]
    dt: float

    @property
    def success(self) -> bool:
        """Whether an observation shows a success."""
        return bool((self.labels == SUCCESS).any())


@dataclass(frozen=True)
class LabelledData:
    """The episodes of some datasets.

    Attributes:
        interface: task, robot and terms of the observations.
        episodes: the episodes.
    """

    interface: RewardInterface
    episodes: list[LabelledEpisode]


def read_datasets(
    roots: Iterable[Path],
    size: int,
    required: RewardInterface | None = None,
    required_by: object = "the first dataset",
) -> LabelledData:
    """Read the episodes of datasets, and label their observations.

    Args:
        roots: folders of `gym-hil record`, or of LeRobotDatasets with rewards or successes.
        size: height and width of the images in pixels; 0 for features of the state.
        required: the required interface; None for that of the first dataset.
        required_by: name of the object that requires it, for error messages.

    Raises:
        InvalidArgumentError: a dataset has other observations, or another task or robot.
        InvalidDatasetError: a dataset cannot be read.
    """
    episodes: list[LabelledEpisode] = []
    for root in roots:
        data = _lerobot(root, size) if is_lerobot_dataset(root) else _journal(root, size)
        if required is None:
            required, required_by = data.interface, root
        required.require_same(data.interface, required_by, root)
        episodes += data.episodes
    if required is None or not episodes:
        raise InvalidArgumentError(
            "the datasets contain no episodes whose success a person or the simulator has determined"
        )
    return LabelledData(required, episodes)


def _lerobot(root: Path, size: int) -> LabelledData:
    interface, dt, episodes = lerobot_episodes(root, size)
    return LabelledData(interface, [LabelledEpisode(rows, labels, dt) for rows, labels in episodes])


def _journal(root: Path, size: int) -> LabelledData:
    store = EpisodeStore(journal_folder(root))
    damaged = store.damage()
    episodes = [store.read(number) for number in store.numbers() if number not in damaged]
    if store.env_id.startswith(OUTSIDE_IDS):
        return _outside(root, episodes, size)
    env = make_replay_env(store.env_id, **recorded_arguments(store))
    interface = EnvironmentInterface(env)
    env.reset(seed=0)
    observation = RewardObservation(interface, size)
    try:
        return LabelledData(observation.interface, list(_labelled(episodes, interface, observation)))
    finally:
        observation.close()
        env.close()


def _outside(root: Path, episodes: Sequence[Episode], size: int) -> LabelledData:
    """Return episodes of a robot outside the simulation, with the images of its cameras."""
    keys = [IMAGES + camera for camera in OBSERVATION_CAMERAS]
    missing = [key for key in keys if not episodes or key not in episodes[0].frames]
    if missing or not size:
        reason = (
            f"has no {', '.join(missing)}"
            if missing
            else "has no simulated state, so that a reward must observe images"
        )
        raise InvalidArgumentError(f"{root} {reason}")
    interface = RewardInterface(task=episodes[0].meta["task"], robot=OUTSIDE, observation=camera_terms(size))
    labelled = []
    for episode in episodes:
        cameras = [[*episode.frames[key], episode.final[key]] for key in keys]
        labels = observation_labels(episode)
        if labels is not None:
            rows = np.stack([pack_images(images, size) for images in zip(*cameras, strict=True)])
            labelled.append(LabelledEpisode(rows, labels, 1.0 / episode.meta["fps"]))
    return LabelledData(interface, labelled)


def _labelled(
    episodes: Iterable[Episode], env: EnvironmentInterface, observation: RewardObservation
) -> Iterator[LabelledEpisode]:
    for episode in episodes:
        labels = observation_labels(episode)
        if labels is not None:
            steps = at_steps(episode, env, range(episode.length + 1))
            rows = np.stack([observation.read() for _ in steps])
            yield LabelledEpisode(rows, labels, 1.0 / episode.meta["fps"])
