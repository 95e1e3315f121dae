"""A study as data: a base configuration, and axes along which runs differ.

A file in TOML or JSON::

    title = "Does the human help?"

    [base]                      # fields of `TrainConfig`; `task` stands for `env_id`
    task = "PandaPickCube-v1"
    robot_minutes = 5

    [axes]
    seed = [0, 1, 2, 3, 4]      # a list: values of the field of that name

    [axes.human]                # a table: settings by name, each of several fields
    "with" = {operator = "simulated"}
    "without" = {operator = "none"}

Every combination is a run. Runs that differ only in their seed form a group.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gym_hil.core.errors import InvalidArgumentError, MissingExtraError, suggestion
from gym_hil.learning.config import TrainConfig, defaults_for
from gym_hil.learning.seeds import DEVELOPMENT_SEEDS, Purpose, purpose_of_run

SEED = "seed"
KEYS = ("title", "base", "axes")
FIELDS = ("task", *(field.name for field in fields(TrainConfig) if field.name != "env_id"))


@dataclass(frozen=True)
class StudyRun:
    """One run of a study."""

    axis_values: Mapping[str, str]
    """The run's value on every axis, as shown in tables."""
    config: TrainConfig

    @property
    def name(self) -> str:
        """Name of the run's folder."""
        return "--".join(
            slug(value if axis != SEED else f"seed-{value}") for axis, value in self.axis_values.items()
        )

    @property
    def group(self) -> tuple[str, ...]:
        """The run's value on every axis except the seed."""
        return tuple(value for axis, value in self.axis_values.items() if axis != SEED)


@dataclass(frozen=True)
class Study:
    """The runs of a study."""

    title: str
    runs: tuple[StudyRun, ...]

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the axes except the seed."""
        return tuple(axis for axis in self.runs[0].axis_values if axis != SEED)

    @property
    def groups(self) -> dict[tuple[str, ...], list[StudyRun]]:
        """Runs that differ only in their seed, by their values on the other axes."""
        groups: dict[tuple[str, ...], list[StudyRun]] = {}
        for run in self.runs:
            groups.setdefault(run.group, []).append(run)
        return groups

    @property
    def purpose(self) -> Purpose:
        """Purpose of the study: its seeds are either for development or for reports."""
        return purpose_of_run(self.runs[0].config.seed)

    @property
    def robot_minutes(self) -> float:
        """Simulated time of all runs (min)."""
        return sum(run.config.robot_minutes for run in self.runs)

    def only_seed(self, seed: int) -> Study:
        """Return the study with the runs of one seed.

        Raises:
            InvalidArgumentError: no run has this seed.
        """
        seeds = sorted({run.config.seed for run in self.runs})
        if seed not in seeds:
            raise InvalidArgumentError(f"seed={seed} is not in the study; it has {seeds}")
        return Study(self.title, tuple(run for run in self.runs if run.config.seed == seed))


def load_study(path: Path, to_env_id: Callable[[str], str]) -> Study:
    """Read a study.

    Args:
        path: the file.
        to_env_id: returns the base id of a `task`.

    Raises:
        InvalidArgumentError: the file cannot be read, or defines invalid runs.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix == ".json" else _parse_toml(text)
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"{path} cannot be read as a study: {error}") from error
    for key in data:
        if key not in KEYS:
            raise InvalidArgumentError(f"{path}: {key!r} is not known{suggestion(key, KEYS)}")
    base, axes = data.get("base", {}), data.get("axes", {})
    if not isinstance(base, dict) or not isinstance(axes, dict):
        raise InvalidArgumentError(f"{path}: base and axes must be tables")
    settings_of_axes = [[(axis, *value) for value in _settings(path, axis, axes[axis])] for axis in axes]
    runs = []
    for combination in itertools.product(*settings_of_axes):
        given = dict(base)
        for _, _, setting in combination:
            given.update(setting)
        axis_values = {axis: label for axis, label, _ in combination}
        runs.append(StudyRun(axis_values, _config(path, given, to_env_id)))
    names = [run.name for run in runs]
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate is not None:
        raise InvalidArgumentError(f"{path}: two runs have the name {duplicate!r}")
    purposes = {purpose_of_run(run.config.seed) for run in runs}
    if len(purposes) > 1:
        raise InvalidArgumentError(
            f"{path}: seeds {DEVELOPMENT_SEEDS.start} to {DEVELOPMENT_SEEDS.stop - 1} are for development "
            "and all others for reports; the seeds of a study must be of one kind"
        )
    return Study(str(data.get("title", path.stem)), tuple(runs))


def slug(text: str) -> str:
    """Return `text` with only letters, digits, dots and hyphens, for file names."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-")


def _parse_toml(text: str) -> dict[str, Any]:
    try:
        import tomllib
    except ImportError:  # Python 3.10
        try:
            import tomli as tomllib
        except ImportError as error:
            raise MissingExtraError("tomli", "study", "A study in TOML on Python 3.10") from error
    return tomllib.loads(text)


def _settings(path: Path, axis: str, values: Any) -> list[tuple[str, dict[str, Any]]]:
    if isinstance(values, list) and values:
        return [(str(value), {axis: value}) for value in values]
    if isinstance(values, dict) and values and all(isinstance(setting, dict) for setting in values.values()):
        return list(values.items())
    raise InvalidArgumentError(
        f"{path}: axis {axis!r} must be a list of values, or a table of settings that are tables"
    )


def _config(path: Path, given: dict[str, Any], to_env_id: Callable[[str], str]) -> TrainConfig:
    defaults: dict[str, Any] = {field.name: field.default for field in fields(TrainConfig)}
    chosen: dict[str, Any] = {}
    for name, value in given.items():
        if name not in FIELDS:
            raise InvalidArgumentError(f"{path}: field {name!r} is not known{suggestion(name, FIELDS)}")
        kind = str if name == "task" else type(defaults[name])
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise InvalidArgumentError(f"{path}: {name}={value!r} must be of type {kind.__name__}")
        chosen[name] = value
    if "task" not in chosen:
        raise InvalidArgumentError(f"{path}: no task is given")
    env_id = to_env_id(chosen.pop("task"))
    obs, method = (chosen.get(name, defaults[name]) for name in ("obs", "method"))
    return TrainConfig(env_id=env_id, **{**defaults_for(env_id, obs, method), **chosen})
