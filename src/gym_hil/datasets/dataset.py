"""A dataset: the journal of episodes, and what is written from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Protocol

from gym_hil.core.errors import InvalidArgumentError, InvalidDatasetError, RecordingError
from gym_hil.datasets.camera_images import Pictures, drawn_again
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.formats import lerobot as lerobot_writer
from gym_hil.datasets.formats import minari as minari_writer
from gym_hil.datasets.formats.lerobot import LeRobotWriter
from gym_hil.datasets.formats.minari import MinariWriter
from gym_hil.datasets.journal import INFO, EpisodeStore
from gym_hil.datasets.manifest import Seal
from gym_hil.envs.manipulation import ManipulationEnv

Format = Literal["episodes", "lerobot", "minari"]
JOURNAL = "gym_hil"
"""Folder of the episodes inside a dataset of another format."""


def journal_of(root: Path) -> Path:
    """Return the folder with the episodes of the dataset in `root`.

    Raises:
        InvalidDatasetError: `root` holds none.
    """
    for folder in (root, root / JOURNAL):
        if (folder / INFO).is_file():
            return folder
    if (root / "meta" / "info.json").is_file():
        raise InvalidDatasetError(
            f"{root} is a LeRobotDataset that this package did not record: it has no {JOURNAL}/{INFO}, so "
            "the states to replay from are unknown"
        )
    return root


class Writer(Protocol):
    """Writes episodes in another format."""

    written: list[int]
    set_aside: list[str]

    def append(self, number: int, episode: Episode, pictures: Pictures) -> None:
        """Write `episode`, which has `number` in the journal, after all others."""

    def close(self) -> None:
        """End all files."""


@dataclass(frozen=True)
class _Library:
    """How another format is written."""

    require: Callable[[str | None], str]
    """Returns the dataset's name if it can be written here under that name."""
    default_root: Callable[[str], Path]
    """Where the library looks for a dataset by name."""
    writer: Callable[[Path, EpisodeStore, str], Writer]


_LIBRARIES = {
    "lerobot": _Library(lerobot_writer.require_lerobot, lerobot_writer.default_root, LeRobotWriter),
    "minari": _Library(minari_writer.require_minari, minari_writer.default_root, MinariWriter),
}


@dataclass(frozen=True)
class About:
    """What a dataset is, the same for all of its episodes."""

    format: Format = "episodes"
    repo_id: str | None = None
    """Its name, user/name, in formats that have names."""
    image_size: int = 0
    """Height and width of the pictures (pixels); 0 for none."""


def default_root(about: About) -> Path:
    """Return where a dataset goes that is given a name and no folder: where its library looks for it.

    Raises:
        InvalidArgumentError: this package's own format has no such place, or the name is none.
    """
    if about.format == "episodes":
        raise InvalidArgumentError("root is missing: say in which folder to record")
    library = _LIBRARIES[about.format]
    return library.default_root(library.require(about.repo_id))


def begun_as(root: Path) -> About | None:
    """Return what the dataset in `root` is, or None where there is none yet."""
    folder = journal_of(root)
    if not (folder / INFO).is_file():
        return None
    try:
        return About(**EpisodeStore(folder).about)
    except TypeError as error:
        raise InvalidDatasetError(f"{folder / INFO} cannot be read: {error}") from error


class Dataset:
    """Episodes being recorded into `root`. Each goes to the journal first, and is then safe.

    Args:
        root: the folder.
        env_id: what is recorded.
        about: what to write.
        resume: continue in a folder that has episodes.
    """

    def __init__(self, root: Path, env_id: str, about: About, *, resume: bool = False) -> None:
        self.root, self.about = root, about
        self._writer: Writer | None = None
        if about.format == "episodes":
            self.journal = EpisodeStore(root, env_id, resume=resume, about=asdict(about))
            return
        library = _LIBRARIES[about.format]
        name = library.require(about.repo_id)
        if not (root / JOURNAL / INFO).is_file() and root.exists() and any(root.iterdir()):
            raise InvalidDatasetError(f"{root} is not empty, and no {about.format} dataset of this package")
        self.journal = EpisodeStore(root / JOURNAL, env_id, resume=resume, about=asdict(about))
        self._writer = library.writer(root, self.journal, name)

    @property
    def set_aside(self) -> list[str]:
        """What a crash had left half-written, by name."""
        return [*self.journal.set_aside, *(self._writer.set_aside if self._writer else [])]

    def missing(self) -> list[int]:
        """Return the numbers of the episodes that are in the journal alone."""
        return [] if self._writer is None else self.journal.numbers()[len(self._writer.written) :]

    def write_missing(self, number: int, raw: ManipulationEnv) -> None:
        """Write episode `number` from the journal; `raw` draws its pictures."""
        assert self._writer is not None
        episode = self.journal.read(number)
        self._writer.append(number, episode, drawn_again(episode, raw) if self.about.image_size else {})

    def append(self, episode: Episode, pictures: Pictures) -> int:
        """Keep `episode`, and return its number.

        Raises:
            RecordingError: it cannot be written; the message says what is safe.
        """
        try:
            number = self.journal.append(episode)
        except OSError as error:
            raise RecordingError(
                f"the episode cannot be written to {self.journal.root}: {error.strerror}. The "
                f"{len(self.journal.numbers())} before it are safe; make room, and go on with --resume"
            ) from error
        if self._writer is not None:
            try:
                self._writer.append(number, episode, pictures)
            except Exception as error:
                raise RecordingError(
                    f"episode {number} is safe in {self.journal.root}, and cannot be written as "
                    f"{self.about.format}: {error}. Go on with --resume, which writes it again"
                ) from error
        return number

    def close(self) -> None:
        """End all files."""
        if self._writer is not None:
            self._writer.close()


def unwritten(root: Path) -> tuple[str, ...]:
    """Return a warning if the dataset in `root` lacks episodes that its journal has."""
    folder = journal_of(root)
    about = begun_as(root)
    if about is None or about.format == "episodes":
        return ()
    sealed = Seal.read(folder / f"{about.format}.json").episodes
    missing = [number for number in EpisodeStore(folder).numbers() if number not in sealed]
    if not missing:
        return ()
    return (
        f"{len(missing)} episodes are in {folder} and not yet in the {about.format} files, which were not "
        "closed in order; `gym-hil record` with --resume writes them",
    )
