"""Any LeRobot teleoperator as a device: its gamepad, its keyboard, or with a conversion a phone or an arm."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

from gym_hil.core.errors import DeviceError
from gym_hil.core.schema import EpisodeEvent, GripperCommand
from gym_hil.devices.base import DISCONNECTED, Device, DeviceReading

DELTAS = ("delta_x", "delta_y", "delta_z")
"""What LeRobot calls x, y, z in units of action."""
ROTATIONS = ("delta_wx", "delta_wy", "delta_wz")
"""Rotations about x, y, z in units of action, named after LeRobot's ``wx, wy, wz``; they may be absent."""
_log = logging.getLogger(__name__)


class LeRobotTeleoperator(Device):
    """Drives with `teleoperator`, an instance of LeRobot's `Teleoperator`; nothing of LeRobot is imported.

    Its deltas count as they are in LeRobot's own loop: x, y, z in units of action, gripper 0 close, 1 stay,
    2 open. Its `get_teleop_events` says when it takes over and how episodes end; one that has none, such as a
    leader arm, never engages by itself: use `Engage.MOTION`, and a `CombinedDevice` for the ends.

    Args:
        teleoperator: connected, or it is connected now. Disconnected on `close`.
        to_deltas: turns what `get_action` returns into ``delta_x, delta_y, delta_z[, delta_wx, delta_wy,
            delta_wz][, gripper]``, for those that return something else: a leader arm's joints, a phone's
            position and orientation.
    """

    name = "LeRobot teleoperator"

    def __init__(
        self,
        teleoperator: Any,
        to_deltas: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
    ) -> None:
        if not callable(getattr(teleoperator, "get_action", None)):
            raise DeviceError(f"{teleoperator!r} is no LeRobot teleoperator: it has no get_action()")
        self.name = f"LeRobot {getattr(teleoperator, 'name', type(teleoperator).__name__)}"
        self._teleoperator = teleoperator
        self._to_deltas = to_deltas
        self._ends: frozenset[EpisodeEvent] = frozenset()
        self._engaged = False
        self._complaint = ""
        self._closed = False
        if not getattr(teleoperator, "is_connected", True):
            teleoperator.connect()

    def poll(self) -> DeviceReading:
        """Return what the teleoperator says. While it fails it is unplugged, and says why once.

        Raises:
            DeviceError: its actions are no deltas.
        """
        if self._closed:
            return DISCONNECTED
        try:
            action = self._teleoperator.get_action()
            get_events = getattr(self._teleoperator, "get_teleop_events", dict)
            flags = {str(getattr(key, "value", key)): bool(value) for key, value in get_events().items()}
        except Exception as error:
            self._complain(error)
            self._ends, self._engaged = frozenset(), False
            return DISCONNECTED
        self._complaint = ""
        deltas = action if self._to_deltas is None else self._to_deltas(action)
        missing = [key for key in DELTAS if key not in deltas]
        if missing:
            raise DeviceError(
                f"{self.name} gives {', '.join(map(str, action))}, not {', '.join(missing)}: pass to_deltas, "
                "which turns the one into the other"
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
            events=self._new_ends(flags),
        )

    def help(self) -> str:
        """Return one line that says who drives."""
        return f"drive with {self.name}, as LeRobot's documentation says"

    def close(self) -> None:
        """Disconnect the teleoperator."""
        if not self._closed:
            self._closed = True
            disconnect = getattr(self._teleoperator, "disconnect", None)
            if disconnect is not None and getattr(self._teleoperator, "is_connected", True):
                disconnect()

    def _new_ends(self, flags: Mapping[str, bool]) -> tuple[EpisodeEvent, ...]:
        """Return the ends that are flagged now and were not before: a held key is one press."""
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

    def _complain(self, error: Exception) -> None:
        if str(error) != self._complaint:
            self._complaint = str(error)
            _log.warning("%s does not answer: %s", self.name, error)


def _level(value: Any) -> float:
    level = float(value)
    return max(-1.0, min(1.0, level)) if math.isfinite(level) else 0.0


def _gripper(value: Any) -> GripperCommand:
    if value is None or not math.isfinite(float(value)):
        return GripperCommand.STAY
    return GripperCommand(max(0, min(2, round(float(value)))))
