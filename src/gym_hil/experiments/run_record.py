"""The record of a finished run: a JSON file with its result and everything that is needed to repeat it.

A record contains the run's value on every axis of its study, its configuration with version, the versions of all
relevant packages, the commit, the processor, digests of the episodes and of the policy, the learning curve and the last
evaluation. Except for times, the same configuration gives the same record on the same processor with the same versions.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import gym_hil
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.experiments.throughput import processor
from gym_hil.learning.config import TrainConfig, read_config
from gym_hil.learning.episode_store import TrainingEpisodeStore
from gym_hil.learning.learning_curve import CURVE, read_curve
from gym_hil.learning.policy_file import POLICY, TrainedPolicy
from gym_hil.learning.report import RESULT, versions
from gym_hil.learning.run import EPISODES

FORMAT = 1
"""Version of the format of records."""
RECORD = "record.json"
"""Name of the record in a run's folder."""
TIMES = ("wall_s", "updates_per_s")
"""Columns and results that depend on the speed of the machine, and therefore differ between repetitions."""
Record = dict[str, Any]


def make_record(axis_values: Mapping[str, str], config: TrainConfig, folder: Path) -> Record:
    """Return the record of a finished run.

    Args:
        axis_values: its value on every axis of its study.
        config: its configuration.
        folder: its folder, with the episodes.
    """
    points = [asdict(point) for point in read_curve(folder / CURVE)]
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    return {
        "format": FORMAT,
        "place": dict(axis_values),
        "purpose": result["purpose"],
        "config": config.to_json(),
        "commit": commit(),
        "processor": processor(),
        "versions": versions(),
        "episodes_sha256": digest_of_episodes(TrainingEpisodeStore(folder / EPISODES)),
        "policy_sha256": digest_of_policy(folder / POLICY),
        "result": result,
        "curve": {name: [point[name] for point in points] for name in points[0]},
    }


def read_record(path: Path) -> tuple[Record, TrainConfig]:
    """Return a record and its configuration.

    Raises:
        InvalidArgumentError: the record cannot be read, or has another version.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            raise ValueError(f"its format is {record['format']!r}, not {FORMAT}")
        rows = {name: len(column) for name, column in record["curve"].items()}
        if len(set(rows.values())) != 1 or not record["result"]["episodes"] >= 1:
            raise ValueError("its learning curve or its evaluation is incomplete")
        return record, read_config(record["config"], path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidArgumentError(f"{path} is no record of a run: {error!r}") from error


def differences(record: Record, again: Record) -> list[str]:
    """Return the differences between a repetition and a record, except for times."""
    changed = [
        name for name in ("episodes_sha256", "policy_sha256", "purpose") if record.get(name) != again[name]
    ]
    for part in ("result", "curve"):
        names = [name for name in again[part] if name not in (*TIMES, "gym_hil")]
        changed += [f"{part}: {name}" for name in names if record[part].get(name) != again[part][name]]
    return changed


def digest_of_episodes(store: TrainingEpisodeStore) -> str:
    """Return the SHA-256 digest of all episodes of a run, in order."""
    digest = hashlib.sha256()
    for number in range(len(store)):
        for name, value in sorted(vars(store.read(number)).items()):
            _add(digest, name, value)
    return digest.hexdigest()


def digest_of_policy(path: Path) -> str:
    """Return the SHA-256 digest of the weights in a policy file."""
    digest = hashlib.sha256()
    for name, weight in sorted(TrainedPolicy.load(path).weights.items()):
        _add(digest, name, weight)
    return digest.hexdigest()


def commit() -> str | None:
    """Return the commit of the source code, with ``-dirty`` if it was changed; None outside a repository."""
    git = ("git", "-C", str(Path(gym_hil.__file__).parent))
    try:
        for command in ("ls-files --error-unmatch __init__.py", "describe --always --dirty --abbrev=40"):
            done = subprocess.run(
                (*git, *command.split()), capture_output=True, encoding="utf-8", check=True, timeout=60
            )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip().rpartition("-g")[2]


def _add(digest: Any, name: str, value: Any) -> None:
    if isinstance(value, np.ndarray):
        digest.update(f"{name}:{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    else:
        digest.update(f"{name}={value!r}".encode())
