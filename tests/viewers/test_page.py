"""The web page: who gets in, who drives, and that nobody drives who is not there."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import time
from contextlib import asynccontextmanager

import numpy as np
import pytest

from gym_hil.errors import DeviceError
from gym_hil.wrappers.factory import make_env

aiohttp = pytest.importorskip("aiohttp")


@pytest.fixture
def env():
    env = make_env("gym_hil/PandaPickCubeBase-v1", operator="browser")
    env.reset(seed=0)
    yield env
    env.close()


def page(env):
    return env.unwrapped.page


def keyboard(env):
    return env.get_wrapper_attr("operator").device


@asynccontextmanager
async def visitor(url: str, **headers: str):
    jar = aiohttp.CookieJar(unsafe=True)
    base = url.split("/?")[0]
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        async with session.get(url) as response:
            assert response.status == 200, response.status
        async with session.ws_connect(f"{base}/socket", headers={"Origin": base, **headers}) as ws:
            yield ws


async def attend(ws, seconds: float = 0.0, visible: bool = True) -> None:
    end = time.monotonic() + seconds
    while True:
        await ws.send_str(json.dumps({"type": "alive", "t": 1, "visible": visible}))
        await asyncio.sleep(0.05)
        if time.monotonic() >= end:
            return


async def tap(ws, key: str) -> None:
    for down in (True, False):
        await ws.send_str(json.dumps({"type": "key", "key": key, "down": down}))
    await asyncio.sleep(0.05)


IDLE = np.array([0, 0, 0, 1], np.float32)


def test_a_key_moves_the_tcp_and_events_arrive_once(env):
    async def drive():
        async with visitor(page(env).url) as ws:
            await attend(ws)
            env.step(IDLE)
            await tap(ws, "Space")
            await ws.send_str(json.dumps({"type": "key", "key": "ArrowUp", "down": True}))
            await attend(ws)
            before = env.unwrapped.simulation.tcp_pos_w.copy()
            *_, info = env.step(IDLE)
            assert info["is_intervention"] and info["phase"] == "takeover"
            await attend(ws)
            env.step(IDLE)
            moved = env.unwrapped.simulation.tcp_pos_w - before
            assert moved[0] > 0.03 and abs(moved[1]) < 0.005
            await tap(ws, "KeyR")
            *_, terminated, _, info = env.step(IDLE)
            assert terminated and info["rerecord_episode"]
            assert keyboard(env).poll().events == ()

    asyncio.run(drive())


@pytest.mark.parametrize("how", ["closed", "silent", "hidden"])
def test_whoever_is_gone_does_not_drive(env, how):
    async def drive():
        async with visitor(page(env).url) as ws:
            await attend(ws)
            env.step(IDLE)
            await tap(ws, "Space")
            await ws.send_str(json.dumps({"type": "key", "key": "ArrowUp", "down": True}))
            await attend(ws)
            assert env.step(IDLE)[-1]["is_intervention"]
            if how == "hidden":
                await attend(ws, visible=False)
            elif how == "silent":
                await asyncio.sleep(0.4)
        await asyncio.sleep(0.1)

    asyncio.run(drive())
    *_, info = env.step(IDLE)
    assert not info["is_intervention"] and info["phase"] == "release"

    async def come_back():
        async with visitor(page(env).url) as ws:
            await attend(ws, 0.1)
            env.step(IDLE)
            assert not env.step(IDLE)[-1]["is_intervention"], "a takeover survived"
            await tap(ws, "Space")
            await attend(ws)
            assert env.step(IDLE)[-1]["is_intervention"]

    asyncio.run(come_back())


def test_an_absence_between_two_steps_ends_a_takeover_too(env):
    async def drive():
        async with visitor(page(env).url) as ws:
            await attend(ws)
            env.step(IDLE)
            await tap(ws, "Space")
            await attend(ws)
            assert env.step(IDLE)[-1]["is_intervention"]
            await attend(ws, visible=False)
            await attend(ws, visible=True)
            assert not env.step(IDLE)[-1]["is_intervention"]

    asyncio.run(drive())


def test_a_second_browser_watches_until_control_is_free(env):
    async def drive():
        async with visitor(page(env).url) as one, visitor(page(env).url) as two:
            await attend(one)
            await attend(two)
            env.step(IDLE)
            await tap(two, "Space")
            assert not env.step(IDLE)[-1]["is_intervention"]
            await two.send_str(json.dumps({"type": "control", "take": True}))
            await tap(two, "Space")
            await attend(one)
            assert not env.step(IDLE)[-1]["is_intervention"]
            await one.send_str(json.dumps({"type": "control", "take": False}))
            await asyncio.sleep(0.05)
            await two.send_str(json.dumps({"type": "control", "take": True}))
            await attend(two)
            env.step(IDLE)
            await tap(two, "Space")
            await attend(two)
            assert env.step(IDLE)[-1]["is_intervention"]

    asyncio.run(drive())


def test_only_the_address_opens_it_and_only_from_its_own_origin(env):
    url = page(env).url
    base = url.split("/?")[0]

    async def knock():
        async with aiohttp.ClientSession() as session:
            for path in ("/", "/page.js", "/socket", "/?token=wrong", "/?token=%C3%A4"):
                async with session.get(base + path) as response:
                    assert response.status == 403, path
            async with session.get(url, headers={"Host": "evil.example"}) as response:
                assert response.status == 403
        for origin in ("http://evil.example", base.replace("127.0.0.1", "127.0.0.2"), "null"):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                async with visitor(url, Origin=origin):
                    pass

    asyncio.run(knock())


def test_ten_thousand_senseless_messages_change_nothing(env):
    rng = random.Random(0)

    def nonsense() -> str:
        return rng.choice(
            [
                "",
                "{",
                "[" * 400,
                "null",
                "3",
                '"x"',
                json.dumps({"type": rng.choice([None, 3, [], "key", "alive", "control"]), "key": [1]}),
                json.dumps({"type": "key", "key": "".join(chr(rng.randrange(32, 9000)) for _ in range(9))}),
                json.dumps({"type": "alive", "t": "x" * rng.randrange(500), "visible": rng.choice([0, "a"])}),
            ]
        )

    async def flood():
        sent = 0
        while sent < 10_000:
            async with visitor(page(env).url) as ws:
                for _ in range(290):  # more a second are cut off, see below
                    await ws.send_str(nonsense())
                    sent += 1

    async def too_much(message: str, times: int):
        async with visitor(page(env).url) as ws:
            with pytest.raises((ConnectionError, aiohttp.ClientError, StopAsyncIteration)):
                for _ in range(times):
                    await ws.send_str(message)
                while True:
                    if (await ws.receive(timeout=2)).type in (
                        aiohttp.WSMsgType.CLOSE,
                        aiohttp.WSMsgType.CLOSING,
                        aiohttp.WSMsgType.CLOSED,
                    ):
                        raise StopAsyncIteration

    asyncio.run(flood())
    asyncio.run(too_much("x" * 5000, 1))
    asyncio.run(too_much('{"type": "alive"}', 700))
    assert not env.step(IDLE)[-1]["is_intervention"]
    test_a_key_moves_the_tcp_and_events_arrive_once(env)


def test_the_port_is_free_afterwards_and_a_taken_one_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        env = make_env("gym_hil/PandaPickCubeBase-v1")
        with pytest.raises(DeviceError, match=f"port {port}"):
            env.unwrapped.open_page(port)
    opened = env.unwrapped.open_page(port)
    assert f":{port}/" in opened.url
    env.close()
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
