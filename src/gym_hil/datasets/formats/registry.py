"""Dataset formats by name. Other packages add theirs through the entry-point group ``gym_hil.dataset_formats``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.registry import Registry

if TYPE_CHECKING:
    from gym_hil.datasets.camera_images import Pictures
    from gym_hil.datasets.episode import Episode
    from gym_hil.datasets.journal import EpisodeStore

JOURNAL_ONLY = "episodes"
"""Name of this package's own format, which is the journal and needs no writer."""


class Writer(Protocol):
    """Writes the episodes of a journal in another format. `gym_hil.datasets.manifest` has what it needs to find
    out, after a crash, which of its files are whole.

    Attributes:
        written: the numbers of the journal's episodes that the dataset has, in its order.
        changed: files that are not what was written, by name; all files are then written again.
        set_aside: what was found and does not count, by name, now under the journal's ``set-aside/``.
    """

    written: list[int]
    changed: list[str]
    set_aside: list[str]

    def append(self, number: int, episode: Episode, pictures: Pictures) -> None:
        """Write an episode after all others.

        Args:
            number: of the episode in the journal.
            episode: what to write.
            pictures: by the camera's name an image (height, width, 3) uint8 before every step, and the one at the
                end; empty where none are asked for.
        """

    def close(self) -> None:
        """End all files, and seal them. Calling it twice is allowed."""


def any_name(repo_id: str | None) -> str:
    """Return the name of a dataset whose format does not use it."""
    return repo_id or ""


def no_default_root(repo_id: str) -> Path:
    """Refuse to record where no folder is given."""
    raise InvalidArgumentError("root is missing: say in which folder to record")


@dataclass(frozen=True, kw_only=True)
class DatasetFormat:
    """A format that episodes can be written in besides the journal."""

    help: str
    """One line that says what the format is."""
    writer: Callable[[Path, EpisodeStore, str], Writer]
    """Opens the dataset in a folder, beside its journal, under a name."""
    folders: tuple[str, ...]
    """Folders of the dataset that hold its files. The journal's file ``<name of the format>.json`` seals them."""
    require: Callable[[str | None], str] = any_name
    """Returns the dataset's name if it can be written here under that name, and raises `InvalidArgumentError` or
    `MissingExtraError` otherwise."""
    default_root: Callable[[str], Path] = no_default_root
    """Returns where the format's own library looks for a dataset by name."""
    image_size: int = 0
    """Height and width of the pictures if nothing else is said (pixels); 0 for none."""


DATASET_FORMATS: Registry[DatasetFormat] = Registry(
    "format",
    "gym_hil.dataset_formats",
    {
        "lerobot": "gym_hil.datasets.formats.lerobot:FORMAT",
        "minari": "gym_hil.datasets.formats.minari:FORMAT",
    },
)
"""The formats besides this package's own."""


def format_names() -> tuple[str, ...]:
    """Return the names of all formats."""
    return (JOURNAL_ONLY, *DATASET_FORMATS)
