"""Logs of a device's readings: files with one JSON object per line, which are written during the recording."""

from __future__ import annotations

import json
import logging
import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gym_hil.core.errors import InvalidDatasetError
from gym_hil.core.schema import EpisodeEvent, GripperCommand, with_present_keys
from gym_hil.devices.base import STILL, DeviceReading, Motion

FORMAT = "gym-hil device log"
VERSION = 1
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TimedReading:
    """A reading and its time."""

    time_s: float
    """Time since the start of the recording (s)."""
    reading: DeviceReading
    end_effector: int = 0
    """Index of the driven end effector, if each end effector has its own device; otherwise 0."""


@dataclass(frozen=True)
class DeviceLog:
    """A recording: the readings that differ from their predecessor, and those with presses."""

    device: str
    """Name of the recorded device."""
    readings: tuple[TimedReading, ...]
    end_s: float
    """Duration of the recording (s)."""

    def of(self, end_effector: int) -> DeviceLog:
        """Return the readings of one end effector's device."""
        return replace(
            self, readings=tuple(timed for timed in self.readings if timed.end_effector == end_effector)
        )


def header_line(device: str) -> str:
    """Return the first line of a log."""
    return json.dumps({"format": FORMAT, "version": VERSION, "device": device}) + "\n"


def reading_line(timed: TimedReading) -> str:
    """Return the line of one reading, without neutral values."""
    reading = timed.reading
    record: dict[str, Any] = {"time_s": timed.time_s}
    if timed.end_effector:
        record["end_effector"] = timed.end_effector
    if not reading.connected:
        record["connected"] = False
    if reading.motion != STILL:
        record["motion"] = list(reading.motion)
    if reading.gripper is not GripperCommand.STAY:
        record["gripper"] = reading.gripper.name.lower()
    if reading.engage:
        record["engage"] = True
    if reading.engage_presses:
        record["engage_presses"] = reading.engage_presses
    if reading.events:
        record["events"] = [event.value for event in reading.events]
    return json.dumps(record) + "\n"


def end_line(time_s: float) -> str:
    """Return the last line of a complete log."""
    return json.dumps({"time_s": time_s, "end": True}) + "\n"


def load_device_log(path: str | os.PathLike[str]) -> DeviceLog:
    """Read a log. If a crash has cut off the last line, it is ignored with a warning.

    Raises:
        InvalidDatasetError: the file is not a device log, or another line is invalid.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidDatasetError(f"device log {str(path)!r} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidDatasetError(f"{str(path)!r} is not a device log: it is not a text file") from None
    return parse_device_log(text, path)


def parse_device_log(text: str, path: Path) -> DeviceLog:
    """Return the log in `text`, like `load_device_log`; messages name the file `path`."""
    lines = text.splitlines()
    device = _device_name(path, lines[0] if lines else "")
    readings: list[TimedReading] = []
    end_s = 0.0
    for number, line in enumerate(lines[1:], start=2):
        try:
            record = with_present_keys(json.loads(line))
            time_s = float(record["time_s"])
            if not (math.isfinite(time_s) and time_s >= end_s):
                raise ValueError(f"time_s={time_s!r} is less than {end_s!r} in the previous line")
            ended = bool(record.get("end", False))
            if not ended:
                readings.append(TimedReading(time_s, _reading(record), int(record.get("end_effector", 0))))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            if number == len(lines):
                _log.warning("device log %s: the last line is incomplete and ignored", path)
                break
            raise InvalidDatasetError(
                f"device log {str(path)!r}, line {number} is invalid: {error}"
            ) from None
        end_s = time_s
        if ended:
            break
    return DeviceLog(device, tuple(readings), end_s)


def _device_name(path: Path, line: str) -> str:
    try:
        header = json.loads(line)
        known = header["format"] == FORMAT
        version, device = header["version"], str(header["device"])
    except (ValueError, TypeError, KeyError):
        known = False
    if not known:
        raise InvalidDatasetError(
            f"{str(path)!r} is not a device log: its first line is not the header of a device log"
        )
    if version != VERSION:
        raise InvalidDatasetError(
            f"device log {str(path)!r} has version {version!r}; only {VERSION} is supported"
        )
    return device


def _reading(record: dict[str, Any]) -> DeviceReading:
    return DeviceReading(
        connected=bool(record.get("connected", True)),
        motion=_motion(record.get("motion", STILL)),
        gripper=GripperCommand[str(record.get("gripper", "stay")).upper()],
        engage=bool(record.get("engage", False)),
        engage_presses=int(record.get("engage_presses", 0)),
        events=tuple(EpisodeEvent(event) for event in record.get("events", ())),
    )


def _motion(levels: Any) -> Motion:
    x, y, z, rx, ry, rz = (float(level) for level in levels)
    motion = (x, y, z, rx, ry, rz)
    if not all(-1.0 <= level <= 1.0 for level in motion):
        raise ValueError(f"motion {motion} is not in [-1, 1]")
    return motion
