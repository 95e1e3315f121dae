"""The connection to an arm outside the simulation: its interface, and an implementation for LeRobot's robots."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.clock import SYSTEM_CLOCK
from gym_hil.core.errors import DeviceError, MissingExtraError, require_one_of

ROBOTS = ("so101_follower", "so100_follower")
"""LeRobot's robots with the same joints as the SO-101 of this package."""
GRIPPER = "gripper"
RETRIES = 2
"""Number of further attempts to read a register if the first one fails, as many as LeRobot makes for positions."""
SILENCE_S = 0.06
"""Time before the last attempt to read a register (s), in which late answers to the earlier attempts arrive. They are
discarded, because they would otherwise be taken for answers to the next request."""
GRIP_TORQUE = 500
"""Largest torque of the gripper (0.1 % of its stall torque). LeRobot writes the same number to a register that takes
effect at the next power-on; until then, a gripper that often squeezes an object overheats within minutes."""
RECOVERY_S = 0.03
"""Time for which the gripper is switched off (s). Afterwards, its answers no longer report the overload."""
SILENT_SERVO = (
    "LeRobot also reports a servo as missing if it answers with an error: it may be too hot or overloaded. Let it cool "
    "down, and switch the arm off and on"
)
RAD_PER_COUNT = 2.0 * math.pi / 4096
"""Unit of the register for the speed of a Feetech servo, per second (rad)."""
ACCELERATION = 100
"""Largest acceleration of the arm's servos (100 counts/s^2; 100 are 15 rad/s^2). In a test without contacts, joints of
the virtual arm exceeded the limit of their speed by 26 % with LeRobot's 254, because their torque does not suffice for
this acceleration, so that they lag and catch up. With 100, they exceeded it by 4 %, with lower currents."""
CURRENT_UNIT = 0.0065
"""Unit of the register for the current of a Feetech servo (A)."""
OVERLOAD = 32
ERRORS = {
    1: "that its voltage is out of range",
    2: "an error of its encoder",
    4: "that it is too hot",
    8: "that it draws too much current",
    OVERLOAD: "an overload",
}
"""Error bits of a Feetech servo (register ``Status``), and their meaning. After most errors, a servo removes its
torque, and the arm falls. LeRobot ignores the error bits of the answers with positions."""


@dataclass(frozen=True)
class Measurement:
    """The measurements of an arm at one time.

    Attributes:
        joints: positions of the arm's joints (rad), from base to flange.
        opening: opening of the gripper: 0 closed, 1 open.
        currents: current of every servo, that of the gripper last (A); empty if the arm does not measure currents.
        images: images (height, width, 3; uint8, RGB) by the name of the camera.
        errors: errors that servos report, in words.
    """

    joints: tuple[float, ...]
    opening: float
    currents: tuple[float, ...] = ()
    images: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    errors: tuple[str, ...] = ()


class ConnectedArm(Protocol):
    """An arm outside the simulation. Every method raises `DeviceError` if the arm does not answer."""

    cameras: tuple[str, ...]

    def connect(self) -> None:
        """Connect to the arm and switch its servos on; it holds its position. A second call opens a new connection."""

    def read(self) -> Measurement:
        """Return the current measurements."""

    def reset_gripper(self) -> None:
        """Switch the gripper's servo off and on. It switches itself off when it has squeezed an object for too long."""

    def limit_speed(self, speeds: Sequence[float]) -> None:
        """Let every joint move to the positions that are sent from now on no faster than `speeds` (rad/s)."""

    def send(self, joints: Sequence[float], opening: float) -> None:
        """Command the joint positions `joints` (rad) and the `opening` of the gripper, from 0 (closed) to 1 (open). The
        servos hold the last commanded positions.
        """

    def close(self) -> None:
        """Close the connection. The servos keep holding their positions."""


