"""The server of the page, which has one thread and one port, and one socket per open page."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gym_hil.core import palette
from gym_hil.core.errors import DeviceError, MissingExtraError
from gym_hil.devices.page import LOOPBACK, PageAddress, PageDevice
from gym_hil.viewers.web.access import Access
from gym_hil.viewers.web.clients import Client, DriverLock, Frame
from gym_hil.viewers.web.protocol import Alive, ControlRequest, SlowMotion, parse_message

if TYPE_CHECKING:
    from aiohttp import web

log = logging.getLogger(__name__)

MAX_CLIENTS = 8
"""Largest number of open pages."""
MAX_UNAUTHORISED = 32
"""Largest number of connections that have not presented the token."""
MAX_MESSAGE = 1024
"""Longest message of a page (bytes)."""
UPDATE_S = 0.02
"""Interval of the checks whether the driver is present (s)."""
ENDED = "the program has ended"
"""Reason of closing a socket together with the page."""
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
FILES = {path.name: path for path in (Path(__file__).parent / "static").iterdir() if path.suffix in TYPES}


class PageServer:
    """Serves a page until `close` is called.

    Args:
        address: address of the page.

    Raises:
        DeviceError: the address cannot be used.
        MissingExtraError: aiohttp is not installed.
    """

    def __init__(self, address: PageAddress) -> None:
        try:
            import aiohttp  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("aiohttp", "browser", "A web page") from error
        self._address = address
        self._tls = _tls(address)
        self._lock = DriverLock()
        self._frame: Frame | None = None
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._serve, name="gym-hil page", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            where = f"port {address.port}" if address.host == LOOPBACK else f"{address.host}:{address.port}"
            raise DeviceError(f"the page cannot use {where}: {self._failure.strerror}") from self._failure
        if address.host != LOOPBACK and self._tls is None:
            log.warning(
                "The page is available on the network without encryption: everybody who reads the traffic can "
                "drive. Use a certificate or an SSH tunnel."
            )

    @property
    def url(self) -> str:
        """The address of the page. Everybody who knows it can drive."""
        return self._access.url

    @property
    def attended(self) -> bool:
        """Whether an attended page drives."""
        return self._lock.attended()

    @property
    def slow_motion(self) -> bool:
        """Whether the driver has selected slow motion."""
        return self._lock.slow_motion

    def deliver_to(self, device: PageDevice) -> None:
        """Deliver the driver's input to `device`."""
        self._call(self._lock.devices.append, device)

    def publish(self, frame: Frame) -> None:
        """Show `frame` on all pages."""
        self._call(self._publish, frame)

    def close(self) -> None:
        """Stop the server and free its port."""
        self._call(self._stop.set)
        self._thread.join(timeout=5.0)

    def release(self) -> None:
        """Stop the server, and wait for it only in the main thread.

        The garbage collector calls this in any thread, such as that of this server or of another page, which must go
        on.
        """
        if threading.current_thread() is threading.main_thread():
            self.close()
        else:
            self._call(self._stop.set)

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(function, *arguments)

    # Everything below runs in the server's thread.

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._run())
        finally:
            self._started.set()
            self._loop.close()

    async def _run(self) -> None:
        from aiohttp import WSCloseCode, web

        self._stop = asyncio.Event()
        self._access = Access(
            self._address.host, tls=self._tls is not None, host_names=self._address.host_names
        )
        app = web.Application(middlewares=[self._access.guard])
        app.router.add_get("/socket", self._socket)
        app.router.add_get("/{name:[a-z.]*}", self._file)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._address.host, self._address.port, ssl_context=self._tls)
            await site.start()
        except OSError as error:
            self._failure = error
            await runner.cleanup()
            return
        assert site._server is not None
        self._access.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        self._started.set()
        watch = asyncio.create_task(self._watch(runner))
        await self._stop.wait()
        watch.cancel()
        for device in self._lock.devices:
            device.attended = False
        for client in list(self._lock.clients):
            await client.socket.close(code=WSCloseCode.GOING_AWAY, message=ENDED.encode())
        await runner.cleanup()

    async def _watch(self, runner: web.AppRunner) -> None:
        assert runner.server is not None
        while True:
            await asyncio.sleep(UPDATE_S)
            self._lock.update()
            self._access.close_unauthorised(runner.server.connections, MAX_UNAUTHORISED)

    async def _file(self, request: web.Request) -> web.Response:
        from aiohttp import web

        path = FILES.get(request.match_info["name"] or "page.html")
        if path is None:
            raise web.HTTPNotFound
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".css":
            text = f"{palette.as_css()}\n{text}"
        return web.Response(text=text, content_type=TYPES[path.suffix])

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import WSMsgType, web

        self._access.require_own_origin(request)
        if len(self._lock.clients) >= MAX_CLIENTS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_CLIENTS} pages are open already")
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE)
        await socket.prepare(request)
        client = Client(socket)
        self._lock.enter(client)
        if self._frame is not None:
            client.show(self._frame)
        sender = asyncio.create_task(client.send_frames())
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT or client.exceeds_rate():
                    break
                answer = self._process(client, message.data)
                if answer is not None:
                    await socket.send_str(answer)
        except ConnectionError:
            pass
        finally:
            self._lock.leave(client)
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sender
        return socket

    def _process(self, client: Client, text: str) -> str | None:
        """Process one message, and return the answer to it."""
        message = parse_message(text)
        if isinstance(message, Alive):
            client.mark_alive(message.visible, message.sent_at)
            self._lock.update()
            return json.dumps({"pong": message.sent_at})
        if isinstance(message, ControlRequest):
            self._lock.request_control(client, message.wanted)
            self._publish_still()
        elif message is not None and self._lock.drives(client):
            if isinstance(message, SlowMotion):
                self._lock.slow_motion = message.on
            else:
                self._lock.deliver(client, message)
        return None

    def _publish(self, frame: Frame) -> None:
        self._frame = frame
        for client in self._lock.clients:
            client.show(frame)

    def _publish_still(self) -> None:
        if self._frame is not None:
            self._publish(self._frame)


def _tls(address: PageAddress) -> ssl.SSLContext | None:
    if address.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(address.certificate, address.key)
    except (OSError, ssl.SSLError) as error:
        raise DeviceError(f"certificate {address.certificate} cannot be used: {error}") from error
    return context
