"""Which files of another format were whole.

A library that writes such files may end them late, and a crash then leaves what nobody can read. A seal in
the journal says, each time the files have been closed in order, what there was, with checksums. Without it
nothing counts: it is set aside, and written again from the episodes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

from gym_hil.core.errors import InvalidDatasetError
from gym_hil.core.files import flush, make_folder, write_atomically
from gym_hil.datasets.journal import EpisodeStore, move_aside


@dataclass(frozen=True)
class Seal:
    """What was whole when the files were closed."""

    episodes: list[int] = field(default_factory=list)
    """Numbers in the journal of the episodes that the files hold, in their order."""
    files: dict[str, str | int] = field(default_factory=dict)
    """Files that no longer change, by path below the dataset's folder, and their SHA-256. Up to version
    0.1.15 it was their size (bytes)."""
    texts: dict[str, str] = field(default_factory=dict)
    """Files that are replaced with every episode, and their content."""

    def write(self, path: Path) -> None:
        """Write it to `path`, whole or not at all."""
        write_atomically(path, json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path, folders: Iterable[str]) -> Seal:
        """Return the seal in the file `path`; an empty one where there is none.

        Args:
            path: the file.
            folders: those in which sealed files may be. A name that leads elsewhere is refused, because the
                sealed texts are written again.

        Raises:
            InvalidDatasetError: the file holds something else.
        """
        if not path.exists():
            return cls()
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            seal = cls(list(facts["episodes"]), dict(facts["files"]), dict(facts["texts"]))
            if not all(isinstance(number, int) for number in seal.episodes):
                raise ValueError(f"episodes are {seal.episodes}")
            if not all(isinstance(text, str) for text in seal.texts.values()):
                raise ValueError("a text is something else")
            for name in (*seal.files, *seal.texts):
                parts = PurePosixPath(name).parts
                if not parts or parts[0] not in set(folders) or ".." in parts:
                    raise ValueError(f"{name!r} is outside the dataset")
            return seal
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InvalidDatasetError(f"{path} cannot be read: {error!r}") from error

    def changed(self, root: Path) -> list[str]:
        """Return the sealed files below `root` that are missing or not what was written."""
        return [name for name, seal in self.files.items() if not _is_sealed(root / name, seal)]


def files_below(root: Path, folders: Iterable[str]) -> list[str]:
    """Return the paths below `root` of all files in its `folders`."""
    found = (path for folder in folders for path in (root / folder).rglob("*") if path.is_file())
    return sorted(path.relative_to(root).as_posix() for path in found)


def flushed(root: Path, names: Iterable[str], known: Mapping[str, str | int]) -> dict[str, str | int]:
    """Return the SHA-256 of files below `root`, each of which is then on the disk. Those that are `known`
    already no longer change, and are not read again.
    """
    for name in (names := list(names)):
        if name not in known:
            flush(root / name)
    return {name: known[name] if name in known else _sha256(root / name) for name in names}


def go_back_to_seal(
    root: Path, journal: EpisodeStore, path: Path, folders: Iterable[str]
) -> tuple[Seal, list[str], list[str]]:
    """Make the `folders` below `root` what the seal in the file `path` says. Where a file is not what was
    sealed, or the journal lacks an episode that they hold, nothing counts.

    Returns:
        The seal; the names of files that are not what was written; and the names of what was set aside.
    """
    folders = tuple(folders)
    seal = Seal.read(path, folders)
    changed = seal.changed(root)
    if changed or not set(seal.episodes) <= set(journal.numbers()):
        seal = Seal()
    kept = {*seal.files, *seal.texts}
    set_aside = [
        move_aside(root / name, journal.root, f"{path.stem}/{name}")
        for name in files_below(root, folders)
        if name not in kept
    ]
    for name, text in seal.texts.items():
        make_folder((root / name).parent)
        write_atomically(root / name, text)
    return seal, changed, set_aside


def _is_sealed(path: Path, seal: str | int) -> bool:
    if not path.is_file():
        return False
    return path.stat().st_size == seal if isinstance(seal, int) else _sha256(path) == seal


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
