"""Serves the poses of a virtual arm's objects, with the protocol of `gym_hil.integrations.lerobot.real_arm.scene`.

In a laboratory, a program that tracks the objects serves them.
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable

PUT_BACK_S = 25.0
"""Longest time until the objects are put back (s)."""


class SceneServer:
    """Answers requests about the objects at a TCP port of this machine, in threads of its own.

    Args:
        put_back: requests new places of the objects from the simulation without waiting for them.

    Attributes:
        address: host and port.
        poses: poses of the parts of the task's props, which the simulation sets.
    """

    def __init__(self, put_back: Callable[[], None]) -> None:
        self.poses: dict[str, list[float]] = {}
        self._put_back = put_back
        self._back = threading.Condition()
        self._resets = 0
        answer = self._answer

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    self.wfile.write(json.dumps(answer(line.decode().strip())).encode() + b"\n")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True, name="scene").start()

    def note_reset(self) -> None:
        """Tell waiting programs that the objects were put back."""
        with self._back:
            self._resets += 1
            self._back.notify_all()

    def close(self) -> None:
        """Close the port. It may be called more than once."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: str) -> dict[str, object]:
        if request == "poses":
            return {"poses": self.poses}
        if request != "reset":
            return {"error": f"{request!r} is not a request; poses and reset are"}
        with self._back:
            before = self._resets
            self._put_back()
            return {"reset": self._back.wait_for(lambda: self._resets > before, PUT_BACK_S)}
