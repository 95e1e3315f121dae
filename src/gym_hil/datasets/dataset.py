"""A dataset: the journal of episodes, and what is written from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError, InvalidDatasetError, RecordingError, require_one_of
from gym_hil.core.files import is_unused, reason
from gym_hil.datasets.camera_images import Pictures, drawn_again
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.formats.registry import (
    DATASET_FORMATS,
    JOURNAL_ONLY,
    Writer,
    format_names,
    no_default_root,
)
from gym_hil.datasets.journal import INFO, EpisodeStore
from gym_hil.datasets.manifest import Seal

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
    if _is_lerobot_dataset(root):
        raise InvalidDatasetError(
            f"{root} is a LeRobotDataset that this package did not record: it has no {JOURNAL}/{INFO}, so "
            "the states to replay from are unknown"
        )
    return root


def require_no_dataset(folder: Path) -> None:
    """Raise `InvalidArgumentError` if `folder` holds recorded episodes, where other files would be mixed up
    with them.
    """
    recorded = (folder, folder / JOURNAL, folder.parent if folder.name.startswith("episode_") else folder)
    if any((place / INFO).is_file() for place in recorded) or _is_lerobot_dataset(folder):
        raise InvalidArgumentError(f"{folder} holds a dataset of recorded episodes; choose another folder")


def _is_lerobot_dataset(root: Path) -> bool:
    return (root / "meta" / "info.json").is_file()


@dataclass(frozen=True)
class About:
    """What a dataset is, the same for all of its episodes."""

    format: str = JOURNAL_ONLY
    repo_id: str | None = None
    """Its name, user/name, in formats that have names."""
    image_size: int = 0
    """Height and width of the pictures (pixels); 0 for none."""


def default_root(about: About) -> Path:
    """Return where a dataset goes that is given a name and no folder: where its library looks for it.

    Raises:
        InvalidArgumentError: this package's own format has no such place, or the name is none.
    """
    if about.format == JOURNAL_ONLY:
        return no_default_root("")
    written = DATASET_FORMATS[about.format]
    return written.default_root(written.require(about.repo_id))


def begun_as(root: Path) -> About | None:
    """Return what the dataset in `root` is, or None where there is none yet."""
    folder = journal_of(root)
    if not (folder / INFO).is_file():
        return None
    try:
        about = About(**EpisodeStore(folder).about)
        require_one_of("format", about.format, format_names())
        return about
    except (TypeError, InvalidArgumentError) as error:
        raise InvalidDatasetError(f"{folder / INFO} cannot be read: {error}") from error


class Dataset:
    """Episodes being recorded into `root`. Each goes to the journal first, and is then safe.

    Args:
        root: the folder.
        env_id: what is recorded.
        about: what to write.
        resume: continue in a folder that has episodes.

    Attributes:
        damage: what is wrong with episodes of the journal that are not as they were written, by number. They
            are left as they are, and do not count.

    Raises:
        InvalidDatasetError: the folder holds something else.
        FolderInUseError: another process records into it.
        StorageError: the disk is full; the same call works once there is room.
    """

    def __init__(self, root: Path, env_id: str, about: About, *, resume: bool = False) -> None:
        self.root = root = root.expanduser().resolve()  # Minari takes absolute paths only
        self.about = about
        self._writer: Writer | None = None
        if about.format == JOURNAL_ONLY:
            self.journal = EpisodeStore(root, env_id, resume=resume, about=asdict(about))
            self.damage = self.journal.damage()
            return
        written = DATASET_FORMATS[about.format]
        name = written.require(about.repo_id)
        journal = root / JOURNAL
        if not (journal / INFO).is_file() and not (is_unused(root, but=(JOURNAL,)) and is_unused(journal)):
            raise InvalidDatasetError(f"{root} is not empty, and no {about.format} dataset of this package")
        self.journal = EpisodeStore(journal, env_id, resume=resume, about=asdict(about))
        try:
            self.damage = self.journal.damage()
            self._writer = written.writer(root, self.journal, name)
        except BaseException:
            self.journal.close()
            raise

    @property
    def set_aside(self) -> list[str]:
        """What a crash had left half-written, by name."""
        return [*self.journal.set_aside, *(self._writer.set_aside if self._writer else [])]

    @property
    def changed(self) -> list[str]:
        """Files of another format that are not what was written, by name."""
        return self._writer.changed if self._writer else []

    def numbers(self) -> list[int]:
        """Return the numbers of the episodes that are as they were written."""
        return [number for number in self.journal.numbers() if number not in self.damage]

    def next_seed(self) -> int:
        """Return a seed from which on no start is recorded yet. A damaged episode has used one, too.

        Raises:
            InvalidDatasetError: the seed of the last episode is no whole number.
        """
        numbers = self.numbers()
        if not numbers:
            return len(self.damage)
        seed = self.journal.read(numbers[-1]).meta["seed"]
        if not isinstance(seed, int):
            raise InvalidDatasetError(f"{self.journal.path(numbers[-1])} has the seed {seed!r}")
        return seed + 1 + sum(number > numbers[-1] for number in self.damage)

    def missing(self) -> list[int]:
        """Return the numbers of the episodes that are in the journal alone."""
        if self._writer is None:
            return []
        return [number for number in self.numbers() if number not in self._writer.written]

    def write_missing(self, number: int, env: EnvironmentInterface) -> None:
        """Write episode `number` from the journal; `env` draws its pictures."""
        assert self._writer is not None
        episode = self.journal.read(number)
        self._writer.append(number, episode, drawn_again(episode, env) if self.about.image_size else {})

    def append(self, episode: Episode, pictures: Pictures) -> int:
        """Keep `episode`, and return its number.

        Raises:
            RecordingError: it cannot be written; the message says what is safe.
        """
        try:
            number = self.journal.append(episode)
        except OSError as error:
            raise RecordingError(
                f"the episode was not kept: {error}. The {len(self.journal.numbers())} before it are safe; "
                "make room, and go on with --resume"
            ) from error
        if self._writer is not None:
            try:
                self._writer.append(number, episode, pictures)
            except Exception as error:
                raise RecordingError(
                    f"episode {number} is safe in {self.journal.root}, and cannot be written as "
                    f"{self.about.format}: {_reason(error)}. Go on with --resume, which writes it again"
                ) from error
        return number

    def seal(self) -> None:
        """End all files of another format, so that a crash from now on costs nothing that they hold.

        Raises:
            RecordingError: they cannot be ended; the episodes are safe in the journal.
        """
        if self._writer is None:
            return
        try:
            self._writer.close()
        except Exception as error:
            raise RecordingError(
                f"the {self.about.format} files in {self.root} cannot be completed: {_reason(error)}. All "
                f"episodes are safe in {self.journal.root}; go on with --resume, which writes them again"
            ) from error

    def close(self) -> None:
        """End all files, and let other processes write into the folder. Raises what `seal` raises."""
        try:
            self.seal()
        finally:
            self.journal.close()


def _reason(error: Exception) -> str:
    return reason(error) if isinstance(error, OSError) else str(error)


@dataclass(frozen=True)
class Condition:
    """What is wrong with the files of a dataset, in sentences."""

    damage: tuple[str, ...] = ()
    """Files that are not what was written."""
    notes: tuple[str, ...] = ()
    """What is worth knowing."""


def condition_of(root: Path) -> Condition:
    """Look at the files of the dataset in `root`, all of which are read.

    Returns:
        The damaged episodes and the changed files of another format; entries that look like episodes and are
        none; and a note if the files of another format lack episodes that the journal has.
    """
    folder = journal_of(root)
    journal, about = EpisodeStore(folder), begun_as(root)
    damage = [f"episode {number} is damaged: {why}" for number, why in journal.damage().items()]
    notes = [f"{folder / name} is no episode, and is ignored" for name in journal.strange()]
    if about is not None and about.format != JOURNAL_ONLY:
        seal = Seal.read(folder / f"{about.format}.json", DATASET_FORMATS[about.format].folders)
        texts = [name for name, text in seal.texts.items() if not _has_text(root / name, text)]
        again = "is not what was written; `gym-hil record` with --resume writes it again"
        damage += [f"{root / name} {again}" for name in (*seal.changed(root), *texts)]
        missing = [number for number in journal.numbers() if number not in seal.episodes]
        if missing:
            notes.append(
                f"{len(missing)} episodes are in {folder} and not yet in the {about.format} files, which "
                "were not closed in order; `gym-hil record` with --resume writes them"
            )
    return Condition(tuple(damage), tuple(notes))


def _has_text(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()
