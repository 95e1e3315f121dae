"""Open pages, and which of them drives: one at a time, and nobody who is not there."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gym_hil.core.clock import SYSTEM_CLOCK
from gym_hil.devices.page import PageDevice
from gym_hil.viewers.web.protocol import Blur, Button, Key, Message, Pad, PadGone, Sticks

if TYPE_CHECKING:
    from aiohttp import web

DEAD_MAN_S = 0.28
"""Silence after which the person counts as gone (s): 0.3 with the time until somebody looks."""
CLOCK_SAMPLES = 50
"""How many of a page's newest messages are used to compare its clock with ours: those of about 5 s."""
MAX_RATE = 300
"""Messages per second of one page; one that sends more is cut off."""


@dataclass(frozen=True)
class Frame:
    """What all pages show now."""

    scene: str
    """JSON; sent where it is not the last one that a page got."""
    tally: str
    """JSON, likewise."""
    state: dict[str, Any]
    poses: bytes
    """Poses of all bodies at one or more instants since the frame before, float32."""


class Client:
    """One open page. Only the newest frame waits for it: a slow one misses frames and delays nobody."""

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
        """Return whether a person can be looking at it."""
        return self._visible and time.monotonic() - self._alive_at < DEAD_MAN_S

    def note_alive(self, visible: bool, sent_at: float) -> None:
        """Note that the page runs, and what its clock said (ms) when it told so."""
        self._alive_at, self._visible = time.monotonic(), visible
        self._offsets.append(SYSTEM_CLOCK.monotonic() - sent_at / 1000.0)

    def local_time(self, at: float | None) -> float | None:
        """Return a time of the page's clock (ms) as a time of `SYSTEM_CLOCK` (s); None if it is not known.

        The message that was on its way for the shortest time tells best how far apart the clocks are.
        """
        return None if at is None or not self._offsets else at / 1000.0 + min(self._offsets)

    def floods(self) -> bool:
        """Note a message, and return whether there were too many in the last second."""
        now = time.monotonic()
        self._received = [at for at in self._received if now - at < 1.0] + [now]
        return len(self._received) > MAX_RATE

    def show(self, frame: Frame) -> None:
        """Send `frame`, unless a newer one comes first."""
        self._frame = frame
        self._fresh.set()

    async def send_frames(self) -> None:
        """Send the newest frame whenever there is one."""
        scene = tally = ""
        while True:
            await self._fresh.wait()
            self._fresh.clear()
            frame = self._frame
            if frame is None:
                continue
            if frame.scene != scene:
                scene = frame.scene
                await self.socket.send_str(scene)
            if frame.tally != tally:
                tally = frame.tally
                await self.socket.send_str(tally)
            await self.socket.send_str(json.dumps({**frame.state, **self.role}))
            await self.socket.send_bytes(frame.poses)


class Cockpit:
    """Who drives the devices. Control passes only when its holder releases it or is not there."""

    def __init__(self) -> None:
        self.clients: list[Client] = []
        self.devices: list[PageDevice] = []
        self._driver: Client | None = None
        self._slow = False
        self._waiting: list[Client] = []

    def enter(self, client: Client) -> None:
        """Add a page; it drives if nobody does."""
        self.clients.append(client)
        if self._driver is None:
            self._seat(client)
        self._tell_roles()

    def leave(self, client: Client) -> None:
        """Remove a page."""
        self.clients.remove(client)
        self.want_seat(client, False)

    def drives(self, client: Client) -> bool:
        """Return whether `client` holds the control and is there."""
        return client is self._driver and client.attends()

    def attended(self) -> bool:
        """Return whether somebody drives."""
        driver = self._driver
        return driver is not None and driver.attends()

    @property
    def slow_motion(self) -> bool:
        """Whether time runs slowly: whoever drives asked for it, and is there."""
        return self._slow and self.attended()

    @slow_motion.setter
    def slow_motion(self, on: bool) -> None:
        self._slow = on

    def want_seat(self, client: Client, wanted: bool) -> None:
        """Ask for control, which waits for its holder to release it, or give it or the wish for it away."""
        if wanted and client is not self._driver and client not in self._waiting:
            self._waiting.append(client)
        elif not wanted:
            if client in self._waiting:
                self._waiting.remove(client)
            if client is self._driver:
                self._seat(None)
        self.judge()

    def judge(self) -> None:
        """Pass on the control that nobody holds, and plug the devices in while somebody drives."""
        if self._waiting and not self.attended():
            for device in self.devices:
                device.attended = False
            self._seat(self._waiting.pop(0))
        for device in self.devices:
            device.attended = self.attended()
        self._tell_roles()

    def work(self, client: Client, message: Message) -> None:
        """Work the devices as `client` says."""
        for device in self.devices:
            _work(device, message, client)

    def _seat(self, client: Client | None) -> None:
        self._driver, self._slow = client, False

    def _tell_roles(self) -> None:
        for client in self.clients:
            if client is self._driver:
                role = "control"
            elif client in self._waiting:
                role = "waiting"
            else:
                role = "free" if self._driver is None else "watch"
            client.role = {"role": role, "waiting": len(self._waiting)}


def _work(device: PageDevice, message: Message, client: Client) -> None:
    if isinstance(message, Key):
        at = client.local_time(message.at)
        (device.keyboard.press if message.down else device.keyboard.release)(message.key, at)
    elif isinstance(message, Button):
        keyboard = device.keyboard
        (keyboard.press_button if message.down else keyboard.release_button)(message.control)
    elif isinstance(message, Sticks):
        device.sticks.move(message.x, message.y, message.z, turning=message.turning)
    elif isinstance(message, Pad):
        device.gamepad.update(message.sticks, message.down)
    elif isinstance(message, PadGone):
        device.gamepad.unplug()
    elif isinstance(message, Blur):
        device.keyboard.release_all()
