"""The configuration of a training run, as data with a version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import Any

import gymnasium as gym

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError, require_one_of
from gym_hil.core.files import write_atomically
from gym_hil.intervention.limits import DEFAULT_PRESET, PRESET_NAMES
from gym_hil.intervention.named import PEOPLE, teacher_names
from gym_hil.learning.methods import METHODS
from gym_hil.stacks.ids import is_foreign

CONFIG = "config.json"
"""Name of the file in a run's folder."""
VERSION = 3
"""Of the fields of `TrainConfig` and of what they mean. It grows whenever a saved configuration would mean
another run today; results of different versions are not compared."""
SECONDS_PER_MINUTE = 60.0
IMAGE_DEFAULTS = {"updates_per_step": 1, "batch_size": 64, "learning_rate": 1e-3}
"""Defaults of some fields for images. With fewer samples and larger steps, two CPU cores keep up with a
person."""


def defaults_for(env_id: str, obs: str) -> dict[str, Any]:
    """Return the defaults that differ from those of `TrainConfig`, for an environment and what is observed."""
    defaults = dict(IMAGE_DEFAULTS) if obs == "pixels" else {}
    if is_foreign(env_id):
        env = gym.make(env_id)
        defaults["control_dt"] = float(EnvironmentInterface(env).control_dt)
        env.close()
    return defaults


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One run. With a simulated human, or none, the same configuration gives the same result, bit for bit,
    on the same machine and with the same versions of all packages.
    """

    env_id: str
    """A base id with state observations, which also says the robot: ``gym_hil/PandaPickCubeStateBase-v1``; or
    the id of another package's environment."""
    control_dt: float = 0.1
    """Seconds per control step; an environment of another package has its own."""
    obs: str = "state"
    """What the policy observes: ``"state"``, the positions of all objects; or ``"pixels"``, two cameras and
    its own end effector."""
    image_size: int = 64
    """Pixels along a side of an image."""
    device: str = "auto"
    """Of the learner's networks; ``"auto"`` takes a GPU for pixels, if there is one."""
    method: str = "hil"
    """A name in `gym_hil.learning.methods.METHODS`."""
    operator: str = "simulated"
    """Who demonstrates and takes over; ``"none"`` for demonstrations without a human afterwards."""
    preset: str = DEFAULT_PRESET
    """Limits of the simulated human, a name in `gym_hil.intervention.limits.PRESETS`. Humans let the policy try
    for a while: one who takes over at once leaves the policy nothing to practise."""
    robot_minutes: float = 10.0
    """Simulated minutes, demonstrations included."""
    demos: int = 20
    """Demonstrated episodes before learning starts."""
    seed: int = 0
    """Seed of everything. `gym_hil.learning.seeds` says which seeds are for development and which for
    reports."""
    updates_per_step: int = 4
    """Gradient steps per control step."""
    batch_size: int = 256
    """Half from demonstrations and interventions, half from all experience."""
    imitation: float = 0.2
    """Weight of the behaviour cloning loss of ``hil``; 0 for RLPD's loss."""
    gamma: float = 0.95
    """Discount per control step."""
    learning_rate: float = 3e-4
    annealing: float = 0.5
    """Fraction of the run, at its end, over which the learning rate of ``hil`` falls linearly to a
    twentieth; 0 for never."""
    entropy: float = 0.01
    """Entropy coefficient at the start; it is tuned from there."""
    tau: float = 0.01
    """Fraction of the critic that the target critic takes over per update."""
    width: int = 128
    """Units in each of the two hidden layers."""
    block_steps: int = 10
    """Control steps that are acted with the same weights, and sent to the learner together."""
    eval_every_steps: int = 600
    """Control steps between evaluations without a human."""
    eval_episodes: int = 20
    """Episodes of the evaluations on the way."""
    final_episodes: int = 100
    """Episodes of the last evaluation."""

    def __post_init__(self) -> None:
        """Validate the fields.

        Raises:
            InvalidArgumentError: a field has a value that cannot be used; the message names it.
        """
        require_one_of("obs", self.obs, ("state", "pixels"))
        if not 16 <= self.image_size <= 512:
            raise InvalidArgumentError(f"image_size={self.image_size!r} must be from 16 to 512")
        require_one_of("method", self.method, METHODS)
        require_one_of("operator", self.operator, teacher_names())
        require_one_of("preset", self.preset, PRESET_NAMES)
        for name in ("robot_minutes", "control_dt"):
            if not getattr(self, name) > 0:
                raise InvalidArgumentError(f"{name}={getattr(self, name)!r} must be positive")
        counts = (
            "updates_per_step",
            "batch_size",
            "width",
            "block_steps",
            "eval_every_steps",
            "eval_episodes",
        )
        for name in (*counts, "final_episodes"):
            if getattr(self, name) < 1:
                raise InvalidArgumentError(f"{name}={getattr(self, name)!r} must be at least 1")
        if not 0 <= self.annealing <= 1:
            raise InvalidArgumentError(f"annealing={self.annealing!r} must be from 0 to 1")
        for name in ("imitation", "demos", "seed"):
            if not getattr(self, name) >= 0:
                raise InvalidArgumentError(f"{name}={getattr(self, name)!r} must be at least 0")

    @property
    def steps_per_minute(self) -> float:
        """Control steps of a robot minute."""
        return SECONDS_PER_MINUTE / self.control_dt

    @property
    def total_steps(self) -> int:
        """Control steps of the whole run."""
        return round(self.robot_minutes * self.steps_per_minute)

    @property
    def pixels(self) -> int:
        """Pixels along a side of the policy's images; 0 without images."""
        return self.image_size if self.obs == "pixels" else 0

    @property
    def real_time(self) -> bool:
        """Whether a person operates: then steps take as long as they take on a robot, and nothing waits."""
        return self.operator in PEOPLE

    def env_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments that the run's environments are made with."""
        return {} if is_foreign(self.env_id) else {"control_dt": self.control_dt}

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return asdict(self)

    def to_json(self) -> dict[str, Any]:
        """Return the fields, their version and the package's version as plain data."""
        return {"version": VERSION, "gym_hil": package_version(), **asdict(self)}

    def save(self, path: Path) -> None:
        """Write as JSON."""
        write_atomically(path, json.dumps(self.to_json(), indent=2).encode() + b"\n")

    @classmethod
    def load(cls, path: Path) -> TrainConfig:
        """Read what `save` wrote.

        Raises:
            InvalidArgumentError: there is no such file, it is no configuration, or it is one of another
                version.
        """
        try:
            saved = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidArgumentError(f"{path} is no training configuration: {error}") from error
        return read_config(saved, path)


