"""What is asked of an arm outside the simulation, and LeRobot's robots as such an arm."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.clock import SYSTEM_CLOCK
from gym_hil.core.errors import DeviceError, MissingExtraError, require_one_of

ROBOTS = ("so101_follower", "so100_follower")
"""LeRobot's robots whose joints are those of our SO-101."""
GRIPPER = "gripper"
RETRIES = 2
"""Number of further attempts to read the currents; LeRobot makes as many to read positions."""
GRIP_TORQUE = 500
"""Largest torque of the gripper (0.1 % of its stall torque). LeRobot writes the same number as the limit that holds
from the next power-on; until then, a gripper that often squeezes something overheats within minutes."""
RECOVERY_S = 0.03
"""Time for which the gripper is off (s), so that its next answer no longer reports the overload."""
SILENT_SERVO = (
    "LeRobot also misses a servo that reports an error: it may be too hot or overloaded. Let it cool down, and "
    "switch the arm off and on"
)
CURRENT_UNIT = 0.0065
"""A per unit of a Feetech servo's register."""


@dataclass(frozen=True)
class Measurement:
    """What an arm measures.

    Attributes:
        joints: positions of the arm's joints (rad), from base to flange.
        opening: how far the gripper is open, from 0 to 1.
        currents: current of every servo, gripper last (A); empty where it is not known.
        images: (height, width, 3) uint8 each, red first, by the camera's name.
    """

    joints: tuple[float, ...]
    opening: float
    currents: tuple[float, ...] = ()
    images: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)


class ConnectedArm(Protocol):
    """An arm outside the simulation. Every method raises `DeviceError` if the arm does not answer."""

    cameras: tuple[str, ...]

    def connect(self) -> None:
        """Reach the arm, which stiffens where it is. Calling it again begins anew."""

    def read(self) -> Measurement:
        """Return what it measures now."""

    def renew_grip(self) -> None:
        """Switch the gripper off and on. Its servo may have switched itself off, because it squeezed for too long."""

    def send(self, joints: Sequence[float], opening: float) -> None:
        """Let its servos go to `joints` (rad) and to an `opening` from 0 to 1. They hold what was sent last."""

    def close(self) -> None:
        """Let go of the port. The servos keep holding."""


@dataclass(frozen=True, kw_only=True)
class LeRobotArm:
    """How an arm is reached through LeRobot.

    Attributes:
        kind: one of `ROBOTS`.
        port: its serial port.
        robot_id: the name under which it was calibrated.
        calibration_dir: folder of its calibration; None for LeRobot's own.
        cameras: LeRobot's configuration of each camera, by its name: ``{"front": {"type": "opencv", ...}}``.
    """

    kind: str
    port: str
    robot_id: str
    calibration_dir: Path | None = None
    cameras: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def make(self) -> LeRobotConnection:
        """Return a connection, not yet connected.

        Raises:
            InvalidArgumentError: there is no such robot.
            MissingExtraError: LeRobot is not installed.
        """
        require_one_of("robot", self.kind, ROBOTS)
        try:
            from lerobot.cameras import CameraConfig, opencv, zmq  # noqa: F401
            from lerobot.robots import RobotConfig, so_follower  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("lerobot[feetech]", "lerobot", "An arm outside the simulation") from error
        cameras = {}
        for name, given in self.cameras.items():
            values = dict(given)
            cameras[name] = CameraConfig.get_choice_class(values.pop("type"))(**values)
        config = RobotConfig.get_choice_class(self.kind)(
            port=self.port,
            id=self.robot_id,
            calibration_dir=self.calibration_dir,
            cameras=cameras,
            disable_torque_on_disconnect=False,
        )
        return LeRobotConnection(config)


class LeRobotConnection:
    """An SO-101 behind LeRobot's `Robot` class.

    Args:
        config: LeRobot's configuration of the robot.
    """

    def __init__(self, config: Any) -> None:
        self._config = config
        self._robot: Any = None
        self.cameras = tuple(config.cameras)

    def connect(self) -> None:
        """Connect; see `ConnectedArm.connect`.

        Raises:
            DeviceError: the arm does not answer, or it has another calibration than the file.
        """
        from lerobot.robots import make_robot_from_config

        self.close()
        self._robot = make_robot_from_config(self._config)
        with self._answering("connect to"):
            self._robot.connect(calibrate=False)
            calibrated = self._robot.is_calibrated  # reads the servos
            self._robot.bus.write("Torque_Limit", GRIPPER, GRIP_TORQUE, num_retry=RETRIES)
        if not calibrated:
            self.close()
            raise DeviceError("the arm's calibration is not that of its file; run lerobot-calibrate")

    def read(self) -> Measurement:
        """Return what the arm measures now."""
        with self._answering("read"):
            seen = self._robot.get_observation()
            currents = self._robot.bus.sync_read("Present_Current", normalize=False, num_retry=RETRIES)
        names = list(self._robot.bus.motors)
        return Measurement(
            tuple(math.radians(seen[f"{name}.pos"]) for name in names if name != GRIPPER),
            seen[f"{GRIPPER}.pos"] / 100.0,
            tuple(CURRENT_UNIT * (currents[name] & 0x7FFF) for name in names),
            {name: seen[name] for name in self.cameras},
        )

    def renew_grip(self) -> None:
        """Switch the gripper off and on; see `ConnectedArm.renew_grip`."""
        with contextlib.suppress(Exception):  # LeRobot takes the servo's report of an overload for a failure
            self._robot.bus.write("Torque_Enable", GRIPPER, 0)
        SYSTEM_CLOCK.sleep(RECOVERY_S)
        with self._answering("switch on the gripper of"):
            self._robot.bus.write("Torque_Enable", GRIPPER, 1, num_retry=RETRIES)

    def send(self, joints: Sequence[float], opening: float) -> None:
        """Send the arm's servos to positions."""
        names = [name for name in self._robot.bus.motors if name != GRIPPER]
        action = {f"{name}.pos": math.degrees(at) for name, at in zip(names, joints, strict=True)}
        with self._answering("command"):
            self._robot.send_action({**action, f"{GRIPPER}.pos": 100.0 * opening})

    def close(self) -> None:
        """Let go of the port. Calling it twice is allowed."""
        robot, self._robot = self._robot, None
        if robot is None:
            return
        with contextlib.suppress(Exception):  # the cable may be out
            robot.disconnect()
        for camera in robot.cameras.values():
            with contextlib.suppress(Exception):
                camera.disconnect()
        with contextlib.suppress(Exception):
            robot.bus.port_handler.closePort()

    @contextlib.contextmanager
    def _answering(self, what: str) -> Any:
        if self._robot is None:
            raise DeviceError("the arm is not connected")
        try:
            yield
        except Exception as error:  # serial ports, sockets and LeRobot have no error in common
            reason = " ".join(str(error).split()) or type(error).__name__
            hint = f" ({SILENT_SERVO})" if "Missing motor" in reason else ""
            raise DeviceError(f"could not {what} the arm: {reason}{hint}") from error
