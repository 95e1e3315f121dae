"""Export of episodes as a LeRobotDataset v3, by LeRobot's own writer.

LeRobot writes the footers of its files only at the end, in `LeRobotWriter.close`.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from gym_hil.core.errors import InvalidArgumentError, MissingExtraError
from gym_hil.datasets.camera_images import CameraImages
from gym_hil.datasets.episode import Episode
from gym_hil.datasets.formats.registry import DatasetFormat
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.datasets.manifest import Manifest, files_below, flush_files, restore_to_manifest

MANIFEST = "lerobot.json"
FOLDERS = ("meta", "data", "videos", "images")
CAMERA_KEY = "observation.images.{}"
ACTION_NAMES = ("delta_x", "delta_y", "delta_z", "gripper")
COMPLETE_EVERY = 50
"""Number of episodes after which all files are completed, so that a crash cannot damage them afterwards."""
_TEMPORARY = ".new-dataset"
_ENCODING = re.compile("tmp[a-z0-9_]{8}")
"""Names of the temporary folders in which LeRobot encodes videos, as given by Python's `tempfile`."""
_REWRITTEN = ("meta/info.json", "meta/stats.json")
"""Files that LeRobot replaces with every episode. All others do not change once they are complete."""
_SCALARS = {
    "next.reward": "float32",
    "next.done": "bool",
    "next.truncated": "bool",
    "next.success": "bool",
    "complementary_info.discrete_penalty": "float32",
    "complementary_info.is_intervention": "bool",
    "intervention": "bool",
    "intervention_id": "int64",
}


def require_lerobot(repo_id: str | None) -> str:
    """Return `repo_id` if a LeRobotDataset of this name can be written.

    Raises:
        InvalidArgumentError: `repo_id` is not ``user/name``, or this Python is too old for LeRobot.
        MissingExtraError: LeRobot is not installed.
    """
    if repo_id is None or repo_id.count("/") != 1 or not all(repo_id.split("/")):
        raise InvalidArgumentError(f"repo_id={repo_id!r} must look like user/name")
    if sys.version_info < (3, 12):
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise InvalidArgumentError(f"LeRobot needs Python 3.12 or newer; this is {version}")
    if importlib.util.find_spec("lerobot") is None or importlib.util.find_spec("datasets") is None:
        raise MissingExtraError("lerobot", "lerobot", "Writing a LeRobotDataset")
    return repo_id


def default_root(repo_id: str) -> Path:
    """Return the folder in which LeRobot looks for the dataset `repo_id`."""
    from lerobot.utils.constants import HF_LEROBOT_HOME

    return Path(HF_LEROBOT_HOME) / repo_id


def features(episode: Episode, pictures: CameraImages) -> dict[str, dict[str, Any]]:
    """Return LeRobot's feature description of the frames of `episode`."""

    def describe_vector(name: str, names: tuple[str, ...] | None) -> dict[str, Any]:
        shape = episode.frames[name].shape[1:]
        return {"dtype": "float32", "shape": shape, "names": list(names) if names else None}

    actions = ACTION_NAMES[: episode.frames["action"].shape[1]]
    described = {
        **{name: describe_vector(name, None) for name in _observed_vectors(episode)},
        **{name: describe_vector(name, actions) for name in ("action", "policy_action", "human_action")},
        **{name: {"dtype": kind, "shape": (1,), "names": None} for name, kind in _SCALARS.items()},
    }
    for name in episode.extra_terms:
        rows = episode.frames[name]
        described[name] = {"dtype": str(rows.dtype), "shape": rows.shape[1:], "names": None}
    described["complementary_info.discrete_penalty"]["names"] = ["discrete_penalty"]
    for camera, images in pictures.items():
        height, width, channels = images[0].shape
        described[CAMERA_KEY.format(camera)] = {
            "dtype": "video",
            "shape": (channels, height, width),
            "names": ["channels", "height", "width"],
        }
    return described


def _observed_vectors(episode: Episode) -> list[str]:
    """Return the names of the observed vectors. Empty ones are left out, because LeRobot does not support them."""
    names = ("observation.state", "observation.environment_state")
    return [name for name in names if episode.frames[name].size]


