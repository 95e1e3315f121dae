"""LeRobot teleoperators as devices: its gamepad and keyboard, or a phone or leader arm with a conversion."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

from gym_hil.core.errors import DeviceError
from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.devices.base import DISCONNECTED, Device, DeviceReading

DELTAS = ("delta_x", "delta_y", "delta_z")
"""LeRobot's keys of the motion along x, y and z, in units of the action."""
ROTATIONS = ("delta_wx", "delta_wy", "delta_wz")
"""Keys of the rotation about x, y and z in units of the action, named after LeRobot's ``wx, wy, wz``. They are
optional."""
_log = logging.getLogger(__name__)


class LeRobotTeleoperator(Device):
    """A device that reads an instance of LeRobot's `Teleoperator`. LeRobot itself is not imported.

    Actions are interpreted as in LeRobot's own control loop: x, y and z are in units of the action, and the gripper
    closes at 0, stays at 1 and opens at 2. The method `get_teleop_events` reports takeovers and the end of
    episodes. For a teleoperator without this method, such as a leader arm, use `Engage.MOTION` for takeovers and a
    `CombinedDevice` for events.

    Args:
        teleoperator: the teleoperator. It is connected if necessary, and disconnected by `close`.
        to_deltas: converts the result of `get_action` to ``delta_x, delta_y, delta_z[, delta_wx, delta_wy,
            delta_wz][, gripper]``, for teleoperators that return something else, such as the joints of a leader arm or
            the pose of a phone.

    Raises:
        DeviceError: `teleoperator` has no method `get_action`.
    """

    name = "LeRobot teleoperator"

    def __init__(
        self,
        teleoperator: Any,
        to_deltas: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
    ) -> None:
        if not callable(getattr(teleoperator, "get_action", None)):
            raise DeviceError(f"{teleoperator!r} is not a LeRobot teleoperator: it has no get_action()")
        self.name = f"LeRobot {getattr(teleoperator, 'name', type(teleoperator).__name__)}"
        self._teleoperator = teleoperator
        self._to_deltas = to_deltas
        self._ends: frozenset[EpisodeEvent] = frozenset()
        self._engaged = False
        self._last_warning = ""
        self._closed = False
        if not getattr(teleoperator, "is_connected", True):
            teleoperator.connect()

    def poll(self) -> DeviceReading:
        """Return the teleoperator's reading. If the teleoperator fails, a warning is logged once and the
        device counts as unplugged.

        Raises:
            DeviceError: the actions do not contain displacements.
        """
        if self._closed:
            return DISCONNECTED
        try:
            action = self._teleoperator.get_action()
            get_events = getattr(self._teleoperator, "get_teleop_events", dict)
            flags = {str(getattr(key, "value", key)): bool(value) for key, value in get_events().items()}
        except Exception as error:
            self._warn_once(error)
            self._ends, self._engaged = frozenset(), False
            return DISCONNECTED
        self._last_warning = ""
        deltas = action if self._to_deltas is None else self._to_deltas(action)
        missing = [key for key in DELTAS if key not in deltas]
        if missing:
            raise DeviceError(
                f"{self.name} returns {', '.join(map(str, action))} instead of {', '.join(missing)}: pass to_deltas "
                "to convert them"
            )
        x, y, z = (_level(deltas[key]) for key in DELTAS)
        rx, ry, rz = (_level(deltas.get(key, 0.0)) for key in ROTATIONS)
        engaged = flags.get("is_intervention", False)
        presses, self._engaged = int(engaged and not self._engaged), engaged
        return DeviceReading(
            motion=(x, y, z, rx, ry, rz),
            gripper=_gripper(deltas.get("gripper")),
            engage=engaged,
            engage_presses=presses,
            events=self._new_events(flags),
        )

    def help(self) -> str:
        """Return one line that names the teleoperator."""
        return f"drive with {self.name}, as described in LeRobot's documentation"

    def close(self) -> None:
        """Disconnect the teleoperator."""
        if not self._closed:
            self._closed = True
            disconnect = getattr(self._teleoperator, "disconnect", None)
            if disconnect is not None and getattr(self._teleoperator, "is_connected", True):
                disconnect()

    def _new_events(self, flags: Mapping[str, bool]) -> tuple[EpisodeEvent, ...]:
        """Return the events whose flags are set now but were not before, so that a held key is one press."""
        ends = set()
        if flags.get("success"):
            ends.add(EpisodeEvent.SUCCESS)
        if flags.get("rerecord_episode"):
            ends.add(EpisodeEvent.RERECORD)
        if flags.get("failure") or (flags.get("terminate_episode") and not ends):
            ends.add(EpisodeEvent.FAILURE)
        new = ends - self._ends
        self._ends = frozenset(ends)
        return tuple(sorted(new))

    def _warn_once(self, error: Exception) -> None:
        if str(error) != self._last_warning:
            self._last_warning = str(error)
            _log.warning("%s cannot be read: %s", self.name, error)


def _level(value: Any) -> float:
    level = float(value)
    return max(-1.0, min(1.0, level)) if math.isfinite(level) else 0.0


def _gripper(value: Any) -> GripperCommand:
    if value is None or not math.isfinite(float(value)):
        return GripperCommand.STAY
    return GripperCommand(max(0, min(2, round(float(value)))))
