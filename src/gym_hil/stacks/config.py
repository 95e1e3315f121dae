"""The configuration of an environment with all layers around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal

from gym_hil.core.delays import Delays
from gym_hil.core.errors import InvalidArgumentError, UnknownArgumentError, require_one_of, suggestion
from gym_hil.intervention.limits import DEFAULT_PRESET
from gym_hil.stacks.ids import is_external, parse_id

if TYPE_CHECKING:
    from os import PathLike

    from gym_hil.core.success import SuccessDetector
    from gym_hil.devices.page import PageAddress
    from gym_hil.envs.observations import ObservationTerm
    from gym_hil.intervention.operator import Operator
    from gym_hil.robots import Robot
    from gym_hil.simulation.rendering import GymRenderingSpec
    from gym_hil.tasks import Task

INNER_FIELDS = frozenset(
    {
        "task",
        "robot",
        "seed",
        "control_dt",
        "physics_dt",
        "image_obs",
        "state_obs",
        "observation_terms",
        "reward_type",
        "random_block_position",
        "observation_delay",
        "action_delay",
        "jitter",
    }
)
"""Fields that describe the innermost environment, and do not apply to environments of other packages."""


@dataclass(frozen=True, kw_only=True)
class EnvConfig:
    """Configuration of an environment, from the simulation to the operator."""

    env_id: str | None = None
    """Id of an environment of another package. The fields that describe an environment of this package are
    then not used."""
    task: str | type[Task] = "PickCube"
    """The class of a task, or its name."""
    robot: str | Robot = "panda"
    """The robot, or its name."""
    action: str = "xyz"
    """Action term, one of `gym_hil.envs.actions.ACTIONS`: ``"xyz"``, ``"xyz+yaw"`` and ``"xyz+rotation"``
    (`EndEffectorStep`), ``"joints"`` (`JointPositions`) or ``"twist"`` (`RawTwist`)."""
    ee_step_size: Mapping[str, float] | None = None
    """Distance per unit of an ``"xyz"`` action by axis (m); None for 0.025 m."""
    use_gripper: bool = True
    """Whether the action has a gripper entry."""
    gripper_penalty: float | None = -0.05
    """Value of ``info["discrete_penalty"]`` when a gripper command reverses the previous one; None for no
    penalty."""
    seed: int | None = None
    """Seed of environment and operator in the first reset, if that is called without a seed."""
    control_dt: float = 0.1
    """Duration of a control step (s)."""
    physics_dt: float | None = None
    """Duration of a physics step (s); None for one that divides `control_dt`."""
    render_spec: GymRenderingSpec | None = None
    """Size and quality of images."""
    render_mode: Literal["rgb_array", "human"] | None = None
    """``"human"`` opens a window if there is a display."""
    image_obs: bool = False
    """Whether to observe images instead of the objects' positions."""
    state_obs: bool = False
    """Whether to append the objects' positions to `agent_pos` and render nothing."""
    observation_terms: Sequence[str | type[ObservationTerm]] | None = None
    """Classes or names of observation terms that replace the default ones, such as ``"depth"``."""
    reward_type: Literal["sparse", "dense"] = "sparse"
    """Sparse: 1.0 on success; dense: in [0, 1] in every step."""
    random_block_position: bool = False
    """Whether to start from random object positions."""
    observation_delay: float = 0.0
    """Age of the observed and displayed state (s)."""
    action_delay: float = 0.0
    """Time from an action to the beginning of its execution (s)."""
    jitter: float = 0.0
    """Largest further delay of every observation and every action (s)."""
    reward: str | PathLike[str] | SuccessDetector | None = None
    """Decides whether the task is done: a file of `gym-hil reward train`, or a detector; None for the task itself."""
    max_episode_steps: int | None = None
    """Time limit in steps; None for the task's."""
    operator: str | Operator | None = None
    """An `Operator`, the name of an operator or device, or None for no operator."""
    preset: str = DEFAULT_PRESET
    """Preset of the simulated human, such as ``"novice"``."""
    controller_config_path: str | None = None
    """JSON file that maps a gamepad's axes and buttons."""
    gamepad_name: str | None = None
    """Part of the name of the gamepad to use; None for any gamepad."""
    page: PageAddress | None = None
    """Address of the web page for a person in a browser."""
    use_viewer: bool = False
    """Whether to open a window if there is a display."""
    show_ui: bool = True
    """Whether the window explains the keys."""
    auto_reset: bool = False
    """Whether to reset in the step that ends an episode."""
    reset_delay_seconds: float = 0.0
    """Delay before every reset (s)."""
    real_time: bool | None = None
    """Whether to keep the control rate in real time; None to do so if a person may take over."""

    @classmethod
    def of(cls, env_id: str | None = None, **arguments: Any) -> EnvConfig:
        """Return the configuration for an id and further arguments.

        Args:
            env_id: an environment id; None for the defaults.
            arguments: fields of this class, which have precedence over the id, and the arguments
                `use_inputs_control` and `use_gamepad` of gym-hil 0.1.14.

        Raises:
            UnknownArgumentError: an argument is unknown.
            InvalidArgumentError: the id is unknown.
        """
        wants_person = arguments.pop("use_inputs_control", False)
        device = "gamepad" if arguments.pop("use_gamepad", False) else "keyboard"
        if wants_person and arguments.get("operator") is None:
            arguments["operator"] = device
        known = [field.name for field in fields(cls)]
        for name in arguments:
            if name not in known:
                hint = suggestion(name, sorted([*known, "use_gamepad", "use_inputs_control"]))
                raise UnknownArgumentError(f"argument {name!r} is not known{hint}")
        if env_id is None:
            return cls(**arguments)
        if is_external(env_id):
            for name in arguments.keys() & INNER_FIELDS:
                raise UnknownArgumentError(
                    f"argument {name!r} does not apply to {env_id!r}, an environment of another package"
                )
            return cls(env_id=env_id, **arguments)
        return cls(**{**parse_id(env_id).arguments, **arguments})

    def __post_init__(self) -> None:
        """Validate the fields.

        Raises:
            InvalidArgumentError: a field is invalid.
        """
        from gym_hil.envs.actions import ACTIONS

        require_one_of("action", self.action, ACTIONS)
        if not self.action.startswith("xyz") and self.ee_step_size is not None:
            raise InvalidArgumentError(
                f"ee_step_size={self.ee_step_size!r} needs action='xyz', not {self.action!r}"
            )
        limit = self.max_episode_steps
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            raise InvalidArgumentError(f"max_episode_steps={limit!r} must be a whole number, at least 1")

        _ = self.delays  # validates the delays

    @property
    def delays(self) -> Delays:
        """The delays of observations and actions."""
        return Delays(
            observation_delay=self.observation_delay, action_delay=self.action_delay, jitter=self.jitter
        )

    def replace(self, **changes: Any) -> EnvConfig:
        """Return a copy with other values of some fields."""
        return replace(self, **changes)