def read_config(saved: Any, path: Path, *, for_policy: bool = False) -> TrainConfig:
    """Return the configuration that `TrainConfig.to_json` gave.

    Args:
        saved: what was read from a file.
        path: the file, for messages.
        for_policy: the configuration only says how to use a policy, and is not compared with others. One of
            an earlier version is accepted then, and fields that it lacks have their defaults.

    Raises:
        InvalidArgumentError: it is no configuration, or one of another version.
    """
    if not isinstance(saved, Mapping):
        raise InvalidArgumentError(f"{path} is no training configuration: it is {type(saved).__name__}")
    known = {field.name: field for field in fields(TrainConfig)}
    values = {name: value for name, value in saved.items() if name not in ("version", "gym_hil")}
    version = saved.get("version", 1)
    if type(version) is not int or version > VERSION or (version < VERSION and not for_policy):
        raise InvalidArgumentError(
            f"{path} has a configuration of version {version!r}, written by gym-hil "
            f"{saved.get('gym_hil', '0.1.15 or earlier')}; this is version {VERSION}, and runs "
            "of different versions cannot be compared or continued"
        )
    unknown = [name for name in values if name not in known]
    missing = [name for name in known if name not in values]
    if unknown or (missing and version == VERSION) or "env_id" in missing:
        wrong = ", ".join(
            [*(f"{name!r} is not known" for name in unknown), *(f"{m!r} is missing" for m in missing)]
        )
        raise InvalidArgumentError(f"{path} is no training configuration: {wrong}")
    try:
        for name, value in values.items():
            _require_type(name, value, str(known[name].type))
        return TrainConfig(**values)
    except TypeError as error:
        raise InvalidArgumentError(f"{path} is no training configuration: {error}") from error


def package_version() -> str:
    """Return the version of this package."""
    try:
        return metadata.version("gym-hil")
    except metadata.PackageNotFoundError:
        return "not installed"


def _require_type(name: str, value: Any, kind: str) -> None:
    valid: tuple[type, ...] = {"str": (str,), "int": (int,), "float": (int, float)}[kind]
    if isinstance(value, bool) or not isinstance(value, valid):
        raise TypeError(f"{name}={value!r} must be of type {kind}")
