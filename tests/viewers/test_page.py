"""The web page: access, the person who drives, and the stop after a person has left."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import runpy
import socket
import time
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest

from gym_hil.core import palette
from gym_hil.core.errors import DeviceError
from gym_hil.devices import PageAddress
from gym_hil.devices.controller_config import read_controller_configs
from gym_hil.stacks.build import make_env
from gym_hil.testing.clock import ManualClock
from gym_hil.viewers.attach import find_page, open_page
from gym_hil.viewers.web.page import LEAST_PERIOD_S
from gym_hil.wrappers.real_time import RealTimeWrapper

aiohttp = pytest.importorskip("aiohttp")

BASE = "gym_hil/PandaPickCubeBase-v1"
IDLE = np.array([0, 0, 0, 1], np.float32)


@pytest.fixture
def env():
    env = make_env(BASE, operator="browser")
    env.reset(seed=0)
    yield env
    env.close()


@pytest.fixture
def clock(monkeypatch) -> ManualClock:
    """The clock of pages that are opened afterwards. They show every step, however soon it follows the last one."""
    clock = ManualClock(1.0)
    monkeypatch.setattr("gym_hil.devices.page.SYSTEM_CLOCK", clock)
    monkeypatch.setattr("gym_hil.viewers.web.clients.SYSTEM_CLOCK", clock)
    monkeypatch.setattr("gym_hil.viewers.web.page.LEAST_PERIOD_S", 0.0)
    return clock


def run(coroutine) -> None:
    """Run a coroutine for at most a minute."""
    asyncio.run(asyncio.wait_for(coroutine, timeout=60))


def page(env):
    return find_page(env)


def device(env):
    return env.get_wrapper_attr("operator").device


def human(env) -> bool:
    return env.step(IDLE)[-1]["is_intervention"]


def tcp(env):
    return env.unwrapped.simulation.tcp_pos_w.copy()


def test_a_key_moves_the_tcp_and_events_arrive_once(env, visitor):
    async def drive():
        async with visitor(page(env).url) as guest:
            env.step(IDLE)
            await guest.tap("Space")
            await guest.hold("ArrowUp")
            before = tcp(env)
            assert env.step(IDLE)[-1]["phase"] == "takeover"
            assert human(env) and human(env)
            moved = tcp(env) - before
            assert moved[0] > 0.03 and abs(moved[1]) < 0.005, "it moves forward; the first step is limited"
            await guest.tap("KeyR")
            *_, terminated, _, info = env.step(IDLE)
            assert terminated and info["rerecord_episode"]
            assert device(env).poll().events == ()

    run(drive())


def test_the_touch_sticks_and_the_gamepad_drive_the_robot(env, visitor):
    async def drive():
        async with visitor(page(env).url) as guest:
            env.step(IDLE)
            await guest.say(type="pad", sticks=[0, 1, 0, 0], down=["rb"])
            await guest.settle()
            before = tcp(env)
            assert human(env) and human(env), "RB is held"
            assert (tcp(env) - before)[0] > 0.03, "stick up is forward"
            await guest.say(type="pad", sticks=[0, 0, 0, 0], down=[])
            await guest.settle()
            assert not human(env), "RB was released"
            await guest.say(type="button", control="TOGGLE", down=True)
            await guest.say(type="button", control="TOGGLE", down=False)
            await guest.say(type="sticks", x=0, y=0, z=1)
            await guest.settle()
            before = tcp(env)
            assert human(env) and human(env)
            assert (tcp(env) - before)[2] > 0.03, "the right stick up is up"
            await guest.say(type="pad", sticks=[0, 0, 0, 0], down=["y"])
            await guest.settle()
            *_, terminated, _, info = env.step(IDLE)
            assert terminated and info["termination_reason"] == "human_success"

    run(drive())


def test_speed_and_slow_motion_scale_motion_and_are_shown(clock, env, visitor):
    async def drive():
        async with visitor(page(env).url) as guest:
            env.step(IDLE)
            await guest.tap("Space")
            await guest.hold("ArrowUp")
            env.step(IDLE)
            speeds = ((0, 1.0, "coarse (100 %)"), (1, 0.2, "medium (20 %)"), (1, 0.02, "fine (2 %)"))
            for presses, factor, label in speeds:
                for _ in range(presses):
                    await guest.tap("KeyF")
                env.step(IDLE)
                clock.advance(0.05)
                assert env.step(IDLE)[-1]["teleop_action"][0] == pytest.approx(factor)
                await guest.until_told("speed", label)
            await guest.say(type="slow", on=True)
            await guest.settle()
            assert env.step(IDLE)[-1]["teleop_action"][0] == pytest.approx(0.02 / 4)
            await guest.until_told("slow", True)

    run(drive())


def test_keys_move_the_robot_for_the_duration_that_the_page_reports(clock, env, visitor):
    numbers = itertools.count()

    def clock_of_the_page() -> float:
        """Return its time (ms), which differs from message to message by a little."""
        return clock.monotonic() * 1000.0 - 5e6 + next(numbers) * 1e-4

    async def drive():
        async with visitor(page(env).url) as guest:
            guest.clock = clock_of_the_page
            env.step(IDLE)
            await guest.tap("Space")
            env.step(IDLE)
            clock.advance(0.2)
            now = guest.clock()
            await guest.say(type="key", key="ArrowUp", down=True, t=now - 100)
            await guest.say(type="key", key="ArrowUp", down=False, t=now - 50)
            await guest.settle()
            level = env.step(IDLE)[-1]["teleop_action"][0]
            assert level == pytest.approx(0.05 / 0.2, rel=0.01)

    run(drive())


def test_the_sticks_rotate_the_hand_while_turning_is_selected():
    from gym_hil.devices.page import PageSticks

    sticks = PageSticks()
    sticks.move(1.0, 0.0, -1.0, turning=True)
    assert sticks.poll().motion == (0, 0, 0, 0, 1, -1)
    sticks.move(1.0, 0.0, -1.0)
    assert sticks.poll().motion == (1, 0, -1, 0, 0, 0)


def test_after_an_absence_a_held_button_must_be_pressed_again(env, visitor):
    async def drive():
        async with visitor(page(env).url) as guest:
            env.step(IDLE)
            held = {"type": "pad", "sticks": [0, 0, 0, 0], "down": ["rb"]}
            await guest.say(**held)
            await guest.settle()
            assert human(env)
            for visible in (False, True):
                guest.visible = visible
                await guest.settle()
            await guest.say(**held)
            await guest.settle()
            assert not human(env) and not human(env)
            await guest.say(**{**held, "down": []})
            await guest.say(**held)
            await guest.settle()
            assert human(env)

    run(drive())


def test_a_reset_ends_the_episode_without_success_or_failure(env, visitor):
    async def drive():
        async with visitor(page(env).url) as guest:
            env.step(IDLE)
            await guest.say(type="button", control="RESET", down=True)
            await guest.settle()
            *_, terminated, truncated, info = env.step(IDLE)
            assert (terminated, truncated) == (False, True)
            assert info["termination_reason"] == "human_reset" and not info["next.success"]

    run(drive())


@pytest.mark.parametrize("how", ["closed", "silent", "hidden", "cut"])
def test_a_disconnected_page_does_not_drive_the_robot(env, visitor, how):
    async def drive():
        async with visitor(page(env).url) as guest:
            env.step(IDLE)
            await guest.tap("Space")
            await guest.hold("ArrowUp")
            assert human(env)
            if how == "hidden":
                guest.visible = False
                await guest.settle()
            elif how == "silent":
                guest.silent = True
            elif how == "cut":
                guest.silent = True
                guest.socket._response.connection.transport.abort()
            gone = time.monotonic()
            while how != "closed" and device(env).attended:
                assert time.monotonic() - gone < 2.0
                await asyncio.sleep(0.01)
        while device(env).attended:
            await asyncio.sleep(0.01)

    run(drive())
    assert env.step(IDLE)[-1]["phase"] == "release"

    async def reopen():
        async with visitor(page(env).url) as guest:
            env.step(IDLE)
            assert not human(env), "the takeover must not continue"
            await guest.tap("Space")
            assert human(env)

    run(reopen())


def test_a_short_disconnection_ends_a_takeover_and_loses_no_press(env, visitor):
    async def drive():
        async with visitor(page(env).url) as guest:
            env.step(IDLE)
            await guest.tap("Space")
            assert human(env)
            await guest.tap("Enter")
            for visible in (False, True):
                guest.visible = visible
                await guest.settle()
            *_, terminated, _, info = env.step(IDLE)
            assert not info["is_intervention"]
            assert terminated and info["termination_reason"] == "human_success"

    run(drive())


def test_control_passes_on_request_and_release_only(env, visitor):
    async def drive():
        async with visitor(page(env).url) as first, visitor(page(env).url) as second:
            env.step(IDLE)
            await second.until_told("role", "watch")
            await second.tap("Space")
            assert not human(env), "a watcher cannot drive"
            await second.say(type="control", wanted=True)
            await second.tap("Space")
            assert not human(env), "a waiting page cannot drive either"
            await second.until_told("role", "waiting")
            await first.until_told("waiting", 1)
            await first.tap("Space")
            assert human(env)
            await first.say(type="control", wanted=False)
            await first.settle()
            assert not human(env), "a takeover ends when control is passed on"
            await second.until_told("role", "control")
            await second.tap("Space")
            assert human(env)
            await first.tap("Space")
            assert human(env), "the first cannot drive any more"

    run(drive())


def test_control_passes_from_a_disconnected_page_to_a_waiting_one(env, visitor):
    async def drive():
        async with visitor(page(env).url) as first, visitor(page(env).url) as second:
            await second.say(type="control", wanted=True)
            first.visible = False
            while second.last("role") != "control":
                env.step(IDLE)
                await asyncio.sleep(0.01)

    run(drive())


def test_pictures_between_steps_and_rates_are_sent(env, visitor):
    async def watch():
        async with visitor(page(env).url) as guest:
            for _ in range(3):
                env.step(np.array([1, 0, 0, 1], np.float32))
                await asyncio.sleep(0.05)
            scene = guest.last("scene")
            assert {camera["name"] for camera in scene["cameras"]} == {"front", "wrist"}
            assert scene["pads"] == read_controller_configs(), "for gamepads that the browser does not know"
            frames = np.frombuffer(guest.poses, np.float32).reshape(-1, scene["bodies"], 7)
            assert len(frames) == 5
            hand = frames[:, scene["cameras"][-1]["body"], 0]
            assert (np.diff(hand) > 1e-4).all(), "the hand moves from each frame to the next"
            assert np.linalg.norm(frames[..., 3:], axis=-1) == pytest.approx(1.0, abs=1e-5)
            await guest.tap("Enter")
            env.step(IDLE)
            env.reset()
            await guest.until_told("statistics", guest.last("statistics"))
            while guest.last("statistics")["episodes"] < 1:
                await asyncio.sleep(0.01)
            assert guest.last("statistics")["success"] == 1.0

    run(watch())


def test_a_watched_page_does_not_change_the_episode():
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (30, 4)).astype(np.float32)
    seen = []
    for watched in (False, True):
        env = make_env(BASE, operator="browser" if watched else None)
        env.reset(seed=3)
        for action in actions:
            env.step(action)
        seen.append(env.unwrapped.simulation.save())
        env.close()
    assert np.array_equal(*seen)


def test_a_page_costs_the_control_loop_less_than_a_tenth(monkeypatch):
    """It shows 25 steps per second, however many there are, and each takes less than a tenth of 1/25 s."""
    clock, shown, spent_s = ManualClock(1.0), [], 0.0
    monkeypatch.setattr("gym_hil.viewers.web.page.time", clock)
    env = make_env(BASE, operator="browser", max_episode_steps=2000)
    env.reset(seed=0)

    def timed(method):
        def call(*arguments, **options):
            nonlocal spent_s
            start = time.thread_time()
            method(*arguments, **options)
            spent_s += time.thread_time() - start

        return call

    viewer = page(env)
    publish = viewer._publish
    monkeypatch.setattr(viewer, "_publish", lambda *frame: (shown.append(frame), publish(*frame)))
    for method in ("show", "_look"):
        monkeypatch.setattr(viewer, method, timed(getattr(viewer, method)))
    for step_s, expected in ((0.002, 25), (0.1, 500)):
        shown.clear()
        spent_s = 0.0
        for _ in range(500):
            clock.advance(step_s)
            env.step(IDLE)
        assert len(shown) == pytest.approx(expected, abs=1)
        assert spent_s < 0.1 * LEAST_PERIOD_S * expected
    env.close()


@pytest.mark.slow
def test_the_measurement_of_the_pages_cost_works():
    benchmark = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "station.py"))
    benchmark["cost"].__globals__.update(ROUNDS=1, STEPS=50)
    assert all(np.isfinite(value) for value in benchmark["cost"]().values())


def test_only_the_driving_page_controls_slow_motion_and_pause(env, visitor):
    paced = RealTimeWrapper(env, period_s=0.02)

    async def drive():
        async with visitor(page(env).url) as guest:
            paced.step(IDLE)
            await guest.say(type="slow", on=True)
            await guest.settle()
            paced.step(IDLE)
            start = time.monotonic()
            paced.step(IDLE)
            assert time.monotonic() - start > 0.06
            await guest.until_told("slow", True)
            await guest.say(type="slow", on=False)
            await guest.tap("KeyP")
            paced.step(IDLE)
            paused = asyncio.create_task(asyncio.to_thread(paced.step, IDLE))
            await guest.until_told("who", "PAUSED")
            assert not paused.done()
            await guest.tap("KeyP")
            await paused

    run(drive())


@pytest.mark.parametrize("how", ["closed", "given away", "gone", "hidden"])
def test_slow_motion_ends_when_its_page_is_closed(env, visitor, how):
    async def drive():
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(visitor(page(env).url))
            if how != "closed":
                second = await stack.enter_async_context(visitor(page(env).url))
                await second.say(type="slow", on=True)
                await second.settle()
                assert page(env).time_scale == 1.0, "a watcher cannot ask for it"
            await first.say(type="slow", on=True)
            await first.settle()
            assert page(env).time_scale > 1.0
            if how == "given away":
                await first.say(type="control", wanted=False)
                await first.say(type="control", wanted=True)
                await first.settle()
            elif how == "gone":
                await second.say(type="control", wanted=True)
                await first.socket.close()
                while second.last("role") != "control":
                    env.step(IDLE)
                    await asyncio.sleep(0.01)
            elif how == "hidden":
                first.visible = False
                await first.settle()
            if how != "closed":
                assert page(env).time_scale == 1.0
        while page(env).time_scale != 1.0:
            await asyncio.sleep(0.01)

    run(drive())


def test_the_page_requires_its_token_and_its_own_origin(env, visitor):
    url = page(env).url
    base = url.split("/?")[0]

    async def connect():
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            for path in (
                "/",
                "/main.js",
                "/socket",
                "/?token=wrong",
                "/?token=%C3%A4",
                "/page.py",
                "/..%2fpage.py",
            ):
                async with session.get(base + path) as response:
                    assert response.status == 403, path
            async with session.get(url, headers={"Host": "evil.example"}) as response:
                assert response.status == 403
            async with session.get(url) as response:
                assert response.status == 200
            for path in ("/page.py", "/..%2fpage.py", "/%2e%2e/page.py", "/static/page.html"):
                async with session.get(base + path) as response:
                    assert response.status in (403, 404), path
        for origin in ("http://evil.example", base.replace("127.0.0.1", "127.0.0.2"), "null"):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                async with visitor(url, Origin=origin):
                    pass

    run(connect())


def test_the_pages_colours_come_from_the_palette(env):
    url = page(env).url

    async def look():
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            async with session.get(url) as response:
                assert response.status == 200
            async with session.get(url.split("/?")[0] + "/style.css") as response:
                style = await response.text()
        assert style.startswith(palette.as_css())
        for name in palette.NAMES:
            assert f"var(--{name})" in style

    run(look())


def invalid_message(rng: random.Random) -> str:
    """Return a random message that is invalid, or that does not move the robot."""
    values = [None, 3, -1e400, "x", [], {}, True, [1] * 4, "rb", float("nan"), 10**400, "\ud800"]
    kinds = ["key", "alive", "control", "pad", "sticks", "button", "slow", "pad-gone", "blur", "", None, 7]
    names = ["type", "key", "down", "t", "visible", "wanted", "sticks", "x", "y", "z", "control", "on"]
    made = {name: rng.choice(values) for name in rng.sample(names, rng.randrange(len(names)))}
    made["type"] = rng.choice(kinds)
    if made["type"] == "control":
        made["wanted"] = "yes"
    text = rng.choice(["", "{", "[" * 400, "null", "3", '"x"', json.dumps(made), json.dumps([made])])
    # A longer message closes the connection, see below.
    return text if len(text) <= 1000 else invalid_message(rng)


def test_ten_thousand_invalid_messages_have_no_effect(env, visitor):
    rng = random.Random(0)

    async def send_invalid_messages():
        sent = 0
        while sent < 10_000:
            async with visitor(page(env).url) as guest:
                guest.silent = True
                for _ in range(280):  # more in a second close the connection, see below
                    await guest.socket.send_str(invalid_message(rng))
                    sent += 1
                await guest.settle()

    async def exceed_limit(message: str | bytes, times: int):
        async with visitor(page(env).url) as guest:
            guest.silent = True
            for _ in range(times):
                if guest.socket.closed:
                    break
                send = guest.socket.send_str if isinstance(message, str) else guest.socket.send_bytes
                try:
                    await send(message)
                except (ConnectionError, aiohttp.ClientError):
                    break
            while not guest.socket.closed:
                await asyncio.sleep(0.01)

    run(send_invalid_messages())
    run(exceed_limit("x" * 5000, 1))
    run(exceed_limit(b"poses", 1))
    run(exceed_limit('{"type": "blur"}', 700))
    assert not human(env)
    test_a_key_moves_the_tcp_and_events_arrive_once(env, visitor)


def test_the_number_of_open_pages_is_limited(env, visitor):
    async def open_pages():
        async with AsyncExitStack() as stack:
            for _ in range(8):
                await stack.enter_async_context(visitor(page(env).url))
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await stack.enter_async_context(visitor(page(env).url))

    run(open_pages())


def test_the_number_of_unauthenticated_connections_is_limited(env, visitor):
    port = int(page(env).url.split(":")[2].split("/")[0])

    async def closed(reader: asyncio.StreamReader) -> bool:
        with contextlib.suppress(ConnectionError):
            return await reader.read() == b""
        return True

    async def connect():
        async with visitor(page(env).url) as guest:
            connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
            ends = [asyncio.create_task(closed(reader)) for reader, _ in connections]
            while sum(end.done() for end in ends) < 150:
                await asyncio.sleep(0.01)
            env.step(IDLE)
            await guest.tap("Space")
            assert human(env), "the open page still works"
            await guest.say(type="control", wanted=False)
            async with visitor(page(env).url) as newcomer:
                await newcomer.tap("Space")
                assert newcomer.last("scene") is not None, "and further pages can be opened"
            assert not all(end.done() for end in ends), "some unauthenticated connections may remain open"
            for _, writer in connections:
                writer.close()
            await asyncio.gather(*ends)

    run(connect())


def test_the_port_is_free_afterwards_and_a_taken_one_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        env = make_env(BASE)
        with pytest.raises(DeviceError, match=f"port {port}"):
            open_page(env, PageAddress(port=port))
    opened = open_page(env, PageAddress(port=port))
    assert f":{port}/" in opened.url
    env.close()
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
