"""Options that name an arm outside the simulation."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym

from gym_hil.cli.common import write_json
from gym_hil.core.errors import InvalidArgumentError, require_one_of
from gym_hil.datasets.replay import ARM_ID_PREFIX

if TYPE_CHECKING:
    from gym_hil.integrations.lerobot.real_arm.leader import LeaderArm
    from gym_hil.integrations.lerobot.real_arm.stack import RealArm
    from gym_hil.robots.geometry import Box
    from gym_hil.stacks.config import EnvConfig

DEFAULT_TASK = "SO101PickCube-v1"
"""Default id, which determines the actions and the time limit of an arm."""
ARM_FILE = "arm.json"
"""File in a run's folder that describes the arm of the run."""
_FIXED = ("robot", "robot_id", "robot_scene", "robot_task")
"""Settings that must not change when a run is resumed."""


@dataclass(frozen=True, kw_only=True)
class RealArmOptions:
    """An arm outside the simulation."""

    robot: str | None = None
    """Arm outside the simulation that is used instead of the simulated robot: lerobot:so101_follower."""
    robot_port: str = ""
    """Serial port of the arm, as lerobot-find-port names it."""
    robot_id: str = "follower"
    """Name under which lerobot-calibrate calibrated the arm."""
    robot_calibration_dir: Path | None = None
    """Folder of the arm's calibration; by default that of LeRobot."""
    robot_cameras: str = ""
    """Cameras front and wrist of the arm in JSON, in the format of LeRobot's --robot.cameras; by default none."""
    robot_scene: str | None = None
    """Host and port of a program that measures where the task's objects are, such as 127.0.0.1:5555; see
    docs/real-robot.md."""
    robot_task: str = ""
    """Instruction that is stored in datasets; by default the description of the task."""
    leader_port: str = ""
    """Serial port of a leader arm, for `--operator leader`."""
    leader_id: str = "leader"
    """Name under which lerobot-calibrate calibrated the leader arm."""
    leader_calibration_dir: Path | None = None
    """Folder of the leader arm's calibration; by default that of LeRobot."""
    joint_speed: float = 1.5
    """Largest speed of the arm's joints (rad/s)."""
    max_current: float = 1.5
    """The arm stops when a servo draws more than this for half a second (A)."""
    workspace_low: tuple[float, float, float] | None = None
    """Lower corner of the box to which the TCP is limited: x, y and z in the frame of the arm's base (m); by default
    that of the simulated arm."""
    workspace_high: tuple[float, float, float] | None = None
    """Upper corner of this box."""

    def environment_id(self, task: str | None) -> str:
        """Return the environment id on the command line, or the default one for an arm.

        Raises:
            InvalidArgumentError: there is neither an id nor an arm.
        """
        if task is None and self.robot is None:
            raise InvalidArgumentError("name an environment, such as PandaPickCube-v1, or an arm (--robot)")
        return task or DEFAULT_TASK

    def arm(self) -> RealArm | None:
        """Return the arm, or None if there is none.

        Raises:
            InvalidArgumentError: an option is invalid; the message names the valid values.
            MissingExtraError: LeRobot is not installed.
        """
        if self.robot is None:
            return None
        from gym_hil.integrations.lerobot.real_arm.connection import ROBOTS, LeRobotArm
        from gym_hil.integrations.lerobot.real_arm.digital_twin import SafetyLimits
        from gym_hil.integrations.lerobot.real_arm.stack import RealArm

        require_one_of("robot", self.robot, [ARM_ID_PREFIX + kind for kind in ROBOTS])
        if not self.robot_port:
            raise InvalidArgumentError("--robot needs --robot-port; lerobot-find-port names it")
        access = LeRobotArm(
            kind=self.robot.removeprefix(ARM_ID_PREFIX),
            port=self.robot_port,
            robot_id=self.robot_id,
            calibration_dir=self.robot_calibration_dir,
            cameras=_cameras(self.robot_cameras),
        )
        return RealArm(
            connect=access.make,
            limits=SafetyLimits(
                joint_speed=self.joint_speed, current=self.max_current, workspace=self._workspace()
            ),
            scene=self.robot_scene,
            description=self.robot_task,
            make_leader=self._leader().person if self.leader_port else None,
        )

    def _workspace(self) -> Box | None:
        """Return the box to which the TCP is limited, or None for that of the simulated arm."""
        if self.workspace_low is None and self.workspace_high is None:
            return None
        from gym_hil.robots.geometry import Box
        from gym_hil.robots.so101 import SO101

        default = SO101.workspace.tcp
        low, high = self.workspace_low or default.low, self.workspace_high or default.high
        axes = zip("xyz", low, high, strict=True)
        if wrong := [axis for axis, least, most in axes if not -math.inf < least < most < math.inf]:
            raise InvalidArgumentError(
                f"workspace_low={low} must be less than workspace_high={high} along every axis (m), and is not along "
                f"{', '.join(wrong)}; the default is {default.low} to {default.high}"
            )
        return Box(low, high)

    def _leader(self) -> LeaderArm:
        from gym_hil.integrations.lerobot.real_arm.leader import LeaderArm

        return LeaderArm(
            port=self.leader_port, leader_id=self.leader_id, calibration_dir=self.leader_calibration_dir
        )

    def build(self, config: EnvConfig) -> gym.Env:
        """Return the environment of a configuration, with the arm if there is one."""
        from gym_hil.stacks.build import build_env

        arm = self.arm()
        if arm is not None and config.delays:
            raise InvalidArgumentError(f"{config.delays} are for simulated robots; an arm has its own delays")
        return build_env(config) if arm is None else arm.build(config)

    def require_same(self, out: Path) -> None:
        """Require that a run in the folder `out`, if there is one, was started with this arm.

        Raises:
            InvalidArgumentError: the run was started with another arm, or in simulation.
        """
        from gym_hil.learning.config import CONFIG

        path = out / ARM_FILE
        started_with = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        exists, current = (out / CONFIG).is_file(), {} if self.robot is None else self._facts()
        wrong = [
            f"{name}={started_with.get(name)}"
            for name in _FIXED
            if exists and started_with.get(name) != current.get(name)
        ]
        if wrong:
            raise InvalidArgumentError(
                f"the run in {out} was started with {', '.join(wrong)}; choose another folder"
            )

    def write_description(self, out: Path) -> None:
        """Write a description of the arm into the folder of a run."""
        if self.robot is not None:
            write_json(out / ARM_FILE, self._facts())

    def _facts(self) -> dict[str, str | None]:
        return {name: None if value is None else str(value) for name, value in asdict(self).items()}


def _cameras(text: str) -> Mapping[str, Mapping[str, Any]]:
    if not text:
        return {}
    try:
        cameras = json.loads(text)
        valid = all(isinstance(camera, dict) and "type" in camera for camera in cameras.values())
    except (ValueError, AttributeError):
        valid = False
    if not valid:
        raise InvalidArgumentError(
            f'robot_cameras={text!r} must look like {{"front": {{"type": "opencv", "index_or_path": 0}}}}'
        )
    return dict(cameras)
