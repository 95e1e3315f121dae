"""The configuration of a training run, with a version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import Any

import gymnasium as gym

from gym_hil.core.delays import Delays
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError, require_one_of
from gym_hil.core.files import write_atomically
from gym_hil.intervention.limits import DEFAULT_PRESET, PRESET_NAMES
from gym_hil.intervention.named import PEOPLE, SIMULATED, training_operator_names
from gym_hil.learning.methods import METHODS
from gym_hil.learning.observation_kind import OBSERVATIONS, ObservationKind
from gym_hil.stacks.ids import is_external

CONFIG = "config.json"
"""Name of the configuration file in a run's folder."""
VERSION = 4
"""Version of the fields of `TrainConfig` and their meaning. It is incremented whenever a saved configuration would
give a different run. Results of different versions are not compared."""
SECONDS_PER_MINUTE = 60.0
DELAYS = tuple(field.name for field in fields(Delays))
OPTIONAL_FIELDS = frozenset({*DELAYS, "reward", "takeover_after_s"})
"""Fields that a saved configuration of this version may lack, because their defaults do not change a run."""
IMAGE_DEFAULTS = {"updates_per_step": 1, "batch_size": 64, "learning_rate": 1e-3}
"""Defaults of some fields for image observations. With them, two CPU cores learn fast enough while a person drives in
real time."""


def version_of(method: str) -> int:
    """Return the version of a method's configurations: `VERSION` and the method's own `revision`.

    Args:
        method: name of the method. An unknown method has no revision.
    """
    return VERSION + (METHODS.get(method).revision if method in METHODS else 0)


def defaults_for(env_id: str, obs: str, method: str) -> dict[str, Any]:
    """Return the defaults that differ from those of `TrainConfig`.

    Args:
        env_id: id of the environment.
        obs: name of the policy's observation.
        method: the learning method.

    Returns:
        The defaults by the names of the fields.
    """
    defaults = METHODS.get(method).defaults(env_id, obs)
    if obs == "pixels":
        defaults |= IMAGE_DEFAULTS
    if is_external(env_id):
        env = gym.make(env_id)
        defaults["control_dt"] = float(EnvironmentInterface(env).control_dt)
        env.close()
    return defaults


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Configuration of one training run.

    Without a person, the same configuration gives bitwise the same result on the same machine with the same
    versions of all packages.
    """

    env_id: str
    """Base id with state observations, such as ``gym_hil/PandaPickCubeStateBase-v1``, or the id of another package's
    environment."""
    control_dt: float = 0.1
    """Duration of a control step (s). Environments of other packages define their own."""
    obs: str = "state"
    """Observation of the policy, see `gym_hil.learning.observation_kind.ObservationKind`."""
    image_size: int = 64
    """Height and width of an image in pixels."""
    device: str = "auto"
    """Torch device of the learner; ``"auto"`` uses a GPU for pixels if there is one."""
    method: str = "hil"
    """Learning method, a name in `gym_hil.learning.methods.METHODS`."""
    operator: str = "simulated"
    """Operator who demonstrates and takes over; ``"none"`` for scripted demonstrations without takeovers."""
    preset: str = DEFAULT_PRESET
    """Preset of the simulated human, a name in `gym_hil.intervention.limits.PRESETS`. The default waits before it takes
    over, so that the policy gathers experience of its own."""
    robot_minutes: float = 10.0
    """Simulated time of the run (min), including demonstrations."""
    demos: int = 20
    """Number of demonstrations before training."""
    seed: int = 0
    """Seed of the run. `gym_hil.learning.seeds` defines which seeds are for development and which for reports."""
    updates_per_step: int = 4
    """Number of gradient steps per control step."""
    batch_size: int = 256
    """Number of transitions per gradient step: half from demonstrations and interventions, half from all."""
    imitation: float = 0.2
    """Weight of the behaviour cloning loss of ``hil``; 0 gives the loss of RLPD."""
    gamma: float = 0.95
    """Discount factor per control step."""
    learning_rate: float = 3e-4
    """Learning rate of all networks."""
    annealing: float = 0.5
    """The learning rate of ``hil`` decreases linearly to a twentieth over this final fraction of the updates that all
    control steps of the run would have; 0 keeps it constant. Demonstrations have no updates, and end the decrease
    earlier."""
    entropy: float = 0.01
    """Initial entropy coefficient, which is then tuned automatically."""
    tau: float = 0.01
    """Coefficient of the soft update of the target critic."""
    width: int = 128
    """Number of units in each of the two hidden layers."""
    block_steps: int = 10
    """Number of control steps with the same weights, which are sent to the learner together."""
    eval_every_steps: int = 600
    """Number of control steps between evaluations without a human."""
    eval_episodes: int = 20
    """Number of episodes of each evaluation during the run."""
    final_episodes: int = 100
    """Number of episodes of the last evaluation."""
    takeover_after_s: float = 0.0
    """Time without progress after which the simulated human takes over (s); 0 for that of the preset."""
    observation_delay: float = 0.0
    """Age of observations (s), in training and evaluation."""
    action_delay: float = 0.0
    """Time from an action to the beginning of its execution (s)."""
    jitter: float = 0.0
    """Largest further delay of every observation and every action (s)."""
    reward: str = ""
    """File of `gym-hil reward train`, which decides about success in training. If it is empty, the task itself does, as
    it always does in evaluations."""

    def __post_init__(self) -> None:
        """Validate the fields.

        Raises:
            InvalidArgumentError: a field has an invalid value.
        """
        require_one_of("obs", self.obs, OBSERVATIONS)
        if not 16 <= self.image_size <= 512:
            raise InvalidArgumentError(f"image_size={self.image_size!r} must be from 16 to 512")
        require_one_of("method", self.method, METHODS)
        require_one_of("operator", self.operator, training_operator_names())
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
        if self.takeover_after_s and self.operator not in SIMULATED:
            raise InvalidArgumentError(
                f"takeover_after_s={self.takeover_after_s!r} needs a simulated human, not operator={self.operator!r}"
            )
        for name in ("imitation", "demos", "seed", "takeover_after_s"):
            if not getattr(self, name) >= 0:
                raise InvalidArgumentError(f"{name}={getattr(self, name)!r} must be at least 0")

    @property
    def steps_per_minute(self) -> float:
        """Number of control steps per robot minute."""
        return SECONDS_PER_MINUTE / self.control_dt

    @property
    def total_steps(self) -> int:
        """Number of control steps of the whole run."""
        return round(self.robot_minutes * self.steps_per_minute)

    @property
    def observation(self) -> ObservationKind:
        """What the policy observes."""
        return ObservationKind(self.obs, self.image_size)

    @property
    def real_time(self) -> bool:
        """Whether the operator is a person, with whom steps run in real time and never wait for the learner."""
        return self.operator in PEOPLE

    def env_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of the run's environments."""
        delays = {name: getattr(self, name) for name in DELAYS if getattr(self, name)}
        return delays if is_external(self.env_id) else {"control_dt": self.control_dt, **delays}

    def training_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of the environments in which the run collects episodes."""
        return {**self.env_arguments(), **({"reward": self.reward} if self.reward else {})}

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return asdict(self)

    def to_json(self) -> dict[str, Any]:
        """Return the fields, their version and the package's version as a dictionary."""
        return {"version": version_of(self.method), "gym_hil": package_version(), **asdict(self)}

    def save(self, path: Path) -> None:
        """Write the configuration to a JSON file.

        Args:
            path: the file.
        """
        write_atomically(path, json.dumps(self.to_json(), indent=2).encode() + b"\n")

    @classmethod
    def load(cls, path: Path) -> TrainConfig:
        """Read a configuration file.

        Raises:
            InvalidArgumentError: the file does not exist, or is not a configuration of this version.
        """
        try:
            saved = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidArgumentError(f"{path} is not a training configuration: {error}") from error
        return read_config(saved, path)


