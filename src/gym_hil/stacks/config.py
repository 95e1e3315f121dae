"""One typed description of an environment with everything around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal

from gym_hil.core.errors import InvalidArgumentError, UnknownArgumentError, did_you_mean, require_one_of
from gym_hil.intervention.limits import DEFAULT_PRESET
from gym_hil.stacks.ids import is_foreign, parse_id

if TYPE_CHECKING:
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
    }
)
"""Fields that describe an environment of this package."""


@dataclass(frozen=True, kw_only=True)
class EnvConfig:
    """What an environment is made of, from the simulation to the person."""

    env_id: str | None = None
    """Id of an environment that another package has registered; then `task`, `robot` and what else describes an
    environment of this package is not used."""
    task: str | type[Task] = "PickCube"
    """The task, or its name."""
    robot: str | Robot = "panda"
    """The robot, or its name."""
    action: str = "xyz"
    """What an action means, one of `gym_hil.envs.actions.ACTIONS`: ``"xyz"``, ``"xyz+yaw"`` and ``"xyz+rotation"``
    (`EndEffectorStep`), ``"joints"`` (`JointPositions`) or ``"twist"`` (`RawTwist`)."""
    ee_step_size: Mapping[str, float] | None = None
    """Metres per unit of an ``"xyz"`` action, by axis; None for 0.025 m."""
    use_gripper: bool = True
    """Whether an ``"xyz"`` action has a gripper entry."""
    gripper_penalty: float | None = -0.05
    """Reported in ``info["discrete_penalty"]`` when the gripper is switched; None for no penalty."""
    seed: int | None = None
    """Seed of the first reset that is given none. It fixes the operator, too."""
    control_dt: float = 0.1
    """Seconds per step."""
    physics_dt: float | None = None
    """Seconds per physics step; None chooses one that divides `control_dt`."""
    render_spec: GymRenderingSpec | None = None
    """Size and quality of images."""
    render_mode: Literal["rgb_array", "human"] | None = None
    """``"human"`` opens a window, where there is a display."""
    image_obs: bool = False
    """Observe pixels instead of the objects' positions."""
    state_obs: bool = False
    """Append the objects' positions to `agent_pos` and render nothing."""
    observation_terms: Sequence[str | type[ObservationTerm]] | None = None
    """What is observed instead: observation terms or their registered names, such as ``"depth"``."""
    reward_type: Literal["sparse", "dense"] = "sparse"
    """1.0 on success, or in [0, 1] in every step."""
    random_block_position: bool = False
    """Start from random object positions."""
    max_episode_steps: int | None = None
    """Length of an episode; None for the task's own."""
    operator: str | Operator | None = None
    """Who may take over: an `Operator`, a registered name of one or of a device, or None for nobody."""
    preset: str = DEFAULT_PRESET
    """Limits of the simulated human."""
    controller_config_path: str | None = None
    """JSON file that maps a gamepad's axes and buttons."""
    gamepad_name: str | None = None
    """Part of the name of the gamepad to use; None for whichever one the person picks up."""
    page: PageAddress | None = None
    """Where the web page of a person in a browser is served."""
    use_viewer: bool = False
    """Open a window, where there is a display."""
    show_ui: bool = True
    """Show in the window which key does what."""
    auto_reset: bool = False
    """Begin the next episode in the step that ends one."""
    reset_delay_seconds: float = 0.0
    """Seconds to get ready before every reset."""
    real_time: bool | None = None
    """Keep to the control rate; None does so where a person may take over."""

    @classmethod
    def of(cls, env_id: str | None = None, **arguments: Any) -> EnvConfig:
        """Return what an id and arguments describe.

        Args:
            env_id: an environment id; None for the defaults.
            arguments: fields of this class, and the names that gym-hil 0.1.14 gave to some of them:
                `use_inputs_control` with `use_gamepad`. They overrule the id.

        Raises:
            UnknownArgumentError: an argument is not known; the message names the nearest one.
            InvalidArgumentError: the id is not known.
        """
        wants_person = arguments.pop("use_inputs_control", False)
        device = "gamepad" if arguments.pop("use_gamepad", False) else "keyboard"
        if wants_person and arguments.get("operator") is None:
            arguments["operator"] = device
        known = [field.name for field in fields(cls)]
        for name in arguments:
            if name not in known:
                hint = did_you_mean(name, sorted([*known, "use_gamepad", "use_inputs_control"]))
                raise UnknownArgumentError(f"argument {name!r} is not known{hint}")
        if env_id is None:
            return cls(**arguments)
        if is_foreign(env_id):
            for name in arguments.keys() & INNER_FIELDS:
                raise UnknownArgumentError(
                    f"argument {name!r} is not one of {env_id!r}, which another package made"
                )
            return cls(env_id=env_id, **arguments)
        return cls(**{**parse_id(env_id).arguments, **arguments})

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        from gym_hil.envs.actions import ACTIONS

        require_one_of("action", self.action, ACTIONS)
        if not self.action.startswith("xyz") and self.ee_step_size is not None:
            raise InvalidArgumentError(
                f"ee_step_size={self.ee_step_size!r} needs action='xyz', not {self.action!r}"
            )
        limit = self.max_episode_steps
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            raise InvalidArgumentError(f"max_episode_steps={limit!r} must be a whole number, at least 1")

    def replace(self, **changes: Any) -> EnvConfig:
        """Return a copy with other values."""
        return replace(self, **changes)
