"""A web page that shows the robot and reads keys, touch sticks and gamepads, for machines without a display.

The server sends the poses of all bodies, and the browser renders them, including the camera images.
`gym_hil.viewers.web.access` describes the access control.
"""

from __future__ import annotations

import json
import time
import weakref
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from gym_hil.core.observer import Watcher
from gym_hil.devices.controller_config import read_controller_configs
from gym_hil.devices.page import PageAddress
from gym_hil.viewers.base import SLOW_MOTION, Viewer
from gym_hil.viewers.web.clients import Frame
from gym_hil.viewers.web.scene import describe, poses
from gym_hil.viewers.web.server import PageServer

LEAST_PERIOD_S = 0.04
"""Shortest time between two steps that are shown (s)."""


class Page(Viewer):
    """A page for one environment. The first browser that opens it drives, and others watch.

    Args:
        title: title of the page.
        model: the model to show.
        address: address of the page; None for a free port of this machine.
        instruction: what the person has to do, in words.

    Raises:
        DeviceError: the address cannot be used.
        MissingExtraError: aiohttp is not installed.
    """

    def __init__(
        self, title: str, model: mujoco.MjModel, address: PageAddress | None = None, instruction: str = ""
    ) -> None:
        super().__init__()
        self.address = PageAddress() if address is None else address
        self._clock_s = 0.0
        self._shown_at = 0.0
        self._between: list[NDArray[np.float32]] = []
        self._last = b""
        self._succeeded = False
        self._help = ""
        self._title, self._instruction = title, instruction
        self._model = describe(model)
        self._scene = self._statistics_text = ""
        self._describe()
        self._server = PageServer(self.address)
        # Stop the server of an unreferenced page, as after running a notebook's cell again.
        weakref.finalize(self, self._server.release)

    @property
    def url(self) -> str:
        """The address of the page. Everybody who knows it can drive."""
        return self._server.url

    @property
    def attended(self) -> bool:
        """Whether a person attends the page and drives."""
        return self._server.attended

    @property
    def time_scale(self) -> float:  # type: ignore[override]
        """Factor by which the environment should run slower than in real time."""
        return SLOW_MOTION if self._server.slow_motion else 1.0

    def deliver_to(self, device: Any) -> None:
        """Deliver the driver's input to `device`."""
        self._help = device.help()
        self._describe()
        self._server.deliver_to(device)

    def refresh(self) -> None:
        """Update who acts and the note on all pages."""
        self._publish(self._last, "SUCCESS" if self._succeeded and self.who != "PAUSED" else self.who)

    def begin(self) -> None:
        """Begin an episode."""
        self._between.clear()
        self._shown_at = 0.0
        self._describe()

    def watch_step(self) -> Watcher | None:
        """Return a function that stores states within the next step, unless that step is not shown."""
        return self._look if self._is_due() else None

    def show(self, data: mujoco.MjData, clock_s: float, *, success: bool = False) -> None:
        """Show a state of the robot, who acts, and the time in the episode (s)."""
        self._clock_s, self._succeeded = clock_s, success
        if not (self._is_due() or success):
            return
        self._shown_at = time.monotonic()
        self._last = poses(data).tobytes()
        moved = b"".join(pose.tobytes() for pose in self._between) + self._last
        self._between.clear()
        self._publish(moved, "SUCCESS" if success else self.who)

    def close(self) -> None:
        """Stop the server and free its port. It may be called more than once."""
        if not self.closed:
            self.closed = True
            self._server.close()

    def _look(self, data: mujoco.MjData) -> None:
        self._between.append(poses(data))

    def _is_due(self) -> bool:
        return time.monotonic() - self._shown_at >= LEAST_PERIOD_S

    def _describe(self) -> None:
        """Update the texts that are sent only if they change."""
        texts = {"title": self._title, "instruction": self._instruction, "help": self._help}
        facts = {**texts, "pads": read_controller_configs()}
        self._scene = json.dumps({"scene": {**facts, **self._model}})
        self._statistics_text = json.dumps({"statistics": self.statistics.report()})

    def _publish(self, moved: bytes, who: str) -> None:
        if self.closed:
            return
        state: dict[str, Any] = {
            "who": who,
            "note": self.note,
            "clock": round(self._clock_s, 2),
            "slow": self.time_scale > 1.0,
            "speed": self.speed,
        }
        self._server.publish(Frame(self._scene, self._statistics_text, state, moved))
