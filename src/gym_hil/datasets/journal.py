"""A folder of episodes that a crash cannot spoil.

An episode is written under a temporary name, flushed to the disk, and renamed: it is there whole or not at
all. What a crash left behind is set aside under ``set-aside/`` and never read. Every file has its checksum.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gym_hil.core.errors import InvalidDatasetError, InvalidStateError
from gym_hil.datasets.episode import FINAL, FRAMES, Episode, state_from_json, state_to_json

INFO = "dataset.json"
FORMAT = "gym-hil episodes"
VERSION = 2
DEVICE_LOG = "device.jsonl"
_TEMPORARY = ".writing-"
_ASIDE = "set-aside"
_META, _FRAMES, _CHECKSUMS = "meta.json", "frames.npz", "sha256.json"


class EpisodeStore:
    """The episodes under `root`.

    Args:
        root: the folder.
        env_id: what is recorded; makes the folder if it is missing. None only reads.
        resume: continue in a folder that has episodes.
        about: further facts about all of them, JSON; those of an existing folder must be the same, where any
            are given.

    Attributes:
        set_aside: what a crash had left half-written, by name, now under ``set-aside/``.

    Raises:
        InvalidDatasetError: the folder holds something else, or episodes while `resume` is off, or those of
            another environment.
    """

    def __init__(
        self,
        root: Path,
        env_id: str | None = None,
        *,
        resume: bool = False,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.root = root
        self.set_aside: list[str] = []
        if env_id is None:
            self.env_id, self.about = self._read_info()
            return
        if (root / INFO).is_file():
            self.env_id, self.about = self._read_info()
            if self.env_id != env_id:
                raise InvalidDatasetError(f"{root} has episodes of {self.env_id}, not of {env_id}")
            if not resume and self.numbers():
                raise InvalidDatasetError(
                    f"{root} has {len(self.numbers())} episodes; resume, or choose another"
                )
            for name, value in (about or {}).items():
                if value != self.about.get(name):
                    raise InvalidDatasetError(
                        f"{root} was begun with {name}={self.about.get(name)!r}, not {value!r}"
                    )
        elif root.exists() and any(root.iterdir()):
            raise InvalidDatasetError(f"{root} is not empty, and no dataset of this package")
        else:
            root.mkdir(parents=True, exist_ok=True)
            self.env_id, self.about = env_id, dict(about or {})
            info = {"format": FORMAT, "version": VERSION, "env_id": env_id, "about": self.about}
            write_safely(root / INFO, json.dumps(info, indent=2).encode())
        self._clear_away()

    def numbers(self) -> list[int]:
        """Return the numbers of all episodes, ascending."""
        return sorted(int(path.name.removeprefix("episode_")) for path in self.root.glob("episode_[0-9]*"))

    def append(self, episode: Episode) -> int:
        """Write `episode` after all others, and return its number."""
        number = max(self.numbers(), default=-1) + 1
        temporary = self.root / f"{_TEMPORARY}{number:06d}"
        try:
            temporary.mkdir()
            files = _packed(episode)
            checksums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
            for name, content in {**files, _CHECKSUMS: json.dumps(checksums).encode()}.items():
                _write(temporary / name, content)
            _flush_folder(temporary)
            os.replace(temporary, self.path(number))
            _flush_folder(self.root)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        return number

    def read(self, number: int) -> Episode:
        """Return an episode.

        Raises:
            InvalidDatasetError: there is none, or it is not as it was written; the message says why.
        """
        path = self.path(number)
        if not path.is_dir():
            raise InvalidDatasetError(f"{self.root} has no episode {number}; it has {_named(self.numbers())}")
        try:
            files = _checked_files(path)
            meta: dict[str, Any] = json.loads(files[_META])
            with np.load(io.BytesIO(files[_FRAMES]), allow_pickle=False) as arrays:
                frames = {name: arrays[name] for name in FRAMES}
                final = {name: arrays[f"final.{name}"] for name in FINAL}
            initial = state_from_json(meta.pop("initial"))
            length = int(meta["length"])
            log = files.get(DEVICE_LOG, b"").decode()
        except InvalidDatasetError:
            raise
        except (
            OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, InvalidStateError
        ) as error:  # fmt: skip
            raise InvalidDatasetError(f"{path} cannot be read: {error!r}") from error
        for name, kind in FRAMES.items():
            if len(frames[name]) != length or frames[name].dtype != kind or length < 1:
                found = f"{frames[name].dtype}, {len(frames[name])} rows"
                raise InvalidDatasetError(f"{path}: {name} is {found}; expected {kind}, {length} rows")
        return Episode(frames, final, initial, meta, log)

    def path(self, number: int) -> Path:
        """Return the folder of an episode."""
        return self.root / f"episode_{number:06d}"

    def _read_info(self) -> tuple[str, dict[str, Any]]:
        path = self.root / INFO
        try:
            info = json.loads(path.read_text(encoding="utf-8"))
            if info["format"] != FORMAT or info["version"] != VERSION:
                raise InvalidDatasetError(
                    f"{path} is {info['format']!r} version {info['version']}; "
                    f"expected {FORMAT!r} version {VERSION}"
                )
            return str(info["env_id"]), dict(info["about"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidDatasetError(f"{self.root} is no dataset of this package: {error!r}") from error

    def _clear_away(self) -> None:
        for path in sorted(self.root.glob(f"{_TEMPORARY}*")):
            self.set_aside.append(move_aside(path, self.root, path.name.removeprefix(".")))


def _named(numbers: list[int]) -> str:
    return f"{len(numbers)}, the last is {numbers[-1]}" if numbers else "none"


def move_aside(path: Path, root: Path, name: str) -> str:
    """Move `path` under ``set-aside/`` of `root` as `name`, with a number if that is taken; return it."""
    taken, number = name, 1
    while (root / _ASIDE / name).exists():
        number += 1
        name = f"{taken}.{number}"
    target = root / _ASIDE / name
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(path, target)
    return name


def write_safely(path: Path, content: bytes) -> None:
    """Replace the file `path` by `content`, whole or not at all."""
    temporary = path.with_name(_TEMPORARY + path.name)
    _write(temporary, content)
    os.replace(temporary, path)
    _flush_folder(path.parent)


def _packed(episode: Episode) -> dict[str, bytes]:
    arrays = {**episode.frames, **{f"final.{key}": value for key, value in episode.final.items()}}
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
    meta = {
        **episode.meta,
        "length": episode.length,
        "success": episode.success,
        "initial": state_to_json(episode.initial),
    }
    files = {_FRAMES: packed.getvalue(), _META: json.dumps(meta).encode()}
    if episode.device_log:
        files[DEVICE_LOG] = episode.device_log.encode()
    return files


def _checked_files(path: Path) -> dict[str, bytes]:
    """Return the files of an episode by name, each of which is what was written."""
    checksums: dict[str, str] = json.loads((path / _CHECKSUMS).read_text(encoding="utf-8"))
    files = {}
    for name in {*checksums, _META, _FRAMES}:
        files[name] = (path / name).read_bytes()
        if hashlib.sha256(files[name]).hexdigest() != checksums[name]:
            raise InvalidDatasetError(f"{path / name} is not what was written")
    return files


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    if os.name == "posix":
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
