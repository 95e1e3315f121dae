"""``--teleop.type=gym_hil``: an operator of this package as the teleoperator of ``--robot.type=gym_hil``."""

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
from gym_hil.integrations.lerobot.shared_simulation import CLOSED, OPEN, SharedSimulation, current_simulation
from gym_hil.intervention.limits import DEFAULT_PRESET
from gym_hil.intervention.named import SIMULATED, make_demonstrator, make_operator
from gym_hil.intervention.operator import POLICY_ACTS, Decision, Operator

DELTAS = ("delta_x", "delta_y", "delta_z")
"""Keys of the motion along x, y and z in an action of LeRobot's gamepad, each in [-1, 1]."""
RESET_EVENTS = {EpisodeEvent.RESET, EpisodeEvent.RERECORD}
"""Events that reset the simulation."""


@TeleoperatorConfig.register_subclass("gym_hil")
@dataclass(kw_only=True)
class GymHilTeleoperatorConfig(TeleoperatorConfig):
    """Configuration of a teleoperator: the name of an operator and its settings."""

    operator: str = "simulated"
    """``simulated``, ``expert``, or a device: ``gamepad``, ``spacemouse``, ``terminal``, ..."""
    preset: str = DEFAULT_PRESET
    """Preset of the simulated human's limits."""
    step_m: float = 0.025
    """Distance that full motion moves the target in one step (m)."""


class GymHilTeleoperator(Teleoperator):
    """An operator of this package as a teleoperator of LeRobot.

    Its actions have the keys of LeRobot's gamepad, and the absolute positions that ``--robot.type=gym_hil`` expects.

    Args:
        config: the configuration.
    """

    config_class = GymHilTeleoperatorConfig
    name = "gym_hil"

    def __init__(self, config: GymHilTeleoperatorConfig) -> None:
        super().__init__(config)
        self.config = config
        self._operator: Operator | None = None
        self._decision: Decision = POLICY_ACTS
        self._reset_env: ManipulationEnv | None = None

    @cached_property
    def action_features(self) -> dict[str, Any]:
        """The features of an action, described as LeRobot's gamepad does."""
        names = {name: number for number, name in enumerate((*DELTAS, "gripper"))}
        return {"dtype": "float32", "shape": (len(names),), "names": names}

    @property
    def feedback_features(self) -> dict[str, Any]:
        """Empty: there is no force feedback."""
        return {}

    @property
    def is_connected(self) -> bool:
        """Whether the device is open."""
        return self._operator is not None

    @property
    def is_calibrated(self) -> bool:
        """Always true: operators need no calibration."""
        return True

    def calibrate(self) -> None:
        """Do nothing: operators need no calibration."""

    def configure(self) -> None:
        """Do nothing: operators have no settings on the device."""

    def connect(self, calibrate: bool = True) -> None:
        """Create the operator and open its device.

        Args:
            calibrate: not used.
        """
        config = self.config
        if config.operator in SIMULATED:
            self._operator = make_demonstrator(config.operator, config.preset)
        else:
            self._operator = make_operator(config.operator)

    def get_action(self) -> dict[str, float]:
        """Ask the operator for one decision.

        Returns:
            The action by key. It causes no motion while the operator does not act.

        Raises:
            DeviceError: the teleoperator or the simulated arm is not connected.
        """
        operator, world = self._operator, current_simulation()
        if operator is None:
            raise DeviceError("the teleoperator is not connected; call connect first")
        if world is None:
            raise DeviceError("there is no simulated arm; use the teleoperator with --robot.type=gym_hil")
        self._decision = self._decide(operator, world)
        acting = self._decision.action
        x, y, z, gripper = (0.0, 0.0, 0.0, float(GripperCommand.STAY)) if acting is None else acting.tolist()
        action = {**dict(zip(DELTAS, (x, y, z), strict=True)), "gripper": gripper}
        if RESET_EVENTS.intersection(self._decision.events):
            world.restart()
        target = world.raw.simulation.target_pos_w + np.array([x, y, z]) * self.config.step_m
        opening = {0: CLOSED, 2: OPEN}.get(round(gripper), world.opening)
        return {**action, **dict(zip(TCP, target.tolist(), strict=True)), GRIPPER: opening}

    def get_teleop_events(self) -> dict[TeleopEvents, bool]:
        """Return the events of the decision that the last `get_action` made."""
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
        """Do nothing: there is no force feedback."""

    def disconnect(self) -> None:
        """Close the device."""
        if self._operator is not None:
            self._operator.close()
            self._operator = None

    def _decide(self, operator: Operator, world: SharedSimulation) -> Decision:
        if world.raw is not self._reset_env:
            operator.reset(EnvironmentInterface(world.raw), world.raw.np_random_seed)
            self._reset_env = world.raw
        return operator.decide(world.view(np.full(3, self.config.step_m)))
