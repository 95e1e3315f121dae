"""Open pages, and the lock that allows only one attended page to drive."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gym_hil.core.clock import SYSTEM_CLOCK
from gym_hil.devices.page import PageDevice
from gym_hil.viewers.web.protocol import Blur, Button, GamepadDisconnected, GamepadState, Key, Message, Sticks

if TYPE_CHECKING:
    from aiohttp import web

DEAD_MAN_S = 0.28
"""Time without a message after which the person counts as absent (s). With the polling interval, it is 0.3 s."""
CLOCK_SAMPLES = 50
"""Number of latest messages of a page from which the difference of its clock is computed, about 5 s."""
MAX_RATE = 300
"""Largest number of messages per second. A page that sends more is disconnected."""


@dataclass(frozen=True)
class Frame:
    """The content that all pages show."""

    scene: str
    """JSON, which is sent if it differs from the last one that a page received."""
    statistics: str
    """JSON, which is sent if it differs from the last one that a page received."""
    state: dict[str, Any]
    poses: bytes
    """Poses of all bodies at one or more times since the previous frame, float32."""


class Client:
    """One open page. Only the newest frame waits to be sent, so that a slow page skips frames and does not
    delay others.

    Args:
        socket: socket of the page.
    """

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.role: dict[str, Any] = {}
        self._alive_at = 0.0
        self._visible = False
        self._frame: Frame | None = None
        self._fresh = asyncio.Event()
        self._received: list[float] = []
        self._offsets: deque[float] = deque(maxlen=CLOCK_SAMPLES)

    def attends(self) -> bool:
        """Return whether a person can be looking at the page."""
        return self._visible and time.monotonic() - self._alive_at < DEAD_MAN_S

    def mark_alive(self, visible: bool, sent_at: float) -> None:
        """Process a message that shows that the page is open.

        Args:
            visible: whether the page is visible.
            sent_at: time of the message on the page's clock (ms).
        """
        self._alive_at, self._visible = time.monotonic(), visible
        self._offsets.append(SYSTEM_CLOCK.monotonic() - sent_at / 1000.0)

    def local_time(self, at: float | None) -> float | None:
        """Convert a time of the page's clock (ms) to a time of `SYSTEM_CLOCK` (s); None if it is unknown.

        The difference of the clocks is computed from the message with the shortest transmission time.
        """
        return None if at is None or not self._offsets else at / 1000.0 + min(self._offsets)

    def exceeds_rate(self) -> bool:
        """Count a message, and return whether there were too many in the last second."""
        now = time.monotonic()
        self._received = [at for at in self._received if now - at < 1.0] + [now]
        return len(self._received) > MAX_RATE

    def show(self, frame: Frame) -> None:
        """Send `frame`, unless a newer frame replaces it before that."""
        self._frame = frame
        self._fresh.set()

    async def send_frames(self) -> None:
        """Send the newest frame whenever there is a new one."""
        scene = statistics = ""
        while True:
            await self._fresh.wait()
            self._fresh.clear()
            frame = self._frame
            if frame is None:
                continue
            if frame.scene != scene:
                scene = frame.scene
                await self.socket.send_str(scene)
            if frame.statistics != statistics:
                statistics = frame.statistics
                await self.socket.send_str(statistics)
            await self.socket.send_str(json.dumps({**frame.state, **self.role}))
            await self.socket.send_bytes(frame.poses)


class DriverLock:
    """Determines which page drives. Control changes only if the driver releases it or is absent."""

    def __init__(self) -> None:
        self.clients: list[Client] = []
        self.devices: list[PageDevice] = []
        self._driver: Client | None = None
        self._slow = False
        self._waiting: list[Client] = []

    def enter(self, client: Client) -> None:
        """Add a page, which drives if no other page does."""
        self.clients.append(client)
        if self._driver is None:
            self._set_driver(client)
        self._update_roles()

    def leave(self, client: Client) -> None:
        """Remove a page."""
        self.clients.remove(client)
        self.request_control(client, False)

    def drives(self, client: Client) -> bool:
        """Return whether `client` has control and is attended."""
        return client is self._driver and client.attends()

    def attended(self) -> bool:
        """Return whether an attended page drives."""
        driver = self._driver
        return driver is not None and driver.attends()

    @property
    def slow_motion(self) -> bool:
        """Whether the driver has selected slow motion and is present."""
        return self._slow and self.attended()

    @slow_motion.setter
    def slow_motion(self, on: bool) -> None:
        self._slow = on

    def request_control(self, client: Client, wanted: bool) -> None:
        """Request control, or give it up.

        Args:
            client: the page.
            wanted: True requests control, which is granted when the driver releases it. False releases control, or
                withdraws the request.
        """
        if wanted and client is not self._driver and client not in self._waiting:
            self._waiting.append(client)
        elif not wanted:
            if client in self._waiting:
                self._waiting.remove(client)
            if client is self._driver:
                self._set_driver(None)
        self.update()

    def update(self) -> None:
        """Give control to the next page if the driver is absent, and connect the devices while a page drives."""
        if self._waiting and not self.attended():
            for device in self.devices:
                device.attended = False
            self._set_driver(self._waiting.pop(0))
        for device in self.devices:
            device.attended = self.attended()
        self._update_roles()

    def deliver(self, client: Client, message: Message) -> None:
        """Deliver the input of `client` to the devices."""
        for device in self.devices:
            _deliver(device, message, client)

    def _set_driver(self, client: Client | None) -> None:
        self._driver, self._slow = client, False

    def _update_roles(self) -> None:
        for client in self.clients:
            if client is self._driver:
                role = "control"
            elif client in self._waiting:
                role = "waiting"
            else:
                role = "free" if self._driver is None else "watch"
            client.role = {"role": role, "waiting": len(self._waiting)}


def _deliver(device: PageDevice, message: Message, client: Client) -> None:
    if isinstance(message, Key):
        at = client.local_time(message.at)
        (device.keyboard.press if message.down else device.keyboard.release)(message.key, at)
    elif isinstance(message, Button):
        keyboard = device.keyboard
        (keyboard.press_button if message.down else keyboard.release_button)(message.control)
    elif isinstance(message, Sticks):
        device.sticks.move(message.x, message.y, message.z, turning=message.turning)
    elif isinstance(message, GamepadState):
        device.gamepad.update(message.sticks, message.down)
    elif isinstance(message, GamepadDisconnected):
        device.gamepad.unplug()
    elif isinstance(message, Blur):
        device.keyboard.release_all()
