"""Logging of losses and results to TensorBoard, Weights & Biases or Trackio by Stable-Baselines3's logger."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stable_baselines3.common.logger import KVWriter, Logger, TensorBoardOutputFormat

from gym_hil.core.errors import MissingExtraError, require_one_of

TENSORBOARD = "tensorboard"
"""Folder of TensorBoard's files within a run's folder."""
TRACKERS = ("wandb", "trackio")
"""Services to which a run can be logged in addition to TensorBoard. Each is a package, and an extra of the same
name."""
PROJECT = "gym-hil"
"""Name of the project in these services."""

log = logging.getLogger(__name__)


class TrackerWriter(KVWriter):
    """Logs to a service whose package has the functions `init`, `log` and `finish` of Weights & Biases.

    Args:
        tracker: name of the package, one of `TRACKERS`.
        name: name of the run.
        config: configuration that is stored with the run.

    Raises:
        MissingExtraError: the package is not installed.
    """

    def __init__(self, tracker: str, name: str, config: Mapping[str, Any]) -> None:
        require_one_of("track", tracker, TRACKERS)
        try:
            self._package = importlib.import_module(tracker)
        except ImportError as error:
            raise MissingExtraError(tracker, tracker, f"Tracking a run with {tracker}") from error
        self._package.init(project=PROJECT, name=name, config=dict(config))

    def write(
        self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0
    ) -> None:
        """Log the values of one step."""
        self._package.log(dict(key_values), step=step)

    def close(self) -> None:
        """Finish the run."""
        self._package.finish()


def open_logger(out: Path, config: Mapping[str, Any], track: Sequence[str] = ()) -> Logger:
    """Return the logger of a run. It writes TensorBoard's files into the run's folder, if TensorBoard is
    installed.

    Args:
        out: the run's folder.
        config: the run's configuration.
        track: names of further services from `TRACKERS`.

    Raises:
        MissingExtraError: the package of a service is not installed.
    """
    writers: list[KVWriter] = [TrackerWriter(tracker, out.name, config) for tracker in track]
    try:
        writers.append(TensorBoardOutputFormat(str(out / TENSORBOARD)))
    except (ImportError, AssertionError):
        log.info("Losses are not logged, because TensorBoard is not installed: pip install tensorboard")
    return Logger(str(out), writers)
