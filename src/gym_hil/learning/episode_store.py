"""The episodes of a training run, stored in one file each so that a crash cannot damage them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.archives import pack, unpack
from gym_hil.core.errors import InvalidDatasetError
from gym_hil.core.files import make_folder, remove_leftovers, write_atomically

Kind = Literal["demonstration", "failed demonstration", "online"]


@dataclass(frozen=True)
class Transitions:
    """Consecutive transitions of one episode. Every array has one row per transition."""

    observations: NDArray[Any]
    """Observations before the steps."""
    next_observations: NDArray[Any]
    """Observations after the steps."""
    actions: NDArray[np.float32]
    """Executed actions, converted to the policy's action space."""
    rewards: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    interventions: NDArray[np.bool_]
    """Whether a human acted in each step."""
    demonstration: bool = False
    """Whether the episode is a demonstration, in which the human acted in every step."""
    success: bool = False
    """Whether the episode ended in success with the last transition."""

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self.actions)


@dataclass(frozen=True)
class TrainingEpisode:
    """One episode.

    Attributes:
        number: number of the episode within the run, from 0.
        observations: observations before every step and after the last one (steps + 1 rows).
        states: states of the simulation at the same times, from which videos are rendered.
    """

    number: int
    kind: Kind
    seed: int
    success: bool
    observations: NDArray[Any]
    actions: NDArray[np.float32]
    rewards: NDArray[np.float32]
    interventions: NDArray[np.bool_]
    terminated: bool
    states: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self.actions)

    def blocks(self, size: int) -> Iterator[tuple[int, int]]:
        """Yield the start and stop of consecutive blocks of `size` steps; the last one may be shorter."""
        for start in range(0, len(self), size):
            yield start, min(start + size, len(self))

    def from_first_intervention(self) -> TrainingEpisode:
        """Return the episode from the first step in which the human acted."""
        first = int(np.argmax(self.interventions))
        return replace(
            self,
            observations=self.observations[first:],
            actions=self.actions[first:],
            rewards=self.rewards[first:],
            interventions=self.interventions[first:],
            states=self.states[first:],
        )

    def transitions(self, start: int, stop: int, *, ended: bool = True) -> Transitions:
        """Return the transitions of the steps from `start` to before `stop`.

        Args:
            start: index of the first step.
            stop: index after the last step.
            ended: whether the episode ended with its last step.

        Returns:
            The transitions. Those with a reward of 1, the largest possible return, are marked as terminated.
        """
        last = (np.arange(start, stop) == len(self) - 1) & ended
        rewarded = self.rewards[start:stop] >= 1.0
        return Transitions(
            self.observations[start:stop],
            self.observations[start + 1 : stop + 1],
            self.actions[start:stop],
            self.rewards[start:stop],
            (last & self.terminated) | rewarded,
            last & (not self.terminated) & ~rewarded,
            self.interventions[start:stop],
            self.kind == "demonstration",
            self.success and bool(last.any()),
        )


@dataclass
class EpisodeInProgress:
    """Collects the steps of an episode while it runs."""

    number: int
    kind: Kind
    seed: int
    observations: list[NDArray[Any]]
    states: list[NDArray[np.float64]]
    actions: list[NDArray[np.float32]] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    interventions: list[bool] = field(default_factory=list)

    def __len__(self) -> int:
        """Return the number of steps so far."""
        return len(self.actions)

    def so_far(
        self, *, success: bool = False, terminated: bool = False, kind: Kind | None = None
    ) -> TrainingEpisode:
        """Return the steps so far as an episode."""
        return TrainingEpisode(
            self.number,
            kind or self.kind,
            self.seed,
            success,
            np.stack(self.observations),
            np.asarray(self.actions, np.float32),
            np.asarray(self.rewards, np.float32),
            np.asarray(self.interventions, np.bool_),
            terminated,
            np.stack(self.states),
        )


_ARRAYS = ("observations", "actions", "rewards", "interventions", "states")
_FACTS = ("number", "kind", "seed", "success", "terminated")


class TrainingEpisodeStore:
    """The episodes of a run, in one file each, which is written completely or not at all.

    Args:
        folder: folder of the files; it is created if needed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_folder(folder)
        remove_leftovers(folder)

    def __len__(self) -> int:
        """Return the number of consecutive episodes from number 0."""
        count = 0
        while self._path(count).is_file():
            count += 1
        return count

    def append(self, episode: TrainingEpisode) -> None:
        """Write `episode`."""
        facts = {name: getattr(episode, name) for name in _FACTS}
        arrays = {name: getattr(episode, name) for name in _ARRAYS}
        write_atomically(self._path(episode.number), pack(facts, arrays))

    def read(self, number: int) -> TrainingEpisode:
        """Return the episode with this number.

        Raises:
            InvalidDatasetError: the episode does not exist or cannot be read.
        """
        path = self._path(number)
        try:
            facts, arrays = unpack(path.read_bytes())
            rows: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
            return TrainingEpisode(**facts, **rows)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidDatasetError(f"{path} cannot be read: {error!r}") from error

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.npz"
