"""The registry of dataset formats. Other packages register formats by the entry points ``gym_hil.dataset_formats``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.registry import Registry

if TYPE_CHECKING:
    from gym_hil.datasets.camera_images import CameraImages
    from gym_hil.datasets.episode import Episode
    from gym_hil.datasets.journal import EpisodeStore

JOURNAL_ONLY = "episodes"
"""Name of the package's own format, the journal, which needs no writer."""


class Writer(Protocol):
    """Exports the episodes of a journal to another format.

    After a crash, the manifest of `gym_hil.datasets.manifest` tells which files are complete.

    Attributes:
        written: numbers of the exported episodes in the journal, in the order of the export.
        changed: names of files that were changed after they were written. All files are then exported again.
        set_aside: names of files that were moved to the journal's ``set-aside/``.
    """

    written: list[int]
    changed: list[str]
    set_aside: list[str]

    def append(self, number: int, episode: Episode, pictures: CameraImages) -> None:
        """Append an episode.

        Args:
            number: number of the episode in the journal.
            episode: the episode.
            pictures: camera images by the name of the camera, (height, width, 3) uint8, before every step and at
                the end; empty if the dataset has no images.
        """

    def close(self) -> None:
        """Complete all files and write the manifest. It may be called more than once."""


def any_name(repo_id: str | None) -> str:
    """Accept any name, for formats that do not use it."""
    return repo_id or ""


def no_default_root(repo_id: str) -> Path:
    """Raise an error, for formats that have no default folder."""
    raise InvalidArgumentError("root is missing: name the folder to record into (--root)")


@dataclass(frozen=True, kw_only=True)
class DatasetFormat:
    """A format to which episodes can be exported."""

    help: str
    """Description in one line."""
    writer: Callable[[Path, EpisodeStore, str], Writer]
    """Opens a dataset, given its folder, journal and name."""
    folders: tuple[str, ...]
    """Folders of the exported files. Their manifest is ``<name of the format>.json`` in the journal."""
    require: Callable[[str | None], str] = any_name
    """Returns the dataset's name if a dataset of this name can be written, and raises `InvalidArgumentError` or
    `MissingExtraError` otherwise."""
    default_root: Callable[[str], Path] = no_default_root
    """Returns the folder in which the format's own library looks for a dataset of this name."""
    image_size: int = 0
    """Default height and width of camera images in pixels; 0 for no images."""


DATASET_FORMATS: Registry[DatasetFormat] = Registry(
    "format",
    "gym_hil.dataset_formats",
    {
        "lerobot": "gym_hil.datasets.formats.lerobot:FORMAT",
        "minari": "gym_hil.datasets.formats.minari:FORMAT",
    },
)
"""The formats for export by name."""


def format_names() -> tuple[str, ...]:
    """Return the names of all formats."""
    return (JOURNAL_ONLY, *DATASET_FORMATS)
