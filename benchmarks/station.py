"""Measure the cost of the operator station in the control loop, and whether 10 Hz is kept while a browser draws.

``python benchmarks/station.py [--seconds 60] [--json FILE]``. Chromium draws on this machine, without a GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import gym_hil  # noqa: F401
from gym_hil.devices import Device, Keyboard, PageDevice
from gym_hil.intervention import Human
from gym_hil.stacks.build import make_env
from gym_hil.viewers.attach import find_page
from gym_hil.wrappers.real_time import RealTimeWrapper

BASE = "gym_hil/PandaPickCubeBase-v1"
ROUNDS, STEPS = 6, 400


WATCHER = """
import asyncio, sys, aiohttp
async def watch(url):
    base = url.split("/?")[0]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        await session.get(url)
        async with session.ws_connect(base + "/socket", headers={"Origin": base}) as socket:
            print("there", flush=True)
            async for message in socket:
                pass
asyncio.run(watch(sys.argv[1]))
"""

SLEEPER = """
import time
last = time.time()
while True:
    time.sleep(0.01)
    now = time.time()
    if now - last > 0.08:
        print(last, now, flush=True)
    last = now
"""


def make(device: Device) -> gym.Env:
    env = make_env(BASE, operator=Human(device))
    env.reset(seed=0)
    return env


@contextmanager
def watcher(url: str):
    """Start a process that has the page open and draws nothing."""
    process = subprocess.Popen([sys.executable, "-c", WATCHER, url], stdout=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def sleeper():
    """Yield a list that contains, afterwards, the times at which this machine did not run a process that only sleeps.

    Each entry is the beginning and the end of one such time (s since 1970). The machine was then paused, or busy with
    other processes.
    """
    process = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, text=True)
    pauses: list[tuple[float, float]] = []
    try:
        yield pauses
    finally:
        process.kill()
        lines = process.communicate()[0].splitlines()
        pauses += [tuple(map(float, line.split())) for line in lines]


@contextmanager
def browser(url: str):
    """Start Chromium, which opens and draws the page."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in ("headless=new", "no-sandbox", "use-angle=swiftshader", "enable-unsafe-swiftshader"):
        options.add_argument(f"--{flag}")
    options.add_argument("--window-size=1280,800")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        driver.get(url)
        end = time.monotonic() + 60
        while drawn(driver) < 1 and time.monotonic() < end:
            time.sleep(0.1)
        yield driver
    finally:
        driver.quit()


def drawn(driver: Any) -> int:
    """Return the number of frames that the page has drawn."""
    return int(driver.execute_script("return document.getElementById('view').dataset.frames || 0"))


def moving(number: int) -> np.ndarray:
    """Return an action that keeps the robot moving from side to side."""
    return np.array([0, 1 if number // 10 % 2 else -1, 0, 1], np.float32)


def unpaced(env: gym.Env) -> tuple[float, float]:
    """Return the time and the processor time of this thread per step (s), without waiting between steps."""
    wall, cpu = time.perf_counter(), time.thread_time()
    for number in range(STEPS):
        *_, terminated, truncated, _ = env.step(moving(number))
        if terminated or truncated:
            env.reset(seed=0)
    return (time.perf_counter() - wall) / STEPS, (time.thread_time() - cpu) / STEPS


def cost() -> dict[str, Any]:
    """Return the cost per step of a page that somebody watches, and that of a keyboard that nobody touches.

    The loop does not wait between steps, and the rounds of the two alternate.
    """
    envs = {"plain": make(Keyboard()), "paged": make(PageDevice())}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in envs}
    with watcher(find_page(envs["paged"]).url):
        for _ in range(ROUNDS):
            for name, env in envs.items():
                times[name].append(unpaced(env))
    for env in envs.values():
        env.close()
    wall = {name: statistics.median(wall for wall, _ in rounds) for name, rounds in times.items()}
    cpu = {name: min(cpu for _, cpu in rounds) for name, rounds in times.items()}  # the least disturbed
    return {
        "steps_per_s": 1.0 / wall["plain"],
        "steps_per_s_with_page": 1.0 / wall["paged"],
        "rate_lost": 1.0 - wall["plain"] / wall["paged"],
        "processor_time_added": cpu["paged"] / cpu["plain"] - 1.0,
    }


def real_time(seconds: float) -> dict[str, Any]:
    """Return how accurately 10 Hz was kept while Chromium drew the moving robot."""
    env = RealTimeWrapper(make(PageDevice()))
    late: list[float] = []
    with sleeper() as pauses, browser(find_page(env).url) as driver:
        steps = round(seconds / env.get_wrapper_attr("control_dt"))
        for number in range(10):
            env.step(moving(number))
        env.overruns, env.worst_overrun_s = 0, 0.0
        before, start = drawn(driver), time.perf_counter()
        for number in range(steps):
            missed = env.overruns
            *_, terminated, truncated, _ = env.step(moving(number))
            if env.overruns > missed:
                late.append(time.time())
            if terminated or truncated:
                env.reset(seed=0)
        elapsed = time.perf_counter() - start
        frames = drawn(driver) - before
    env.close()
    return {
        "seconds": elapsed,
        "steps": steps,
        "steps_per_s": steps / elapsed,
        "missed_deadlines": len(late),
        "of_these_while_the_machine_stood": sum(
            any(start - 0.2 < at < end + 0.2 for start, end in pauses) for at in late
        ),
        "worst_s": env.worst_overrun_s,
        "frames_per_s": frames / elapsed,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    results = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "load": os.getloadavg()[0],
        "cost": cost(),
        "real_time": real_time(arguments.seconds),
    }
    text = json.dumps(results, indent=2)
    print(text)
    if arguments.json is not None:
        arguments.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
