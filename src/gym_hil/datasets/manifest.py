"""Manifests: lists of the complete files of an exported format, with checksums.

Libraries may complete the files of a format long after they begin them, so that a crash leaves unreadable files.
Each time the files have been completed, a manifest of them is written into the journal. Files that are not in the
manifest are set aside, and exported again from the episodes.
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
class Manifest:
    """The complete files of a dataset at one time."""

    episodes: list[int] = field(default_factory=list)
    """Numbers of the exported episodes in the journal, in the order of the export."""
    files: dict[str, str | int] = field(default_factory=dict)
    """Final files by their path in the dataset's folder, with their SHA-256, or their size in bytes if the manifest
    was written by version 0.1.15 or earlier."""
    texts: dict[str, str] = field(default_factory=dict)
    """Files that are replaced with every episode, with their content."""

    def write(self, path: Path) -> None:
        """Write the manifest to `path` atomically."""
        write_atomically(path, json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path, folders: Iterable[str]) -> Manifest:
        """Read a manifest.

        Args:
            path: the file. If it does not exist, the manifest is empty.
            folders: folders that may contain the listed files. Other paths are refused, because `texts` are
                written again.

        Raises:
            InvalidDatasetError: the file is not a manifest.
        """
        if not path.exists():
            return cls()
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            manifest = cls(list(facts["episodes"]), dict(facts["files"]), dict(facts["texts"]))
            if not all(isinstance(number, int) for number in manifest.episodes):
                raise ValueError(f"episodes are {manifest.episodes}")
            if not all(isinstance(text, str) for text in manifest.texts.values()):
                raise ValueError("an entry of texts is not a string")
            for name in (*manifest.files, *manifest.texts):
                parts = PurePosixPath(name).parts
                if not parts or parts[0] not in set(folders) or ".." in parts:
                    raise ValueError(f"{name!r} is outside the dataset")
            return manifest
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InvalidDatasetError(f"{path} cannot be read: {error!r}") from error

    def changed(self, root: Path) -> list[str]:
        """Return the names of files in `root` that are missing or were changed."""
        return [name for name, checksum in self.files.items() if not _is_unchanged(root / name, checksum)]


def files_below(root: Path, folders: Iterable[str]) -> list[str]:
    """Return the paths of all files in the `folders` of `root`, relative to `root`."""
    paths = (path for folder in folders for path in (root / folder).rglob("*") if path.is_file())
    return sorted(path.relative_to(root).as_posix() for path in paths)


def flush_files(root: Path, names: Iterable[str], known: Mapping[str, str | int]) -> dict[str, str | int]:
    """Flush files to the disk and return their SHA-256.

    Args:
        root: folder of the files.
        names: paths of the files relative to `root`.
        known: files with known checksums, which are not read again.
    """
    for name in (names := list(names)):
        if name not in known:
            flush(root / name)
    return {name: known[name] if name in known else sha256(root / name) for name in names}


def restore_to_manifest(
    root: Path, journal: EpisodeStore, path: Path, folders: Iterable[str]
) -> tuple[Manifest, list[str], list[str]]:
    """Restore the files of a dataset to the state of its last manifest.

    If a listed file was changed, or the journal lacks an exported episode, all files are set aside.

    Args:
        root: folder of the dataset.
        journal: journal of the dataset.
        path: file of the manifest.
        folders: folders of the dataset that contain the exported files.

    Returns:
        The manifest, the names of changed files, and the names of files that were set aside.
    """
    folders = tuple(folders)
    manifest = Manifest.read(path, folders)
    changed = manifest.changed(root)
    if changed or not set(manifest.episodes) <= set(journal.numbers()):
        manifest = Manifest()
    kept = {*manifest.files, *manifest.texts}
    set_aside = [
        move_aside(root / name, journal.root, f"{path.stem}/{name}")
        for name in files_below(root, folders)
        if name not in kept
    ]
    for name, text in manifest.texts.items():
        make_folder((root / name).parent)
        write_atomically(root / name, text)
    return manifest, changed, set_aside


def _is_unchanged(path: Path, checksum: str | int) -> bool:
    if not path.is_file():
        return False
    return path.stat().st_size == checksum if isinstance(checksum, int) else sha256(path) == checksum


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
