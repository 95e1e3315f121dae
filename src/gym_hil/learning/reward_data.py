"""Labelled observations from recorded episodes, from which a reward is learned.

An episode of n steps has n + 1 observations. Only the last one of a success shows a success. All earlier ones, those
just before the success included, and all observations of failures show none. People need a moment until they press
the button, so that the last `HESITATION_S` seconds before a person's verdict have no label, except the last
observation. Episodes that a learned reward has ended are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import TerminationReason
from gym_hil.datasets.camera_images import at_steps
from gym_hil.datasets.dataset import journal_of
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.datasets.replay import make_replay_env, recorded_arguments
from gym_hil.learning.reward_lerobot import is_lerobot_dataset, lerobot_episodes
from gym_hil.learning.reward_observation import RewardInterface, RewardObservation

HESITATION_S = 0.5
"""Time before a person's verdict without labels (s): longer than a reaction to what is seen."""
NO_SUCCESS, SUCCESS, UNKNOWN = 0, 1, -1
"""Labels."""


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
        interface: what the observations are.
        episodes: the episodes.
    """

    interface: RewardInterface
    episodes: list[LabelledEpisode]


def labels_of(episode: Episode) -> NDArray[np.int8] | None:
    """Return the labels of an episode's observations (n + 1), or None if a learned reward has ended it."""
    end, labels = episode.meta["end"], np.full(episode.length + 1, NO_SUCCESS, np.int8)
    if end == TerminationReason.LEARNED_SUCCESS.value:
        return None
    if end == TerminationReason.HUMAN_SUCCESS.value:
        labels[-1 - round(HESITATION_S * episode.meta["fps"]) :] = UNKNOWN
    if episode.success:
        labels[-1] = SUCCESS
    return labels


def read_datasets(
    roots: Iterable[Path], size: int, wanted: RewardInterface | None = None, by: object = "the first dataset"
) -> LabelledData:
    """Read the episodes of datasets, and label their observations.

    Args:
        roots: folders of `gym-hil record`, or of LeRobotDatasets with rewards or successes.
        size: height and width of the images in pixels; 0 for features of the state.
        wanted: what the observations must be; None for those of the first dataset.
        by: name of what wants them, for error messages.

    Raises:
        InvalidArgumentError: a dataset has other observations, or another task or robot.
        InvalidDatasetError: a dataset cannot be read.
    """
    episodes: list[LabelledEpisode] = []
    for root in roots:
        found = _lerobot(root, size) if is_lerobot_dataset(root) else _journal(root, size)
        if wanted is None:
            wanted, by = found.interface, root
        wanted.require_same(found.interface, by, root)
        episodes += found.episodes
    if wanted is None or not episodes:
        raise InvalidArgumentError(
            "the datasets contain no episodes that people or the simulator have judged"
        )
    return LabelledData(wanted, episodes)


def _lerobot(root: Path, size: int) -> LabelledData:
    interface, dt, found = lerobot_episodes(root, size)
    return LabelledData(interface, [LabelledEpisode(rows, labels, dt) for rows, labels in found])


def _journal(root: Path, size: int) -> LabelledData:
    store = EpisodeStore(journal_of(root))
    damaged = store.damage()
    env = make_replay_env(store.env_id, **recorded_arguments(store))
    interface = EnvironmentInterface(env)
    env.reset(seed=0)
    observation = RewardObservation(interface, size)
    try:
        episodes = [store.read(number) for number in store.numbers() if number not in damaged]
        return LabelledData(observation.interface, list(_labelled(episodes, interface, observation)))
    finally:
        observation.close()
        env.close()


def _labelled(
    episodes: Iterable[Episode], env: EnvironmentInterface, observation: RewardObservation
) -> Iterator[LabelledEpisode]:
    for episode in episodes:
        labels = labels_of(episode)
        if labels is not None:
            steps = at_steps(episode, env, range(episode.length + 1))
            rows = np.stack([observation.read() for _ in steps])
            yield LabelledEpisode(rows, labels, 1.0 / episode.meta["fps"])