def frame(episode: Episode, pictures: CameraImages, step: int) -> dict[str, Any]:
    """Return one frame as an argument for LeRobot's `add_frame`."""
    rows = episode.frames
    scalars = {**rows, "intervention": rows["complementary_info.is_intervention"]}
    vectors = (*_observed_vectors(episode), "action", "policy_action", "human_action")
    return {
        **{name: rows[name][step] for name in (*vectors, *episode.extra_terms)},
        **{name: np.array([scalars[name][step]], kind) for name, kind in _SCALARS.items()},
        **{CAMERA_KEY.format(camera): images[step] for camera, images in pictures.items()},
        "task": episode.meta["task"],
    }


class LeRobotWriter:
    """Exports episodes to a LeRobotDataset; see `gym_hil.datasets.formats.registry.Writer`.

    Args:
        root: folder of the dataset.
        journal: journal of the dataset.
        repo_id: name of the dataset, user/name.
    """

    def __init__(self, root: Path, journal: EpisodeStore, repo_id: str) -> None:
        self.root, self.journal, self.repo_id = root, journal, repo_id
        self._dataset_class = _lerobot_dataset()
        self._dataset: Any = None
        self._incomplete = 0
        manifest, self.changed, self.set_aside = restore_to_manifest(
            root, journal, journal.root / MANIFEST, FOLDERS
        )
        self.written = list(manifest.episodes)
        self._checksums = manifest.files
        encoding = (path for path in root.glob("tmp*") if _ENCODING.fullmatch(path.name))
        for leftover in (root / _TEMPORARY, *encoding, *([] if manifest.texts else [root / "meta"])):
            shutil.rmtree(leftover, ignore_errors=True)

    def append(self, number: int, episode: Episode, pictures: CameraImages) -> None:
        """Append an episode. Files are completed by `close`, and after every `COMPLETE_EVERY` episodes."""
        try:
            dataset = self._open(episode, pictures)
            for step in range(episode.length):
                dataset.add_frame(frame(episode, pictures, step))
            dataset.save_episode(parallel_encoding=False)
        except BaseException:
            self._dataset = None  # it is incomplete and must not get a manifest
            raise
        self.written.append(number)
        self._incomplete += 1
        if self._incomplete == COMPLETE_EVERY:
            self.close()

    def close(self) -> None:
        """Complete all files and write the manifest. It may be called more than once."""
        if self._dataset is None:
            return
        dataset, self._dataset, self._incomplete = self._dataset, None, 0
        dataset.finalize()
        names = files_below(self.root, FOLDERS)
        unchanging = [name for name in names if name not in _REWRITTEN]
        self._checksums = flush_files(self.root, unchanging, self._checksums)
        Manifest(
            self.written,
            self._checksums,
            {name: (self.root / name).read_text(encoding="utf-8") for name in _REWRITTEN},
        ).write(self.journal.root / MANIFEST)

    def _open(self, episode: Episode, pictures: CameraImages) -> Any:
        if self._dataset is not None:
            return self._dataset
        if not (self.root / "meta").exists():
            # LeRobot requires a new folder, but this one already contains the journal.
            new = self._dataset_class.create(
                self.repo_id,
                int(episode.meta["fps"]),
                features(episode, pictures),
                root=self.root / _TEMPORARY,
                use_videos=bool(pictures),
                video_backend="pyav",
            )
            new.finalize()
            os.replace(self.root / _TEMPORARY / "meta", self.root / "meta")
            shutil.rmtree(self.root / _TEMPORARY)
        self._dataset = self._dataset_class.resume(
            self.repo_id,
            root=self.root,
            video_backend="pyav",
            streaming_encoding=bool(pictures),
            encoder_queue_maxsize=100_000,  # LeRobot drops frames when it is full
        )
        _silence_libraries()
        return self._dataset


def _lerobot_dataset() -> Any:
    os.environ.setdefault("SVT_LOG", "1")
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    return LeRobotDataset


def _silence_libraries() -> None:
    """Silence LeRobot's libraries, whose output would disturb that of the command. Loading a dataset resets this."""
    import av

    import datasets

    datasets.disable_progress_bars()
    av.logging.set_libav_level(av.logging.ERROR)


FORMAT = DatasetFormat(
    help="LeRobotDataset v3, ready for `lerobot-train`",
    writer=LeRobotWriter,
    folders=FOLDERS,
    require=require_lerobot,
    default_root=default_root,
    image_size=128,
)
