"""Options that name an arm outside the simulation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym

from gym_hil.core.errors import DeviceError, InvalidArgumentError, require_one_of
from gym_hil.intervention.named import OPERATORS

if TYPE_CHECKING:
    from gym_hil.stacks.config import EnvConfig

LEROBOT = "lerobot:"


@dataclass(frozen=True, kw_only=True)
class RealArmOptions:
    """An arm outside the simulation."""

    robot: str | None = None
    """Drive an arm outside the simulation instead of a task's: lerobot:so101_follower."""
    robot_port: str = ""
    """Its serial port, as lerobot-find-port names it."""
    robot_id: str = "follower"
    """The name under which lerobot-calibrate calibrated it."""
    robot_calibration_dir: Path | None = None
    """Folder of its calibration; without it LeRobot's own."""
    robot_cameras: str = ""
    """Its cameras front and wrist in JSON, as LeRobot's --robot.cameras takes them; without it no images."""
    joint_speed: float = 1.5
    """Largest speed of its joints while it acts (rad/s)."""
    max_current: float = 1.5
    """It stops when a servo draws more for half a second (A)."""

    def make(self, config: EnvConfig) -> gym.Env:
        """Return the environment of the arm, with everything around it.

        Args:
            config: who may take over, and where it is shown.

        Raises:
            InvalidArgumentError: an option has no meaning; the message names the valid values.
            MissingExtraError: LeRobot is not installed.
        """
        from gym_hil.integrations.lerobot.real_arm.connection import ROBOTS, LeRobotArm
        from gym_hil.integrations.lerobot.real_arm.environment import RealArmEnv, SafetyLimits
        from gym_hil.robots.so101 import SO101
        from gym_hil.stacks.build import add_outer_layers

        require_one_of("robot", self.robot, [LEROBOT + kind for kind in ROBOTS])
        if not self.robot_port:
            raise InvalidArgumentError("--robot needs --robot-port; lerobot-find-port names it")
        if config.operator in OPERATORS:
            raise InvalidArgumentError(
                f"operator={config.operator!r} needs to know where the objects are; "
                "on an arm outside the simulation people and policies act"
            )
        arm = LeRobotArm(
            kind=str(self.robot).removeprefix(LEROBOT),
            port=self.robot_port,
            robot_id=self.robot_id,
            calibration_dir=self.robot_calibration_dir,
            cameras=_cameras(self.robot_cameras),
        )
        limits = SafetyLimits(joint_speed=self.joint_speed, current=self.max_current)
        env = RealArmEnv(arm.make(), SO101, _confirm, limits=limits, render_mode=config.render_mode)
        return add_outer_layers(gym.wrappers.TimeLimit(env, env.task.max_episode_steps), config)


def _cameras(text: str) -> Mapping[str, Mapping[str, Any]]:
    if not text:
        return {}
    try:
        cameras = json.loads(text)
        valid = all(isinstance(one, dict) and "type" in one for one in cameras.values())
    except (ValueError, AttributeError):
        valid = False
    if not valid:
        raise InvalidArgumentError(
            f'robot_cameras={text!r} must look like {{"front": {{"type": "opencv", "index_or_path": 0}}}}'
        )
    return dict(cameras)


def _confirm(text: str) -> None:
    try:
        input(f"{text} Press Enter to agree, Ctrl-C to stop. ")
    except EOFError:
        raise DeviceError("nobody is there to agree that the arm moves: standard input is closed") from None
