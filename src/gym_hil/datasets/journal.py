"""The journal: a folder of episodes that a crash cannot damage.

An episode is written under a temporary name, flushed to the disk and renamed, so that it exists completely or not
at all. Incomplete files that a crash leaves are moved to ``set-aside/`` and never read. Every file has a checksum,
and only one process can write at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.archives import pack, unpack
from gym_hil.core.errors import InvalidDatasetError
from gym_hil.core.files import TEMPORARY, FolderLock, is_unused, make_folder, replacing, write_atomically
from gym_hil.core.schema import with_present_keys
from gym_hil.datasets.episode import FINAL, FRAMES, OBSERVED, Episode, state_from_json, state_to_json

INFO = "dataset.json"
FORMAT = "gym-hil episodes"
VERSION = 2
DEVICE_LOG = "device.jsonl"
_ASIDE = "set-aside"
_META, _FRAMES, _CHECKSUMS = "meta.json", "frames.npz", "sha256.json"
_EPISODE = re.compile("episode_([0-9]{6,})")
_TEXTS = ("task", "end", "gym_hil", "mujoco")
"""Entries of an episode's meta that must be strings."""


class EpisodeStore:
    """The episodes in a folder.

    Args:
        root: the folder.
        env_id: id of the recorded environment. If given, the folder is created if needed, and other processes
            cannot write into it until `close`. None opens the folder for reading only.
        resume: whether to continue in a folder that contains episodes.
        settings: settings of the dataset as JSON values. They must be equal to those of an existing folder.

    Attributes:
        set_aside: names of incomplete files that a crash had left, now under ``set-aside/``.

    Raises:
        InvalidDatasetError: the folder contains something else, episodes of another environment, or episodes
            although `resume` is false.
        FolderInUseError: another process writes into the folder.
        StorageError: the folder cannot be created, for instance because the disk is full.
    """

    def __init__(
        self,
        root: Path,
        env_id: str | None = None,
        *,
        resume: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.root = root
        self.set_aside: list[str] = []
        self._lock: FolderLock | None = None
        if env_id is None:
            self.env_id, self.settings = self._read_info()
            return
        if not (root / INFO).is_file() and not is_unused(root):
            raise InvalidDatasetError(f"{root} is not empty, and is not a dataset of gym-hil")
        make_folder(root)
        self._lock = FolderLock(root)
        try:
            if (root / INFO).is_file():
                self._continue(env_id, settings or {}, resume=resume)
            else:
                self.env_id, self.settings = env_id, dict(settings or {})
                info = {"format": FORMAT, "version": VERSION, "env_id": env_id, "settings": self.settings}
                write_atomically(root / INFO, json.dumps(info, indent=2))
            for path in sorted(root.glob(f"{TEMPORARY}*")):
                self.set_aside.append(move_aside(path, root, path.name.removeprefix(".")))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Release the folder for other processes. It may be called more than once."""
        if self._lock is not None:
            self._lock.release()

    def numbers(self) -> list[int]:
        """Return the numbers of all episodes in ascending order, damaged ones included."""
        return sorted(number for number in self._numbered() if self.path(number).is_dir())

    def unexpected_names(self) -> list[str]:
        """Return the names that begin with ``episode`` but do not belong to an episode. They are ignored."""
        known = {self.path(number).name for number in self.numbers()}
        return sorted(path.name for path in self.root.glob("episode*") if path.name not in known)

    def damage(self) -> dict[int, str]:
        """Return descriptions of the damaged episodes by number."""
        damaged = {}
        for number in self.numbers():
            try:
                _checked_files(self.path(number))
            except InvalidDatasetError as error:
                damaged[number] = str(error)
        return damaged

    def append(self, episode: Episode) -> int:
        """Append an episode, and return its number.

        Raises:
            StorageError: the episode cannot be written. Nothing of it remains, and the others are unchanged.
        """
        number = max(self._numbered(), default=-1) + 1
        files = _packed(episode)
        checksums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        with replacing(self.path(number)) as temporary:
            temporary.mkdir()
            for name, content in {**files, _CHECKSUMS: json.dumps(checksums).encode()}.items():
                (temporary / name).write_bytes(content)
        return number

    def read(self, number: int) -> Episode:
        """Return the episode with this number.

        Raises:
            InvalidDatasetError: the episode does not exist or is damaged.
        """
        path = self.path(number)
        if not path.is_dir():
            raise InvalidDatasetError(f"{self.root} has no episode {number}; it has {_count(self.numbers())}")
        files = _checked_files(path)
        try:
            return _unpacked(files)
        except Exception as error:  # the parsers raise many types of errors for invalid files
            raise InvalidDatasetError(f"{path} cannot be read: {error}") from error

    def path(self, number: int) -> Path:
        """Return the folder of an episode."""
        return self.root / f"episode_{number:06d}"

    def _numbered(self) -> set[int]:
        """Return all numbers that occur in names of the folder."""
        matches = (_EPISODE.match(path.name) for path in self.root.glob("episode_*"))
        return {int(match[1]) for match in matches if match}

    def _continue(self, env_id: str, settings: Mapping[str, Any], *, resume: bool) -> None:
        self.env_id, self.settings = self._read_info()
        if self.env_id != env_id:
            raise InvalidDatasetError(f"{self.root} has episodes of {self.env_id}, not of {env_id}")
        if not resume and self.numbers():
            raise InvalidDatasetError(
                f"{self.root} contains {len(self.numbers())} episodes; "
                "add to them with --resume (resume=True), or choose another folder"
            )
        for name, value in settings.items():
            if value != self.settings.get(name):
                raise InvalidDatasetError(
                    f"{self.root} was created with {name}={self.settings.get(name)!r}, not {value!r}"
                )

    def _read_info(self) -> tuple[str, dict[str, Any]]:
        path = self.root / INFO
        try:
            info = with_present_keys(json.loads(path.read_text(encoding="utf-8")))
            if info["format"] != FORMAT or info["version"] != VERSION:
                raise InvalidDatasetError(
                    f"{path} is {info['format']!r} version {info['version']}; "
                    f"expected {FORMAT!r} version {VERSION}"
                )
            return str(info["env_id"]), dict(info["settings"])
        except InvalidDatasetError:
            raise
        except FileNotFoundError as error:
            reason = f"is not a dataset of gym-hil: it has no file {INFO}"
            raise InvalidDatasetError(
                f"{self.root} {reason if self.root.exists() else 'does not exist'}"
            ) from error
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InvalidDatasetError(f"{self.root} is not a dataset of gym-hil: {error!r}") from error


def _count(numbers: list[int]) -> str:
    return f"{len(numbers)}, the last is {numbers[-1]}" if numbers else "none"


def move_aside(path: Path, root: Path, name: str) -> str:
    """Move `path` to ``set-aside/`` in `root` as `name`, or with a suffix if that exists, and return the name."""
    original, number = name, 1
    while (root / _ASIDE / name).exists():
        number += 1
        name = f"{original}.{number}"
    target = root / _ASIDE / name
    make_folder(target.parent)
    os.replace(path, target)
    return name


def _packed(episode: Episode) -> dict[str, bytes]:
    arrays = {**episode.frames, **{f"final.{key}": value for key, value in episode.final.items()}}
    meta = {
        **episode.meta,
        "length": episode.length,
        "success": episode.success,
        "initial": state_to_json(episode.initial),
    }
    files = {_FRAMES: pack(None, arrays, compress=True), _META: json.dumps(meta).encode()}
    if episode.device_log:
        files[DEVICE_LOG] = episode.device_log.encode()
    return files


def _unpacked(files: Mapping[str, bytes]) -> Episode:
    """Return the episode in `files`. For invalid files, this raises errors of various types."""
    meta: dict[str, Any] = json.loads(files[_META])
    for name in _TEXTS:
        if not isinstance(meta[name], str):
            raise ValueError(f"{name} is {meta[name]!r}")
    for name, least in (("length", 1), ("fps", 1e-3), ("late_steps", 0)):
        number = meta.get(name, 0) if name == "late_steps" else meta[name]
        if not isinstance(number, (int, float)) or not least <= number < 1e6:
            raise ValueError(f"{name} is {number!r}")
    initial = state_from_json(meta.pop("initial"))
    _, arrays = unpack(files[_FRAMES])
    extra_terms = [name for name in arrays if name.startswith(OBSERVED) and name not in FRAMES]
    frames = {name: arrays[name] for name in (*FRAMES, *extra_terms)}
    final = {name: arrays[f"final.{name}"] for name in (*FINAL, *extra_terms)}
    _require_rows(frames, final, int(meta["length"]))
    return Episode(frames, final, initial, meta, files.get(DEVICE_LOG, b"").decode())


def _require_rows(frames: Mapping[str, NDArray[Any]], final: Mapping[str, NDArray[Any]], length: int) -> None:
    for name, rows in frames.items():
        kind = FRAMES.get(name, rows.dtype)
        if rows.ndim < 1 or len(rows) != length or rows.dtype != kind or length < 1:
            raise ValueError(f"{name} is {rows.dtype} {rows.shape}; expected {kind}, {length} rows")
    for name, row in final.items():
        if row.shape != frames[name].shape[1:] or row.dtype != frames[name].dtype:
            raise ValueError(f"the last row of {name} is {row.dtype} {row.shape}")
    if not all(np.isfinite(frames[name]).all() for name in ("action", "physics")):
        raise ValueError("an action or a state has a value that is not a finite number")


def _checked_files(path: Path) -> dict[str, bytes]:
    """Return the contents of an episode's files by name, after comparing their checksums.

    Raises:
        InvalidDatasetError: a file is missing, cannot be read or was changed.
    """
    try:
        checksums: dict[str, str] = json.loads((path / _CHECKSUMS).read_text(encoding="utf-8"))
        names = {_META, _FRAMES} | ({DEVICE_LOG} if (path / DEVICE_LOG).exists() else set())
        if set(checksums) != names:
            raise InvalidDatasetError(f"{path} has {sorted(names)}, and checksums of {sorted(checksums)}")
        files = {name: (path / name).read_bytes() for name in names}
        for name, content in files.items():
            if hashlib.sha256(content).hexdigest() != checksums[name]:
                raise InvalidDatasetError(f"{path / name} was changed after it was written")
        return files
    except InvalidDatasetError:
        raise
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InvalidDatasetError(f"{path} cannot be read: {error}") from error
