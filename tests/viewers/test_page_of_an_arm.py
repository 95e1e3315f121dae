"""A person at the page of an arm outside the simulation: the confirmation, leaving the page, and a virtual leader."""

from __future__ import annotations

import asyncio
import socket

import numpy as np
import pytest

from gym_hil.devices.page import PageAddress
from gym_hil.integrations.lerobot.real_arm.stack import RealArm
from gym_hil.integrations.lerobot.virtual_arm.station import FOLLOWER, LEADER
from gym_hil.stacks.config import EnvConfig
from gym_hil.viewers.attach import find_page
from virtual_arms import StationArm, StationTime, stations

pytest.importorskip("aiohttp")

UPWARDS = np.array([0.0, 0.0, 1.0, 1.0], np.float32)
"""What the policy does."""


@pytest.fixture
def station():
    with stations() as make:
        yield make


@pytest.fixture
def arm(station):
    """An arm whose person is at a page, its connection, its time, and its servos."""
    one, _ = station()
    clock = StationTime(one)
    connection = StationArm(one, clock)
    env = RealArm(connect=lambda: connection, clock=clock).build(
        EnvConfig.of("SO101PickCube-v1", operator="browser")
    )
    yield env, connection, clock, one.arms[FOLLOWER]
    env.close()


def run(coroutine, page) -> None:
    """Run a coroutine for at most a minute, and end what waits for a person at the page."""

    async def limited() -> None:
        try:
            await asyncio.wait_for(coroutine, timeout=60)
        finally:
            page.close()

    asyncio.run(limited())


async def pass_time(clock: StationTime, seconds: float) -> None:
    """Wait until the simulation has advanced, which happens in the thread that steps the environment."""
    end = clock.monotonic() + seconds
    while clock.monotonic() < end:
        await asyncio.sleep(0.01)


async def confirmed(env, guest) -> None:
    """Begin an episode, whose confirmation is given on the page."""
    beginning = asyncio.create_task(asyncio.to_thread(env.reset, seed=0))
    while not (guest.last("note") or "").endswith("Press success to continue."):
        await asyncio.sleep(0.01)
    await guest.tap("Enter")
    await beginning


def test_nothing_moves_before_the_person_confirms_on_the_page(arm, visitor):
    env, connection, clock, servos = arm

    async def visit():
        async with visitor(find_page(env).url) as guest:
            await guest.tap("Enter")  # pressed before the question
            beginning = asyncio.create_task(asyncio.to_thread(env.reset, seed=0))
            while not guest.last("note"):
                await asyncio.sleep(0.01)
            assert "keep clear" in guest.last("note") and guest.last("note").endswith(
                "Press success to continue."
            )
            for key in ("Space", "ArrowUp", "Delete", "KeyP"):
                await guest.tap(key)
            await pass_time(clock, 3.0)
            assert not beginning.done() and not servos.powered
            assert (connection.connections, connection.commands) == (0, 0)
            await guest.tap("Enter")
            await beginning
            assert servos.powered and connection.commands > 0
            start = np.degrees(env.unwrapped.start_pose[0])
            assert np.degrees(servos.positions[:-1]) == pytest.approx(start, abs=2.0)
            await guest.until_told("note", "")

    run(visit(), find_page(env))


@pytest.mark.parametrize("how", ["closed", "hidden"])
def test_the_arm_holds_when_the_page_of_the_person_who_drives_is_left(arm, visitor, how):
    env, _, clock, servos = arm
    page, seen = find_page(env), []

    async def drive():
        async with visitor(page.url) as guest:
            await confirmed(env, guest)
            await guest.tap("Space")
            await guest.hold("ArrowLeft")
            before = np.degrees(servos.positions)
            for _ in range(4):
                *_, info = await asyncio.to_thread(env.step, UPWARDS)
                assert info["is_intervention"]
            assert before[0] - np.degrees(servos.positions)[0] > 10.0, "the person drives to the left"
            if how == "hidden":
                guest.visible = False
                await guest.settle()
        while page.attended:
            await asyncio.sleep(0.01)
        left = np.degrees(servos.positions)
        clock.watcher = lambda: seen.append(np.degrees(servos.positions))
        await asyncio.to_thread(env.step, UPWARDS)
        waiting = asyncio.create_task(asyncio.to_thread(env.step, UPWARDS))
        await pass_time(clock, 3.0)
        moved, later = np.abs(np.array(seen) - left), np.array(seen[50:])  # 50 physics steps are 0.2 s
        assert moved.max() < 4.0, "the arm only reaches the last goal, which it follows with a delay"
        assert len(later) > 650 and np.ptp(later, axis=0).max() < 0.5, (
            "neither the person nor the policy drives"
        )
        assert not waiting.done() and servos.powered
        async with visitor(page.url) as guest:
            await pass_time(clock, 1.0)
            assert not waiting.done(), "until they take over again"
            await guest.tap("Space")
            *_, info = await waiting
            assert info["is_intervention"]

    run(drive(), page)


def test_a_person_at_the_page_moves_the_virtual_leader(station, visitor):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    one, *_ = station(leader=True, operator="browser", page=PageAddress(port=port))
    leader, page = one.arms[LEADER], find_page(one.env)
    assert f":{port}/" in page.url

    def motion(steps: int) -> float:
        before = leader.positions[0]
        for _ in range(steps):
            one.step()
        return float(np.degrees(leader.positions[0] - before))

    async def drive():
        async with visitor(page.url) as guest:
            assert abs(motion(5)) < 0.5, "the hand holds the leader"
            await guest.tap("Space")
            await guest.hold("ArrowLeft")
            assert motion(10) < -5.0, "the base turns to the left"

    run(drive(), page)