@dataclass(frozen=True, kw_only=True)
class LeRobotArm:
    """The settings of the connection to an arm through LeRobot.

    Attributes:
        kind: one of `ROBOTS`.
        port: serial port of the arm.
        robot_id: name under which the arm was calibrated.
        calibration_dir: folder of the calibration; None for that of LeRobot.
        cameras: LeRobot's configuration of each camera by its name: ``{"front": {"type": "opencv", ...}}``.
    """

    kind: str
    port: str
    robot_id: str
    calibration_dir: Path | None = None
    cameras: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def make(self) -> LeRobotConnection:
        """Return a connection that is not open yet.

        Raises:
            InvalidArgumentError: `kind` is not one of `ROBOTS`.
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
            num_read_retries=0,  # `LeRobotConnection` repeats requests, and discards late answers
        )
        return LeRobotConnection(config)


class LeRobotConnection:
    """The connection to an SO-101 through LeRobot's class `Robot`.

    Args:
        config: LeRobot's configuration of the robot.
    """

    def __init__(self, config: Any) -> None:
        self._config = config
        self._robot: Any = None
        self._configured = False
        self.cameras = tuple(config.cameras)

    def connect(self) -> None:
        """Connect to the arm; see `ConnectedArm.connect`.

        LeRobot switches the torque off while it configures the servos, so that the arm sinks for a moment. After the
        first connection, this is done only if a servo has been switched off.

        Raises:
            DeviceError: the arm does not answer, or its calibration differs from that in the file.
        """
        from lerobot.robots import make_robot_from_config

        self.close()
        self._robot = make_robot_from_config(self._config)
        with self._as_device_errors("connect to"):
            if not (self._configured and self._connect_to_holding_servos()):
                self._configured = False
                self._robot.connect(calibrate=False)
                self._configured = True
            calibrated = self._robot.is_calibrated  # reads the servos
            self._robot.bus.write("Torque_Limit", GRIPPER, GRIP_TORQUE, num_retry=RETRIES)
            self._write("Acceleration", self._robot, [ACCELERATION] * (len(self._robot.bus.motors) - 1))
        if not calibrated:
            self.close()
            raise DeviceError("the arm's calibration differs from that in its file; run lerobot-calibrate")

    def read(self) -> Measurement:
        """Return the current measurements of the arm."""
        with self._as_device_errors("read"):
            measured = self._ask(self._robot.get_observation)
            currents = self._ask(lambda: self._robot.bus.sync_read("Present_Current", normalize=False))
            status = self._ask(lambda: self._robot.bus.sync_read("Status", normalize=False))
        names = list(self._robot.bus.motors)
        return Measurement(
            tuple(math.radians(measured[f"{name}.pos"]) for name in names if name != GRIPPER),
            measured[f"{GRIPPER}.pos"] / 100.0,
            tuple(CURRENT_UNIT * (currents[name] & 0x7FFF) for name in names),
            {name: measured[name] for name in self.cameras},
            tuple(text for name in names for text in _errors(name, status[name])),
        )

    def reset_gripper(self) -> None:
        """Switch the gripper off and on; see `ConnectedArm.reset_gripper`."""
        with contextlib.suppress(Exception):  # LeRobot treats the servo's report of an overload as a failure
            self._robot.bus.write("Torque_Enable", GRIPPER, 0)
        SYSTEM_CLOCK.sleep(RECOVERY_S)
        with self._as_device_errors("switch on the gripper of"):
            self._robot.bus.write("Torque_Enable", GRIPPER, 1, num_retry=RETRIES)

    def limit_speed(self, speeds: Sequence[float]) -> None:
        """Limit the speeds of the joints; see `ConnectedArm.limit_speed`. The servos keep the limits until `close`."""
        limits = [max(1, round(speed / RAD_PER_COUNT)) for speed in speeds]  # 0 would be no limit
        with self._as_device_errors("limit the speed of"):
            self._write("Goal_Velocity", self._robot, limits)

    def send(self, joints: Sequence[float], opening: float) -> None:
        """Command positions; see `ConnectedArm.send`."""
        names = [name for name in self._robot.bus.motors if name != GRIPPER]
        action = {f"{name}.pos": math.degrees(at) for name, at in zip(names, joints, strict=True)}
        with self._as_device_errors("command"):
            self._robot.send_action({**action, f"{GRIPPER}.pos": 100.0 * opening})

    def close(self) -> None:
        """Close the connection, and end the limits of speed. It may be called more than once."""
        robot, self._robot = self._robot, None
        if robot is None:
            return
        with contextlib.suppress(Exception):  # the cable may be unplugged
            self._write("Goal_Velocity", robot, [0] * (len(robot.bus.motors) - 1))
        with contextlib.suppress(Exception):  # the cable may be unplugged
            robot.disconnect()
        for camera in robot.cameras.values():
            with contextlib.suppress(Exception):
                camera.disconnect()
        with contextlib.suppress(Exception):
            robot.bus.port_handler.closePort()

    def _write(self, register: str, robot: Any, values: Sequence[int]) -> None:
        """Write a register of all servos except the gripper's."""
        names = [name for name in robot.bus.motors if name != GRIPPER]
        robot.bus.sync_write(register, dict(zip(names, values, strict=True)), normalize=False)

    def _connect_to_holding_servos(self) -> bool:
        """Connect without configuring the servos. If the torque of one is off, disconnect again and return False.

        The gripper does not count: `reset_gripper` switches it off and on, and may have failed in between.
        """
        bus = self._robot.bus
        bus.connect()
        torque = self._ask(lambda: bus.sync_read("Torque_Enable", normalize=False))
        if not all(enabled for name, enabled in torque.items() if name != GRIPPER):
            bus.disconnect(disable_torque=False)
            return False
        for camera in self._robot.cameras.values():
            camera.connect()
        return True

    def _ask(self, request: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the answer to a request, and repeat it if answers are missing or damaged. Earlier answers that have
        not been read are discarded.
        """
        for attempt in range(1 + RETRIES):
            if attempt == RETRIES:
                SYSTEM_CLOCK.sleep(SILENCE_S)
            self._robot.bus.port_handler.ser.reset_input_buffer()
            try:
                return request()
            except ConnectionError:
                if attempt == RETRIES:
                    raise
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def _as_device_errors(self, what: str) -> Any:
        if self._robot is None:
            raise DeviceError("the arm is not connected")
        try:
            yield
        except Exception as error:  # serial ports, sockets and LeRobot have no common base class of errors
            reason = " ".join(str(error).split()) or type(error).__name__
            hint = f" ({SILENT_SERVO})" if "Missing motor" in reason else ""
            raise DeviceError(f"could not {what} the arm: {reason}{hint}") from error


def _errors(name: str, bits: int) -> Iterator[str]:
    """Yield the errors of a servo in words. An overload of the gripper is left out: it squeezes objects."""
    for bit, meaning in ERRORS.items():
        if bits & bit and (name, bit) != (GRIPPER, OVERLOAD):
            yield f"the servo {name} reports {meaning}"
