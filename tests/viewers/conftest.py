"""Clients of the web page in Python, for tests."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from contextlib import asynccontextmanager

import pytest


class Visitor:
    """An open page. It says that it is here until it is told otherwise."""

    def __init__(self, socket) -> None:
        self.socket = socket
        self.visible = True
        self.silent = False
        self.heard: list[dict] = []
        self.poses = b""
        self._pongs = 0
        self._sent = 0
        self._waiting: dict[float, int] = {}

    async def say(self, **message) -> None:
        if message["type"] != "alive" and not self.silent:
            await self.alive()  # however busy the machine is: who says something is there
        await self.socket.send_str(json.dumps(message))

    def clock(self) -> float:
        """Return the page's clock (ms)."""
        return time.monotonic() * 1000.0 - 5e6

    async def alive(self) -> None:
        self._sent += 1
        sent_at = self.clock()
        self._waiting[sent_at] = self._sent
        await self.say(type="alive", t=sent_at, visible=self.visible)

    async def settle(self) -> None:
        """Wait until everything said so far has been heard."""
        await self.alive()
        wanted = self._sent
        while self._pongs < wanted:
            await asyncio.sleep(0.005)

    async def tap(self, key: str) -> None:
        for down in (True, False):
            await self.say(type="key", key=key, down=down)
        await self.settle()

    async def hold(self, key: str) -> None:
        await self.say(type="key", key=key, down=True)
        await self.settle()

    def last(self, key: str):
        """Return the newest value that the page was told for `key`, or None."""
        return next((message[key] for message in reversed(self.heard) if key in message), None)

    async def until_told(self, key: str, value) -> None:
        while self.last(key) != value:
            await asyncio.sleep(0.005)

    async def listen(self) -> None:
        import aiohttp

        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self.poses = message.data
                continue
            said = json.loads(message.data)
            self._pongs = max(self._pongs, self._waiting.pop(said.get("pong"), 0))
            self.heard.append(said)

    async def breathe(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            if not self.silent:
                await self.alive()


@asynccontextmanager
async def visit(url: str, *, ssl: bool = True, **headers: str):
    """Visit `url` as a browser does: the token becomes a cookie, then the page's script opens its socket."""
    import aiohttp

    base = url.split("/?")[0]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(url, ssl=ssl) as response:
            assert response.status == 200, response.status
        given = {"Origin": base, **headers}
        async with session.ws_connect(f"{base}/socket", headers=given, ssl=ssl) as socket:
            guest = Visitor(socket)
            tasks = [asyncio.create_task(guest.listen()), asyncio.create_task(guest.breathe())]
            try:
                await guest.settle()
                yield guest
            finally:
                for task in tasks:
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError, ConnectionError, aiohttp.ClientError):
                        await task


@pytest.fixture
def visitor():
    """What opens a page: ``async with visitor(url) as guest``."""
    return visit
