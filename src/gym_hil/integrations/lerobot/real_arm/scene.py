"""Poses of the objects in front of an arm, measured by another program, such as a tracker of printed tags.

The program listens at a TCP port. A request is one line of text, and the answer is one line of JSON.

- ``poses``: ``{"poses": {part: [x, y, z, w, qx, qy, qz]}}`` for every part of the task's props (m, world
  frame, whose origin is the arm's base), or one number for a part with a hinge or slide joint (rad or m).
- ``reset``: a request to put the objects back. The answer is ``{"reset": true}`` when this is done, or
  ``{"reset": false}`` if a person must do it.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Sequence
from typing import Any

from gym_hil.core.errors import DeviceError, InvalidArgumentError

ANSWER_S = 0.5
"""Longest time until an answer about poses (s)."""
RESET_S = 30.0
"""Longest time until the objects are put back (s)."""


class MeasuredScene:
    """The connection to a program that measures the poses of the objects.

    Args:
        address: host and TCP port of the program, such as ``127.0.0.1:5555``.

    Raises:
        InvalidArgumentError: the address has another form.
    """

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            raise InvalidArgumentError(f"robot_scene={address!r} must look like 127.0.0.1:5555")
        self._address = host, int(port)
        self._socket: socket.socket | None = None
        self._answers: Any = None

    def poses(self, parts: Sequence[str]) -> dict[str, list[float]]:
        """Return the pose of every part.

        Args:
            parts: the names of the parts.

        Raises:
            DeviceError: the program does not answer, or does not know a part.
        """
        poses = self._ask("poses", ANSWER_S).get("poses", {})
        missing = [part for part in parts if part not in poses]
        if missing:
            raise DeviceError(f"the program measures {sorted(poses)}, but not {missing}")
        return {part: [float(number) for number in poses[part]] for part in parts}

    def put_back(self) -> bool:
        """Request that the objects are put back, and return whether the program has done so.

        Raises:
            DeviceError: the program does not answer.
        """
        return bool(self._ask("reset", RESET_S).get("reset"))

    def close(self) -> None:
        """Disconnect. It may be called more than once."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None

    def _ask(self, request: str, seconds: float) -> dict[str, Any]:
        try:
            if self._socket is None:
                self._socket = socket.create_connection(self._address, seconds)
                self._answers = self._socket.makefile("r", encoding="utf-8")
            self._socket.settimeout(seconds)
            self._socket.sendall(f"{request}\n".encode())
            answer = json.loads(self._answers.readline() or "nothing")
            if not isinstance(answer, dict):
                raise ValueError(f"it answers {answer!r}")
            return answer
        except (OSError, ValueError) as error:
            self.close()
            where = ":".join(map(str, self._address))
            raise DeviceError(
                f"the program at {where} does not report the poses of the objects: {error}"
            ) from error
