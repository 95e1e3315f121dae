"""A dataset: the journal of recorded episodes, and their export to another format."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError, InvalidDatasetError, RecordingError, require_one_of
from gym_hil.core.files import is_unused, reason
from gym_hil.datasets.camera_images import CameraImages, render_images
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.formats.registry import (
    DATASET_FORMATS,
    JOURNAL_ONLY,
    Writer,
    format_names,
    no_default_root,
)
from gym_hil.datasets.journal import INFO, EpisodeStore
from gym_hil.datasets.manifest import Manifest

JOURNAL = "gym_hil"
"""Folder of the journal within a dataset of another format."""


def journal_folder(root: Path) -> Path:
    """Return the folder of the journal of the dataset in `root`.

    Raises:
        InvalidDatasetError: `root` is a LeRobotDataset without a journal.
    """
    for folder in (root, root / JOURNAL):
        if (folder / INFO).is_file():
            return folder
    if _is_lerobot_dataset(root):
        raise InvalidDatasetError(
            f"{root} is a LeRobotDataset that was not recorded by gym-hil: without {JOURNAL}/{INFO}, the states "
            "that a replay needs are unknown"
        )
    return root


def require_no_dataset(folder: Path) -> None:
    """Require that a folder for other files does not contain recorded episodes.

    Raises:
        InvalidArgumentError: `folder` contains a dataset.
    """
    recorded = (folder, folder / JOURNAL, folder.parent if folder.name.startswith("episode_") else folder)
    if any((place / INFO).is_file() for place in recorded) or _is_lerobot_dataset(folder):
        raise InvalidArgumentError(f"{folder} contains a dataset of recorded episodes; choose another folder")


def _is_lerobot_dataset(root: Path) -> bool:
    return (root / "meta" / "info.json").is_file()


@dataclass(frozen=True)
class DatasetSettings:
    """Settings of a dataset, which are the same for all of its episodes."""

    format: str = JOURNAL_ONLY
    """Name of the format."""
    repo_id: str | None = None
    """Name of the dataset, user/name, in formats that have names."""
    image_size: int = 0
    """Height and width of the camera images in pixels; 0 for no images."""
    observation_terms: list[str] | None = None
    """Names of the observation terms that are recorded in addition to positions and images."""
    delays: dict[str, float] | None = None
    """Delays of observations and actions, see `gym_hil.core.delays.Delays`."""
    reward: str | None = None
    """File name and SHA-256 of the learned reward that decided about success; None if the task itself did."""


def default_root(settings: DatasetSettings) -> Path:
    """Return the folder in which the library of the format looks for the dataset by its name.

    Raises:
        InvalidArgumentError: the format has no such folder, or the name is not valid.
    """
    if settings.format == JOURNAL_ONLY:
        return no_default_root("")
    dataset_format = DATASET_FORMATS[settings.format]
    return dataset_format.default_root(dataset_format.require(settings.repo_id))


def read_settings(root: Path) -> DatasetSettings | None:
    """Return the settings of the dataset in `root`, or None if there is no dataset."""
    folder = journal_folder(root)
    if not (folder / INFO).is_file():
        return None
    try:
        settings = DatasetSettings(**EpisodeStore(folder).settings)
        require_one_of("format", settings.format, format_names())
        return settings
    except (TypeError, InvalidArgumentError) as error:
        raise InvalidDatasetError(f"{folder / INFO} cannot be read: {error}") from error


class Dataset:
    """A dataset into which episodes are recorded. Each episode is first written to the journal.

    Args:
        root: folder of the dataset.
        env_id: id of the recorded environment.
        settings: settings of the dataset.
        resume: whether to continue in a folder that contains episodes.

    Attributes:
        damage: descriptions of damaged episodes in the journal, by number. They are kept but ignored.

    Raises:
        InvalidDatasetError: the folder contains something else.
        FolderInUseError: another process records into the folder.
        StorageError: the disk is full.
    """

    def __init__(self, root: Path, env_id: str, settings: DatasetSettings, *, resume: bool = False) -> None:
        self.root = root = root.expanduser().resolve()  # Minari takes absolute paths only
        self.settings = settings
        self._writer: Writer | None = None
        if settings.format == JOURNAL_ONLY:
            self.journal = EpisodeStore(root, env_id, resume=resume, settings=asdict(settings))
            self.damage = self.journal.damage()
            return
        dataset_format = DATASET_FORMATS[settings.format]
        name = dataset_format.require(settings.repo_id)
        journal = root / JOURNAL
        if not (journal / INFO).is_file() and not (is_unused(root, but=(JOURNAL,)) and is_unused(journal)):
            raise InvalidDatasetError(
                f"{root} is not empty, and is not a {settings.format} dataset of gym-hil"
            )
        self.journal = EpisodeStore(journal, env_id, resume=resume, settings=asdict(settings))
        try:
            self.damage = self.journal.damage()
            self._writer = dataset_format.writer(root, self.journal, name)
        except BaseException:
            self.journal.close()
            raise

    @property
    def set_aside(self) -> list[str]:
        """Names of incomplete files that a crash had left, now under ``set-aside/``."""
        return [*self.journal.set_aside, *(self._writer.set_aside if self._writer else [])]

    @property
    def changed(self) -> list[str]:
        """Names of files of the other format that were changed after they were written."""
        return self._writer.changed if self._writer else []

    def numbers(self) -> list[int]:
        """Return the numbers of the intact episodes."""
        return [number for number in self.journal.numbers() if number not in self.damage]

    def next_seed(self) -> int:
        """Return the first seed after those of all episodes, damaged ones included.

        Raises:
            InvalidDatasetError: the seed of the last episode is not an integer.
        """
        numbers = self.numbers()
        if not numbers:
            return len(self.damage)
        seed = self.journal.read(numbers[-1]).meta["seed"]
        if not isinstance(seed, int):
            raise InvalidDatasetError(f"{self.journal.path(numbers[-1])} has the seed {seed!r}")
        return seed + 1 + sum(number > numbers[-1] for number in self.damage)

    def missing(self) -> list[int]:
        """Return the numbers of the episodes that are not exported to the other format yet."""
        if self._writer is None:
            return []
        return [number for number in self.numbers() if number not in self._writer.written]

    def write_missing(self, number: int, env: EnvironmentInterface) -> None:
        """Export episode `number` of the journal. `env` renders its images."""
        assert self._writer is not None
        episode = self.journal.read(number)
        self._writer.append(number, episode, render_images(episode, env) if self.settings.image_size else {})

    def append(self, episode: Episode, pictures: CameraImages) -> int:
        """Append an episode.

        Args:
            episode: the episode.
            pictures: its camera images, empty if the dataset has none.

        Returns:
            The number of the episode.

        Raises:
            RecordingError: the episode cannot be written. The message says which episodes are stored.
        """
        try:
            number = self.journal.append(episode)
        except OSError as error:
            raise RecordingError(
                f"the episode was not stored: {error}. The {len(self.journal.numbers())} episodes before it are "
                "stored; free some disk space and continue with --resume"
            ) from error
        if self._writer is not None:
            try:
                self._writer.append(number, episode, pictures)
            except Exception as error:
                raise RecordingError(
                    f"episode {number} is stored in {self.journal.root}, but cannot be exported to "
                    f"{self.settings.format}: {_reason(error)}. Continue with --resume, which exports it again"
                ) from error
        return number

    def complete(self) -> None:
        """Complete all files of the other format, so that a later crash cannot damage them.

        Raises:
            RecordingError: they cannot be completed. The episodes are stored in the journal.
        """
        if self._writer is None:
            return
        try:
            self._writer.close()
        except Exception as error:
            raise RecordingError(
                f"the {self.settings.format} files in {self.root} cannot be completed: {_reason(error)}. All "
                f"episodes are stored in {self.journal.root}; continue with --resume, which exports them again"
            ) from error

    def close(self) -> None:
        """Complete all files and release the folder. Raises the errors of `complete`."""
        try:
            self.complete()
        finally:
            self.journal.close()


def _reason(error: Exception) -> str:
    return reason(error) if isinstance(error, OSError) else str(error)


@dataclass(frozen=True)
class DatasetCondition:
    """Condition of the files of a dataset, described in sentences."""

    damage: tuple[str, ...] = ()
    """Damaged or changed files."""
    notes: tuple[str, ...] = ()
    """Other remarks."""


def dataset_condition(root: Path) -> DatasetCondition:
    """Read and check all files of the dataset in `root`.

    Returns:
        Damaged episodes and changed files of the other format, and remarks about files with unexpected names and
        about episodes that are not exported yet.
    """
    folder = journal_folder(root)
    journal, settings = EpisodeStore(folder), read_settings(root)
    damage = [
        f"episode {number} is damaged: {description}" for number, description in journal.damage().items()
    ]
    notes = [f"{folder / name} is not an episode and is ignored" for name in journal.unexpected_names()]
    if settings is not None and settings.format != JOURNAL_ONLY:
        manifest = Manifest.read(folder / f"{settings.format}.json", DATASET_FORMATS[settings.format].folders)
        texts = [name for name, text in manifest.texts.items() if not _has_text(root / name, text)]
        message = "was changed after it was written; `gym-hil record` with --resume writes it again"
        damage += [f"{root / name} {message}" for name in (*manifest.changed(root), *texts)]
        missing = [number for number in journal.numbers() if number not in manifest.episodes]
        if missing:
            notes.append(
                f"{len(missing)} episodes in {folder} are not in the {settings.format} files, because recording was "
                "interrupted; `gym-hil record` with --resume exports them"
            )
    return DatasetCondition(tuple(damage), tuple(notes))


def _has_text(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()
