"""A folder of episodes that a crash cannot spoil.

An episode is written under a temporary name, flushed to the disk, and renamed: it is there whole or not at
all. What a crash left behind is set aside under ``set-aside/`` and never read.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from gym_hil.errors import InvalidDatasetError
from gym_hil.recording.episode import FRAMES, Episode, state_from_json, state_to_json

INFO = "dataset.json"
FORMAT = "gym-hil episodes"
VERSION = 1
_TEMPORARY = ".writing-"
_ASIDE = "set-aside"
_META, _FRAMES = "meta.json", "frames.npz"


class EpisodeStore:
    """The episodes under `root`.

    Args:
        root: the folder.
        env_id: what is recorded; makes the folder if it is missing. None only reads.
        resume: continue in a folder that has episodes.

    Attributes:
        set_aside: what a crash had left half-written, by name, now under ``set-aside/``.

    Raises:
        InvalidDatasetError: the folder holds something else, or episodes while `resume` is off, or those of
            another environment.
    """

    def __init__(self, root: Path, env_id: str | None = None, *, resume: bool = False) -> None:
        self.root = root
        self.set_aside: list[str] = []
        if env_id is None:
            self.env_id = self._read_info()
            return
        if (root / INFO).is_file():
            self.env_id = self._read_info()
            if self.env_id != env_id:
                raise InvalidDatasetError(f"{root} has episodes of {self.env_id}, not of {env_id}")
            if not resume and self.numbers():
                raise InvalidDatasetError(
                    f"{root} has {len(self.numbers())} episodes; resume, or choose another"
                )
        elif root.exists() and any(root.iterdir()):
            raise InvalidDatasetError(f"{root} is not empty, and no dataset of this package")
        else:
            root.mkdir(parents=True, exist_ok=True)
            self.env_id = env_id
            info = {"format": FORMAT, "version": VERSION, "env_id": env_id}
            _write(root / (_TEMPORARY + INFO), json.dumps(info, indent=2).encode())
            os.replace(root / (_TEMPORARY + INFO), root / INFO)
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
            arrays = {**episode.frames, **{f"final.{key}": value for key, value in episode.final.items()}}
            packed = io.BytesIO()
            np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
            _write(temporary / _FRAMES, packed.getvalue())
            meta = {
                **episode.meta,
                "length": episode.length,
                "success": episode.success,
                "initial": state_to_json(episode.initial),
                "frames_sha256": hashlib.sha256(packed.getvalue()).hexdigest(),
            }
            _write(temporary / _META, json.dumps(meta).encode())
            os.replace(temporary, self._path(number))
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
        path = self._path(number)
        if not path.is_dir():
            raise InvalidDatasetError(f"{self.root} has no episode {number}; it has {self.numbers()}")
        try:
            meta: dict[str, Any] = json.loads((path / _META).read_text())
            packed = (path / _FRAMES).read_bytes()
            if hashlib.sha256(packed).hexdigest() != meta["frames_sha256"]:
                raise InvalidDatasetError(f"{path / _FRAMES} is not what was written")
            with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
                frames = {name: arrays[name] for name in FRAMES}
                final = {
                    name: arrays[f"final.{name}"]
                    for name in ("observation.state", "observation.environment_state")
                }
            initial = state_from_json(meta.pop("initial"))
            length = int(meta["length"])
        except InvalidDatasetError:
            raise
        except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            raise InvalidDatasetError(f"{path} cannot be read: {error!r}") from error
        for name, kind in FRAMES.items():
            if len(frames[name]) != length or frames[name].dtype != kind or length < 1:
                found = f"{frames[name].dtype}, {len(frames[name])} rows"
                raise InvalidDatasetError(f"{path}: {name} is {found}; expected {kind}, {length} rows")
        return Episode(frames, final, initial, meta)

    def _path(self, number: int) -> Path:
        return self.root / f"episode_{number:06d}"

    def _read_info(self) -> str:
        path = self.root / INFO
        try:
            info = json.loads(path.read_text())
            if info["format"] != FORMAT or info["version"] != VERSION:
                raise InvalidDatasetError(
                    f"{path} is {info['format']!r} version {info['version']}; "
                    f"expected {FORMAT!r} version {VERSION}"
                )
            return str(info["env_id"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidDatasetError(f"{self.root} is no dataset of this package: {error!r}") from error

    def _clear_away(self) -> None:
        for path in sorted(self.root.glob(f"{_TEMPORARY}*")):
            aside = self.root / _ASIDE
            aside.mkdir(exist_ok=True)
            name = path.name.removeprefix(".")
            while (aside / name).exists():
                name += "-again"
            os.replace(path, aside / name)
            self.set_aside.append(name)


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
