"""The folder of a training run: it belongs to one process, and to one configuration."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.files import FolderLock, is_unused, make_folder, remove_leftovers
from gym_hil.learning.config import CONFIG, TrainConfig


def open_folder(config: TrainConfig, out: Path, *, resume: bool) -> FolderLock:
    """Prepare the folder `out` for a run.

    Args:
        config: configuration of the run.
        out: the folder.
        resume: whether to continue a run in the folder.

    Returns:
        The lock that prevents other processes from using the folder.

    Raises:
        InvalidArgumentError: `out` contains a run, and `resume` is false or its configuration differs; or it
            contains something else.
        FolderInUseError: another process uses the folder.
    """
    if not (out / CONFIG).is_file() and not is_unused(out):
        raise InvalidArgumentError(f"{out} is not empty, and does not contain a training run")
    make_folder(out)
    lock = FolderLock(out)
    try:
        _prepare(config, out, resume=resume)
    except BaseException:
        lock.release()
        raise
    return lock


def _prepare(config: TrainConfig, out: Path, *, resume: bool) -> None:
    remove_leftovers(out)
    if (out / CONFIG).is_file():
        if not resume:
            raise InvalidArgumentError(
                f"{out} contains a run already; use --resume to continue it, or choose another folder"
            )
        stored = TrainConfig.load(out / CONFIG)
        wrong = [
            f"{field.name}={getattr(config, field.name)!r} instead of {getattr(stored, field.name)!r}"
            for field in fields(TrainConfig)
            if field.name != "robot_minutes" and getattr(config, field.name) != getattr(stored, field.name)
        ]
        if wrong:
            raise InvalidArgumentError(f"{out} contains a run with other settings: {'; '.join(wrong)}")
    config.save(out / CONFIG)
