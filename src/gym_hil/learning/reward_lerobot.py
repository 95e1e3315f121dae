"""Labelled camera images from LeRobotDatasets that this package has not recorded.

A row contains the observation before a step, and the reward after it. All observations after the first rewarded step
are labelled as success. If the episode ends with this step, there are none, and its last observation is labelled as
success instead. The observations in the last `HESITATION_S` seconds before the success have no label.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.errors import InvalidArgumentError, MissingExtraError
from gym_hil.datasets.camera_images import IMAGES
from gym_hil.datasets.dataset import JOURNAL
from gym_hil.datasets.journal import INFO
from gym_hil.envs.cameras import OBSERVATION_CAMERAS
from gym_hil.learning.reward_labels import HESITATION_S, NO_SUCCESS, SUCCESS, UNKNOWN
from gym_hil.learning.reward_observation import OUTSIDE, RewardInterface, camera_terms, pack_images

VERDICTS = ("next.success", "next.reward")
"""Columns with the result of a step; the first one that exists is read."""


def is_lerobot_dataset(root: Path) -> bool:
    """Return whether a folder contains a LeRobotDataset without this package's own episodes."""
    if not (root / "meta" / "info.json").is_file():
        return False
    return not any((folder / INFO).is_file() for folder in (root, root / JOURNAL))


def lerobot_episodes(
    root: Path, size: int
) -> tuple[RewardInterface, float, list[tuple[NDArray[np.uint8], NDArray[np.int8]]]]:
    """Return the interface, the time between rows (s), and the rows and labels of every episode of a LeRobotDataset.

    Args:
        root: folder of the dataset.
        size: height and width of the images in pixels.

    Raises:
        InvalidArgumentError: `size` is 0, or the dataset lacks a camera or all of `VERDICTS`.
        MissingExtraError: LeRobot is not installed.
    """
    if importlib.util.find_spec("lerobot") is None:
        raise MissingExtraError("lerobot", "lerobot", "Reading a LeRobotDataset")
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    dataset: Any = LeRobotDataset(f"local/{root.name}", root=root, video_backend="pyav")
    keys = [IMAGES + camera for camera in OBSERVATION_CAMERAS]
    missing = [key for key in keys if key not in dataset.features]
    verdict = next((name for name in VERDICTS if name in dataset.features), None)
    if not size:
        raise InvalidArgumentError(f"{root} has no simulated state, so that a reward must observe images")
    if missing or verdict is None:
        wanted = ", ".join(missing) or " or ".join(VERDICTS)
        raise InvalidArgumentError(f"{root} has no {wanted}, only {', '.join(sorted(dataset.features))}")
    task = str(dataset.meta.tasks.index[0])
    interface = RewardInterface(task=task, robot=OUTSIDE, observation=camera_terms(size))
    rows: dict[int, list[NDArray[np.uint8]]] = {}
    rewarded: dict[int, list[bool]] = {}
    for frame in (dataset[number] for number in range(len(dataset))):
        number = int(frame["episode_index"])
        rows.setdefault(number, []).append(pack_images([_image(frame[key]) for key in keys], size))
        rewarded.setdefault(number, []).append(bool(frame[verdict] > 0))
    hesitation = round(HESITATION_S * dataset.fps)
    episodes = [
        (np.stack(rows[number]), labels_from_rewards(rewarded[number], hesitation)) for number in rows
    ]
    return interface, 1.0 / dataset.fps, episodes


def labels_from_rewards(rewarded: list[bool], hesitation: int) -> NDArray[np.int8]:
    """Return the labels of observations before steps.

    Args:
        rewarded: whether each step was rewarded.
        hesitation: number of observations before the first reward that have no label.
    """
    labels = np.full(len(rewarded), NO_SUCCESS, np.int8)
    if any(rewarded):
        first = rewarded.index(True)
        labels[max(0, first - hesitation) : first + 1] = UNKNOWN
        labels[min(first + 1, len(rewarded) - 1) :] = SUCCESS
    return labels


def _image(pixels: Any) -> NDArray[np.uint8]:
    """Return an image (height, width, 3) from a tensor (3, height, width, in [0, 1])."""
    image: NDArray[np.uint8] = (pixels.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    return image
