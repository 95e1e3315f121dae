"""A web page that shows the robot and hears keys, for machines without a display.

The server sends the poses of all geoms and the browser draws them: nothing is rendered here. It listens on
the loopback interface; see `gym_hil.viewers.page_access` for who gets in.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mujoco
import numpy as np

from gym_hil.devices.keyboard import PageKeyboard
from gym_hil.errors import DeviceError, MissingExtraError
from gym_hil.viewers.page_access import Access

if TYPE_CHECKING:
    from aiohttp import web

DEAD_MAN_S = 0.3
"""Silence after which the person counts as gone (s)."""
MAX_CLIENTS = 8
MAX_MESSAGE = 1024
"""Longest message that a page may send (bytes)."""
MAX_RATE = 300
"""Messages per second of one page; one that sends more is cut off."""
STATIC = Path(__file__).parent / "static"
VISIBLE_GROUPS = 3


class _Client:
    """One open page. Only the newest frame waits for it: a slow one misses frames and delays nobody."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.alive_at = 0.0
        self.visible = False
        self.frame: tuple[bytes, str] | None = None
        self.fresh = asyncio.Event()
        self.received: list[float] = []

    def attends(self) -> bool:
        """Return whether a person can be looking at it."""
        return self.visible and time.monotonic() - self.alive_at < DEAD_MAN_S

    def floods(self) -> bool:
        """Note a message, and return whether there were too many in the last second."""
        now = time.monotonic()
        self.received = [at for at in self.received if now - at < 1.0] + [now]
        return len(self.received) > MAX_RATE

    async def send_frames(self) -> None:
        """Send the newest frame whenever there is one."""
        while True:
            await self.fresh.wait()
            self.fresh.clear()
            if self.frame is not None:
                poses, state = self.frame
                await self.socket.send_str(state)
                await self.socket.send_bytes(poses)


