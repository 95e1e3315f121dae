"""Export of episodes as a Minari dataset, the Farama Foundation's format for offline reinforcement learning."""

from __future__ import annotations

import copy
import importlib.metadata
import importlib.util
import re
import shutil
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.core.errors import InvalidArgumentError, MissingExtraError
from gym_hil.datasets.camera_images import CameraImages
from gym_hil.datasets.episode import OBSERVED, Episode
from gym_hil.datasets.formats.registry import DatasetFormat
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.datasets.manifest import Manifest, files_below, flush_files, restore_to_manifest
from gym_hil.datasets.replay import DEFAULT_SIZE
from gym_hil.simulation.rendering import GymRenderingSpec

MANIFEST = "minari.json"
DATA = "data"
"""Folder of Minari's files, which are read by ``minari.MinariDataset(root / "data")``."""
FOLDERS = (DATA,)
INFOS = {
    schema.IS_INTERVENTION: "complementary_info.is_intervention",
    schema.INTERVENTION_ID: "intervention_id",
    schema.POLICY_ACTION: "policy_action",
    schema.HUMAN_ACTION: "human_action",
    schema.IS_SUCCESS: "next.success",
    schema.DISCRETE_PENALTY: "complementary_info.discrete_penalty",
}
"""Info keys, and the arrays of an episode that contain their values."""
_NEW = ".new-data"
_NAME = re.compile(r"[-_\w]+(/[-_\w]+)*-v\d+")


def require_minari(repo_id: str | None) -> str:
    """Return `repo_id` if a Minari dataset of this name can be written.

    Raises:
        InvalidArgumentError: Minari does not accept `repo_id` as a name.
        MissingExtraError: Minari is not installed.
    """
    if repo_id is None or not _NAME.fullmatch(repo_id):
        raise InvalidArgumentError(f"repo_id={repo_id!r} must look like user/name-v0 for Minari")
    for package in ("minari", "h5py"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "minari", "Writing a Minari dataset")
    return repo_id


def default_root(repo_id: str) -> Path:
    """Return the folder in which Minari looks for the dataset `repo_id`."""
    from minari.storage import get_dataset_path

    return Path(get_dataset_path(repo_id))


class MinariWriter:
    """Exports episodes to ``root/data``; see `gym_hil.datasets.formats.registry.Writer`.

    It writes to a copy, which replaces the folder in `close`.

    Args:
        root: folder of the dataset.
        journal: journal of the dataset.
        repo_id: name of the dataset, such as user/name-v0.
    """

    def __init__(self, root: Path, journal: EpisodeStore, repo_id: str) -> None:
        self.root, self.journal, self.repo_id = root, journal, repo_id
        self._storage: Any = None
        shutil.rmtree(root / _NEW, ignore_errors=True)
        manifest, self.changed, self.set_aside = restore_to_manifest(
            root, journal, journal.root / MANIFEST, FOLDERS
        )
        self.written = list(manifest.episodes)
        if not manifest.files:
            shutil.rmtree(root / DATA, ignore_errors=True)

    def append(self, number: int, episode: Episode, pictures: CameraImages) -> None:
        """Append an episode, which has this number in the journal."""
        from minari.data_collector import EpisodeBuffer

        try:
            storage = self._open(episode, pictures)
            buffer = EpisodeBuffer(
                seed=episode.meta["seed"],
                observations=observations(episode, pictures),
                actions=episode.frames["action"],
                rewards=episode.frames["next.reward"],
                terminations=episode.frames["next.done"] & ~episode.frames["next.truncated"],
                truncations=episode.frames["next.truncated"],
                infos=infos(episode),
            )
            storage.update_episodes([buffer])
            facts = {name: episode.meta[name] for name in ("end", "operator", "policy", "model_sha256")}
            storage.update_episode_metadata([{**facts, "journal": number}], [len(self.written)])
        except BaseException:
            self._storage = None  # it is incomplete and must not get a manifest
            raise
        self.written.append(number)

    def close(self) -> None:
        """Replace the folder by the copy and write the manifest. It may be called more than once."""
        if self._storage is None:
            return
        self._storage = None
        shutil.rmtree(self.root / DATA, ignore_errors=True)
        (self.root / _NEW).rename(self.root / DATA)
        names = files_below(self.root, FOLDERS)
        Manifest(self.written, flush_files(self.root, names, known={})).write(self.journal.root / MANIFEST)

    def _open(self, episode: Episode, pictures: CameraImages) -> Any:
        if self._storage is not None:
            return self._storage
        from minari.dataset.minari_storage import MinariStorage

        new, old = self.root / _NEW, self.root / DATA
        if old.exists():
            shutil.copytree(old, new)
            self._storage = MinariStorage.read(new)
            return self._storage
        self._storage = MinariStorage.new(new, **self._spaces(pictures))
        self._storage.update_metadata(
            {
                "dataset_id": self.repo_id,
                "minari_version": importlib.metadata.version("minari"),
                "algorithm_name": f"{episode.meta['operator']} over {episode.meta['policy']}",
                "description": episode.meta["task"],
                "requirements": [f"gym-hil=={episode.meta['gym_hil']}", f"mujoco=={episode.meta['mujoco']}"],
            }
        )
        return self._storage

    def _spaces(self, pictures: CameraImages) -> dict[str, Any]:
        spec = copy.deepcopy(gym.spec(self.journal.env_id.replace("Base-v", "-v")))
        spec.kwargs["image_obs"] = bool(pictures)
        if terms := self.journal.settings.get("observation_terms"):
            spec.kwargs["observation_terms"] = ["proprioception", "rgb" if pictures else "objects", *terms]
        size = self.journal.settings["image_size"] or DEFAULT_SIZE
        env = gym.make(spec, render_spec=GymRenderingSpec(height=size, width=size))
        env.close()
        return {
            "observation_space": env.observation_space,
            "action_space": env.action_space,
            "env_spec": spec,
        }


def observations(episode: Episode, pictures: CameraImages) -> dict[str, Any]:
    """Return the observations before every step and at the end, in the format of the environment."""

    def with_final(name: str) -> NDArray[Any]:
        return np.concatenate([episode.frames[name], episode.final[name][None]])

    result: dict[str, Any] = {schema.AGENT_POS: with_final("observation.state")}
    if pictures:
        result[schema.PIXELS] = {camera: np.stack(images) for camera, images in pictures.items()}
    else:
        result[schema.ENVIRONMENT_STATE] = with_final("observation.environment_state")
    for name in episode.extra_terms:
        key, _, camera = name.removeprefix(OBSERVED).partition(".")
        if camera:
            result.setdefault(key, {})[camera] = with_final(name)
        else:
            result[key] = with_final(name)
    return result


def infos(episode: Episode) -> dict[str, NDArray[Any]]:
    """Return the infos of the reset and of every step, one row each. The row of the reset contains neutral values."""
    by_key = {}
    for key, name in INFOS.items():
        rows = episode.frames[name]
        first = np.zeros_like(rows[:1])
        if rows.ndim > 1:
            first[:, 3:] = schema.GripperCommand.STAY
        by_key[key] = np.concatenate([first, rows])
    return by_key


FORMAT = DatasetFormat(
    help="the Farama Foundation's format",
    writer=MinariWriter,
    folders=FOLDERS,
    require=require_minari,
    default_root=default_root,
)
