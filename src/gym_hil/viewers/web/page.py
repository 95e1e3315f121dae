"""A web page that shows the robot and hears keys, touch and gamepads, for machines without a display.

The server sends the poses of all bodies and the browser draws them, camera pictures included: nothing is
rendered here. See `gym_hil.viewers.web.access` for who gets in.
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
"""Steps that come faster than this are left out (s)."""


class Page(Viewer):
    """A page for one environment. The first browser to open it drives; further ones watch.

    Args:
        title: shown on the page.
        model: what is drawn.
        address: where it is served.

    Raises:
        DeviceError: the address cannot be used.
        MissingExtraError: aiohttp is not installed.
    """

    delivers = "page"

    def __init__(self, title: str, model: mujoco.MjModel, address: PageAddress | None = None) -> None:
        super().__init__()
        self.address = PageAddress() if address is None else address
        self._clock_s = 0.0
        self._shown_at = 0.0
        self._between: list[NDArray[np.float32]] = []
        self._last = b""
        self._help = ""
        self._title = title
        self._model = describe(model)
        self._scene = self._tally_text = ""
        self._describe()
        self._server = PageServer(self.address)
        # A page that nobody can reach any more, as after running a notebook's cell again, is released.
        weakref.finalize(self, self._server.close)

    @property
    def url(self) -> str:
        """Address of the page; whoever has it can drive."""
        return self._server.url

    @property
    def attended(self) -> bool:
        """Whether a person is at the page and drives."""
        return self._server.attended

    @property
    def time_scale(self) -> float:  # type: ignore[override]
        """How many times slower than in real time the person who drives wants the environment to run."""
        return SLOW_MOTION if self._server.slow_motion else 1.0

    def feed(self, device: Any) -> None:
        """Let whoever drives work `device`."""
        self._help = device.help()
        self._describe()
        self._server.feed(device)

    def refresh(self) -> None:
        """Say on all pages who acts."""
        self._publish(self._last, self.who)

    def begin(self) -> None:
        """Begin an episode."""
        self._between.clear()
        self._shown_at = 0.0
        self._describe()

    def watch_step(self) -> Watcher | None:
        """Return what notes how the robot moves within the next step, unless that step is left out."""
        return self._look if self._is_due() else None

    def show(self, data: mujoco.MjData, clock_s: float, *, success: bool = False) -> None:
        """Show the robot in the state `data`, who acts, and the episode's clock (s)."""
        self._clock_s = clock_s
        if not (self._is_due() or success):
            return
        self._shown_at = time.monotonic()
        self._last = poses(data).tobytes()
        moved = b"".join(pose.tobytes() for pose in self._between) + self._last
        self._between.clear()
        self._publish(moved, "SUCCESS" if success else self.who)

    def close(self) -> None:
        """Stop the server and free its port. Calling it twice is allowed."""
        if not self.closed:
            self.closed = True
            self._server.close()

    def _look(self, data: mujoco.MjData) -> None:
        self._between.append(poses(data))

    def _is_due(self) -> bool:
        return time.monotonic() - self._shown_at >= LEAST_PERIOD_S

    def _describe(self) -> None:
        """Write what a page is told only when it changes."""
        facts = {"title": self._title, "help": self._help, "pads": read_controller_configs()}
        self._scene = json.dumps({"scene": {**facts, **self._model}})
        self._tally_text = json.dumps({"tally": self.statistics.report()})

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
        self._server.publish(Frame(self._scene, self._tally_text, state, moved))