class Page:
    """A page for one environment. The first browser to open it controls; further ones watch.

    Args:
        title: shown on the page.
        model: what is drawn.
        port: of the loopback interface; 0 takes a free one.

    Raises:
        DeviceError: the port is taken.
        MissingExtraError: aiohttp is not installed.
    """

    def __init__(self, title: str, model: mujoco.MjModel, port: int = 0) -> None:
        try:
            import aiohttp  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("aiohttp", "browser", "A web page") from error
        self.who = "POLICY"
        self.closed = False
        self._title = title
        self._geoms = _visible_geoms(model)
        self._scene = _describe(model, self._geoms)
        self._keyboards: list[PageKeyboard] = []
        self._clients: list[_Client] = []
        self._controller: _Client | None = None
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._serve, args=(port,), name="gym-hil page", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self.closed = True
            raise DeviceError(f"no page on port {port}: {self._failure.strerror}") from self._failure

    @property
    def url(self) -> str:
        """Address of the page; whoever has it can drive."""
        return self._access.url

    def feed(self, keyboard: PageKeyboard) -> None:
        """Give the keys of whoever controls to `keyboard`."""
        self._keyboards.append(keyboard)

    def pump(self) -> None:
        """Do nothing: keys arrive by themselves."""

    def show(self, data: mujoco.MjData, clock_s: float, *, success: bool = False) -> None:
        """Show the robot in the state `data`, who acts, and the episode's clock (s)."""
        if self.closed:
            return
        count = len(self._geoms)
        poses = np.empty((count, 12), np.float32)
        poses[:, :9] = data.geom_xmat[self._geoms]
        poses[:, 9:] = data.geom_xpos[self._geoms]
        state = {"who": "SUCCESS" if success else self.who, "clock": round(clock_s, 2)}
        self._loop.call_soon_threadsafe(self._publish, poses.tobytes(), state)

    def close(self) -> None:
        """Stop the server and free its port. Calling it twice is allowed."""
        if self.closed:
            return
        self.closed = True
        self._disengage()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=5.0)

    # Everything below runs in the server's thread.

    def _serve(self, port: int) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._run(port))
        finally:
            self._started.set()
            self._loop.close()

    async def _run(self, port: int) -> None:
        from aiohttp import web

        self._stop = asyncio.Event()
        self._access = Access()
        app = web.Application(middlewares=[self._access.guard])
        app.router.add_get("/", self._index)
        app.router.add_get("/page.js", self._script)
        app.router.add_get("/socket", self._socket)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", port)
            await site.start()
        except OSError as error:
            self._failure = error
            await runner.cleanup()
            return
        assert site._server is not None
        self._access.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        self._started.set()
        watch = asyncio.create_task(self._watch())
        await self._stop.wait()
        watch.cancel()
        for client in list(self._clients):
            await client.socket.close()
        await runner.cleanup()

    async def _index(self, request: web.Request) -> web.Response:
        from aiohttp import web

        return web.Response(text=(STATIC / "page.html").read_text(), content_type="text/html")

    async def _script(self, request: web.Request) -> web.Response:
        from aiohttp import web

        return web.Response(text=(STATIC / "page.js").read_text(), content_type="text/javascript")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import WSMsgType, web

        self._access.require_own_origin(request)
        if len(self._clients) >= MAX_CLIENTS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_CLIENTS} pages are open already")
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE)
        await socket.prepare(request)
        client = _Client(socket)
        self._clients.append(client)
        if self._controller is None:
            self._controller = client
        sender = asyncio.create_task(client.send_frames())
        try:
            help_line = self._keyboards[0].help() if self._keyboards else ""
            await socket.send_str(json.dumps({"title": self._title, "help": help_line, "scene": self._scene}))
            async for message in socket:
                if message.type is not WSMsgType.TEXT or client.floods():
                    break
                answer = self._hear(client, message.data)
                if answer is not None:
                    await socket.send_str(answer)
        except ConnectionError:
            pass
        finally:
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sender
            self._clients.remove(client)
            if self._controller is client:
                self._controller = None
                self._disengage()
        return socket

    def _hear(self, client: _Client, text: str) -> str | None:
        """Act on one message; what makes no sense is ignored."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(message, dict):
            return None
        controls = client is self._controller
        kind, key = message.get("type"), message.get("key")
        if kind == "alive":
            client.alive_at, client.visible = time.monotonic(), message.get("visible") is True
            self._judge()
            return json.dumps({"pong": message.get("t") if isinstance(message.get("t"), int | float) else 0})
        if kind == "control":
            if message.get("take") is True and self._controller is None:
                self._controller = client
            elif message.get("take") is False and controls:
                self._controller = None
                self._disengage()
        elif kind == "key" and controls and isinstance(key, str) and client.attends():
            for keyboard in self._keyboards:
                if message.get("down") is True:
                    keyboard.press(key)
                else:
                    keyboard.release(key)
        elif kind == "blur" and controls:
            for keyboard in self._keyboards:
                keyboard.release_all()
        return None

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            self._judge()

    def _judge(self) -> None:
        """Plug the keyboards in while somebody attends, and out as soon as nobody does."""
        if self._controller is None or not self._controller.attends():
            self._disengage()
        else:
            for keyboard in self._keyboards:
                keyboard.connected = True

    def _disengage(self) -> None:
        for keyboard in self._keyboards:
            if keyboard.connected:
                keyboard.connected = False

    def _publish(self, poses: bytes, state: dict[str, Any]) -> None:
        for client in self._clients:
            role = (
                "control" if client is self._controller else "free" if self._controller is None else "watch"
            )
            client.frame = poses, json.dumps({**state, "role": role})
            client.fresh.set()


def _visible_geoms(model: mujoco.MjModel) -> list[int]:
    return [
        geom
        for geom in range(model.ngeom)
        if model.geom_group[geom] < VISIBLE_GROUPS and model.geom_rgba[geom, 3] > 0
    ]


def _describe(model: mujoco.MjModel, geoms: list[int]) -> list[dict[str, Any]]:
    """Return type (MuJoCo's name), size (m) and colour of `geoms`."""
    return [
        {
            "type": mujoco.mjtGeom(int(model.geom_type[geom])).name.removeprefix("mjGEOM_").lower(),
            "size": model.geom_size[geom].tolist(),
            "rgba": model.geom_rgba[geom].tolist(),
        }
        for geom in geoms
    ]
