"""``--teleop.type=gym_hil``: whoever drives here drives LeRobot's programs as well."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from lerobot.teleoperators import Teleoperator, TeleoperatorConfig
from lerobot.teleoperators.utils import TeleopEvents

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import DeviceError
from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.integrations.lerobot.robot import GRIPPER, TCP
from gym_hil.integrations.lerobot.shared_simulation import CLOSED, OPEN, World, current_world
from gym_hil.intervention.human import Human
from gym_hil.intervention.limits import DEFAULT_PRESET
from gym_hil.intervention.named import SIMULATED, make_demonstrator, make_operator
from gym_hil.intervention.operator import LET_GO, Decision, Operator

DELTAS = ("delta_x", "delta_y", "delta_z")
"""What LeRobot's gamepad calls its x, y, z, in units of action."""
NOTHING: Any = None
"""What a person's device sees of a world that is not simulated here."""
ANEW = {EpisodeEvent.RESET, EpisodeEvent.RERECORD}
"""What makes the simulated world begin anew."""


@TeleoperatorConfig.register_subclass("gym_hil")
@dataclass(kw_only=True)
class GymHilTeleoperatorConfig(TeleoperatorConfig):
    """An operator by its name."""

    operator: str = "simulated"
    """``simulated``, ``expert``, or a device: ``gamepad``, ``spacemouse``, ``terminal``, ..."""
    preset: str = DEFAULT_PRESET
    """Limits of the simulated human."""
    step_m: float = 0.025
    """Metres per unit of action."""


class GymHilTeleoperator(Teleoperator):
    """Gives deltas and gripper as LeRobot's gamepad does, with events, and beside a simulated arm the
    absolute positions that it takes.
    """

    config_class = GymHilTeleoperatorConfig
    name = "gym_hil"

    def __init__(self, config: GymHilTeleoperatorConfig) -> None:
        super().__init__(config)
        self.config = config
        self._operator: Operator | None = None
        self._decision: Decision = LET_GO
        self._episode_of: ManipulationEnv | None = None

    @cached_property
    def action_features(self) -> dict[str, Any]:
        """As LeRobot's gamepad describes them."""
        names = {name: number for number, name in enumerate((*DELTAS, "gripper"))}
        return {"dtype": "float32", "shape": (len(names),), "names": names}

    @property
    def feedback_features(self) -> dict[str, Any]:
        """It feels nothing."""
        return {}

    @property
    def is_connected(self) -> bool:
        """Whether the device is open."""
        return self._operator is not None

    @property
    def is_calibrated(self) -> bool:
        """Always."""
        return True

    def calibrate(self) -> None:
        """Nothing to do."""

    def configure(self) -> None:
        """Nothing to do."""

    def connect(self, calibrate: bool = True) -> None:
        """Open the device."""
        config = self.config
        if config.operator in SIMULATED:
            self._operator = make_demonstrator(config.operator, config.preset)
        else:
            self._operator = make_operator(config.operator)

    def get_action(self) -> dict[str, float]:
        """Ask the operator, once; idle while it does not act."""
        world = current_world()
        self._decision = self._decide(world)
        acting = self._decision.action
        x, y, z, gripper = (0.0, 0.0, 0.0, float(GripperCommand.STAY)) if acting is None else acting.tolist()
        action = {**dict(zip(DELTAS, (x, y, z), strict=True)), "gripper": gripper}
        if world is None:
            return action
        if ANEW.intersection(self._decision.events):
            world.restart()
        target = world.raw.simulation.target_pos_w + np.array([x, y, z]) * self.config.step_m
        opening = {0: CLOSED, 2: OPEN}.get(round(gripper), world.opening)
        return {**action, **dict(zip(TCP, target.tolist(), strict=True)), GRIPPER: opening}

    def get_teleop_events(self) -> dict[TeleopEvents, bool]:
        """Return what the operator decided in the last `get_action`."""
        events = self._decision.events
        ended = [event for event in events if event in (EpisodeEvent.SUCCESS, EpisodeEvent.FAILURE)]
        rerecord = EpisodeEvent.RERECORD in events
        return {
            TeleopEvents.IS_INTERVENTION: self._decision.engaged,
            TeleopEvents.SUCCESS: EpisodeEvent.SUCCESS in events,
            TeleopEvents.RERECORD_EPISODE: rerecord,
            TeleopEvents.TERMINATE_EPISODE: bool(ended) or rerecord,
        }

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """It feels nothing."""

    def disconnect(self) -> None:
        """Close the device."""
        if self._operator is not None:
            self._operator.close()
            self._operator = None

    def _decide(self, world: World | None) -> Decision:
        operator = self._operator
        if operator is None:
            raise DeviceError("the teleoperator is not connected; call connect first")
        if world is not None:
            if world.raw is not self._episode_of:
                operator.reset(EnvironmentInterface(world.raw), world.raw.np_random_seed)
                self._episode_of = world.raw
            return operator.decide(world.view(np.full(3, self.config.step_m)))
        if isinstance(operator, Human):
            return operator.decide(NOTHING)
        raise DeviceError(
            f"operator {self.config.operator!r} looks at the simulated arm: use --robot.type=gym_hil"
        )
