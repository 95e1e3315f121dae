"""Which files of another format were whole.

A library that writes such files may end them late, and a crash then leaves what nobody can read. A seal in
the journal says, each time the files have been closed in order, what there was. Without it nothing counts:
it is set aside, and written again from the episodes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gym_hil.core.errors import InvalidDatasetError
from gym_hil.datasets.journal import EpisodeStore, move_aside, write_safely


@dataclass(frozen=True)
class Seal:
    """What was whole when the files were closed."""

    episodes: list[int] = field(default_factory=list)
    """Numbers in the journal of the episodes that the files hold, in their order."""
    files: dict[str, int] = field(default_factory=dict)
    """Files that no longer change, by path below the dataset's folder, and their sizes (bytes)."""
    texts: dict[str, str] = field(default_factory=dict)
    """Files that are replaced with every episode, and their content."""

    def write(self, path: Path) -> None:
        """Write it to `path`, whole or not at all."""
        write_safely(path, json.dumps(asdict(self)).encode())

    @classmethod
    def read(cls, path: Path) -> Seal:
        """Return the seal in the file `path`; an empty one where there is none.

        Raises:
            InvalidDatasetError: the file holds something else.
        """
        if not path.exists():
            return cls()
        try:
            seal = json.loads(path.read_text(encoding="utf-8"))
            return cls(list(seal["episodes"]), dict(seal["files"]), dict(seal["texts"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidDatasetError(f"{path} cannot be read: {error!r}") from error


def files_below(root: Path, folders: Iterable[str]) -> list[str]:
    """Return the paths below `root` of all files in its `folders`."""
    found = (path for folder in folders for path in (root / folder).rglob("*") if path.is_file())
    return sorted(path.relative_to(root).as_posix() for path in found)


def flushed(root: Path, names: Iterable[str]) -> dict[str, int]:
    """Return the sizes (bytes) of files below `root`, each of which is then on the disk."""
    sizes = {}
    for name in names:
        with (root / name).open("rb+") as file:
            os.fsync(file.fileno())
            sizes[name] = os.fstat(file.fileno()).st_size
    return sizes


def go_back_to_seal(
    root: Path, journal: EpisodeStore, path: Path, folders: Iterable[str]
) -> tuple[Seal, list[str]]:
    """Make the `folders` below `root` what the seal in the file `path` says, and return it, with the names of
    what was set aside. Where the files are not what was sealed, or the journal lacks an episode that they
    hold, nothing counts.
    """
    seal = Seal.read(path)
    changed = any(not _has_size(root / name, size) for name, size in seal.files.items())
    if changed or journal.numbers()[: len(seal.episodes)] != seal.episodes:
        seal = Seal()
    kept = {*seal.files, *seal.texts}
    set_aside = [
        move_aside(root / name, journal.root, f"{path.stem}/{name}")
        for name in files_below(root, folders)
        if name not in kept
    ]
    for name, text in seal.texts.items():
        write_safely(root / name, text.encode())
    return seal, set_aside


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
