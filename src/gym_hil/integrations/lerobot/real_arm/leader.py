"""A leader arm as the device of a person.

It drives by relative motion: the follower's TCP executes the displacements of the leader's TCP, independently of their
positions, so that the follower does not jump at a takeover. The follower first brakes (`RealArmEnv.hand_over`). The
first step of a takeover then moves its TCP by at most `FIRST_STEP`, and this bound doubles in each further step.
Rotations of the leader are ignored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from gym_hil.core.errors import DeviceError, InvalidArgumentError, MissingExtraError
from gym_hil.core.schema import GripperCommand
from gym_hil.devices.base import DeviceReading, Engage
from gym_hil.devices.combined import CombinedDevice
from gym_hil.devices.lerobot_teleoperator import DELTAS, LeRobotTeleoperator
from gym_hil.devices.registry import DeviceOptions, DeviceSpec
from gym_hil.devices.terminal import TerminalKeyboard
from gym_hil.envs.actions import DEFAULT_EE_STEP_SIZE
from gym_hil.intervention.human import Human
from gym_hil.robots.base import Robot
from gym_hil.robots.so101 import SO101
from gym_hil.scenes.scene import Scene
from gym_hil.simulation.composition import compose

LEADER = "leader"
FIRST_STEP = 0.001
"""Largest commanded motion of the TCP in the step of a takeover (m). The true motion can be 1 mm longer, because
positions and goals are whole counts of the servos' encoders."""
DEAD_BAND = 0.001
"""Smallest motion of the leader's TCP that counts (m): one count of a servo's encoder is 0.4 mm at 0.25 m."""
REST_STEPS = 10
"""Number of steps without motion after which the person counts as having released the leader."""
PRESS = 15.0
"""Smallest motion of the trigger that commands the gripper, on its scale from 0 to 100."""
SMALLEST_LEVEL = 1e-3
"""Level along x that is reported if only the trigger moves, because a takeover requires motion; it moves 0.025 mm."""


class LeaderMotion:
    """Converts the joints of a leader arm to the displacement of its TCP since the last conversion.

    Args:
        robot: robot with the kinematics of the leader.
    """

    def __init__(self, robot: Robot = SO101) -> None:
        self._model = compose(robot, Scene(home="above_table"), 0.004, "joint")
        self._data = mujoco.MjData(self._model)
        effector = robot.end_effectors[0]
        self._names = effector.arm.joints
        self._qpos = [int(self._model.joint(joint).qposadr[0]) for joint in effector.joints]
        self._tcp = int(self._model.site(effector.tcp_site).id)
        self._from: np.ndarray | None = None
        self._still, self._allowed = 0, FIRST_STEP
        self._trigger: tuple[float, float] | None = None

    def __call__(self, action: Mapping[str, Any]) -> dict[str, float]:
        """Return the motion in units of the action, and the gripper command.

        Args:
            action: positions of the joints (degrees) and of the trigger (0 to 100), as LeRobot's leader returns them.
        """
        self._data.qpos[self._qpos] = [math.radians(float(action[f"{name}.pos"])) for name in self._names]
        mujoco.mj_kinematics(self._model, self._data)
        position = self._data.site_xpos[self._tcp].copy()
        if self._from is None:
            self._from = position
        displacement = position - self._from
        length = float(np.linalg.norm(displacement))
        command = self._command(float(action["gripper.pos"]))
        if length < DEAD_BAND and command is GripperCommand.STAY:
            self._still += 1
            if self._still >= REST_STEPS:
                self._allowed = FIRST_STEP
            return {**dict.fromkeys(DELTAS, 0.0), "gripper": float(command)}
        self._still, self._from = 0, position
        displacement *= min(1.0, self._allowed / length) if length > 0.0 else 0.0
        self._allowed *= 2.0
        levels = displacement / np.array([DEFAULT_EE_STEP_SIZE[axis] for axis in "xyz"])
        if not levels.any():
            levels[0] = SMALLEST_LEVEL
        return {**dict(zip(DELTAS, levels.tolist(), strict=True)), "gripper": float(command)}

    def _command(self, opening: float) -> GripperCommand:
        """Return the gripper command if the trigger has moved by `PRESS` since the last command."""
        least, most = self._trigger or (opening, opening)
        self._trigger = min(least, opening), max(most, opening)
        if opening < most - PRESS:
            self._trigger = opening, opening
            return GripperCommand.CLOSE
        if opening > least + PRESS:
            self._trigger = opening, opening
            return GripperCommand.OPEN
        return GripperCommand.STAY


class LeaderAndKeys(CombinedDevice):
    """A leader arm, and keys in the terminal that end episodes. It counts as unplugged while the leader is."""

    def poll(self) -> DeviceReading:
        """Poll the leader and the keys."""
        leader, *keys = (device.poll() for device in self.devices)
        events = tuple(event for reading in (leader, *keys) for event in reading.events)
        if not leader.connected:
            return DeviceReading(events=events, connected=False)
        presses = sum(reading.engage_presses for reading in keys)
        return DeviceReading(
            motion=leader.motion, gripper=leader.gripper, engage_presses=presses, events=events
        )

    def help(self) -> str:
        """Return one line about the leader and the keys."""
        return (
            "move the leader arm to take over: the follower executes the same displacements; "
            f"terminal: {self.devices[1].help()}"
        )


@dataclass(frozen=True, kw_only=True)
class LeaderArm:
    """The settings of the connection to a leader arm through LeRobot.

    Attributes:
        port: serial port of the leader.
        leader_id: name under which the leader was calibrated.
        calibration_dir: folder of the calibration; None for that of LeRobot.
    """

    port: str
    leader_id: str
    calibration_dir: Path | None = None

    def person(self) -> Human:
        """Return a person who drives with the leader.

        Raises:
            DeviceError: the leader does not answer, or is not calibrated.
            MissingExtraError: LeRobot is not installed.
        """
        try:
            from lerobot.teleoperators import make_teleoperator_from_config
            from lerobot.teleoperators.so_leader import SO101LeaderConfig
        except ImportError as error:
            raise MissingExtraError("lerobot[feetech]", "lerobot", "A leader arm") from error
        config = SO101LeaderConfig(port=self.port, id=self.leader_id, calibration_dir=self.calibration_dir)
        leader = make_teleoperator_from_config(config)
        try:
            leader.connect(calibrate=False)
            calibrated = leader.is_calibrated  # reads the servos
        except Exception as error:  # serial ports and LeRobot have no common base class of errors
            raise DeviceError(f"could not connect to the leader: {' '.join(str(error).split())}") from error
        if not calibrated:
            raise DeviceError("the leader's calibration differs from that in its file; run lerobot-calibrate")
        return make_leader_operator(leader)


def make_leader_operator(leader: Any) -> Human:
    """Return a person who drives with a connected leader of LeRobot."""
    device = LeaderAndKeys(LeRobotTeleoperator(leader, LeaderMotion()), TerminalKeyboard())
    return Human(device, SPEC.engage, release_after_steps=REST_STEPS)


def _refuse(options: DeviceOptions) -> LeaderAndKeys:
    raise InvalidArgumentError(
        "operator='leader' drives an arm outside the simulation: add --robot and --leader-port"
    )


SPEC = DeviceSpec(
    make=_refuse,
    engage=Engage.MOTION,
    help="A leader arm, for an arm outside the simulation: move it to take over; keys in the terminal end episodes.",
)