def read_config(saved: Any, path: Path, *, for_policy: bool = False) -> TrainConfig:
    """Return a configuration from the result of `TrainConfig.to_json`.

    Args:
        saved: the content of a file.
        path: the file, for error messages.
        for_policy: whether the configuration is only needed to use a policy. Earlier versions are then accepted,
            and missing fields have their defaults.

    Raises:
        InvalidArgumentError: `saved` is not a configuration, or has another version.
    """
    if not isinstance(saved, Mapping):
        raise InvalidArgumentError(f"{path} is not a training configuration: it is {type(saved).__name__}")
    known = {field.name: field for field in fields(TrainConfig)}
    values = {name: value for name, value in saved.items() if name not in ("version", "gym_hil")}
    version, current = saved.get("version", 1), version_of(str(saved.get("method")))
    if type(version) is not int or version > current or (version < current and not for_policy):
        raise InvalidArgumentError(
            f"{path} has version {version!r}, written by gym-hil {saved.get('gym_hil', '0.1.15 or earlier')}; "
            f"this gym-hil uses version {current}, and runs of different versions cannot be compared or continued"
        )
    unknown = [name for name in values if name not in known]
    missing = [name for name in known if name not in values and name not in OPTIONAL_FIELDS]
    if unknown or (missing and version == current) or "env_id" in missing:
        wrong = ", ".join(
            [*(f"{name!r} is unknown" for name in unknown), *(f"{m!r} is missing" for m in missing)]
        )
        raise InvalidArgumentError(f"{path} is not a training configuration: {wrong}")
    try:
        for name, value in values.items():
            _require_type(name, value, str(known[name].type))
        return TrainConfig(**values)
    except TypeError as error:
        raise InvalidArgumentError(f"{path} is not a training configuration: {error}") from error


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
