"""The page in a real browser, beside the running program."""

from __future__ import annotations

import io
import queue
import shutil
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("aiohttp")
webdriver = pytest.importorskip("selenium.webdriver")
ActionChains, Keys = webdriver.ActionChains, webdriver.Keys

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed"),
]
PROGRAM = """
import sys, time
import gymnasium as gym, numpy as np, gym_hil
env = gym.make("gym_hil/PandaPickCubeBrowser-v1", max_episode_steps=100000)
env.reset(seed=0)
while True:
    *_, terminated, _, info = env.step(np.array([0, 0, 0, 1], np.float32))
    tcp = env.unwrapped.simulation.tcp_pos_w
    cube = env.unwrapped.simulation.body_pos_w("cube")
    print(info["phase"], info["termination_reason"] or "-", *(f"{v:.4f}" for v in (*tcp, *cube)), flush=True)
    if terminated:
        env.reset(seed=0)
    time.sleep(0.1)
"""


@pytest.fixture
def program():
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: [lines.put(line) for line in process.stdout], daemon=True).start()
    yield lines
    process.kill()
    process.wait()


@pytest.fixture
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in ("headless=new", "no-sandbox", "use-angle=swiftshader", "enable-unsafe-swiftshader"):
        options.add_argument(f"--{flag}")
    options.add_argument("--window-size=900,800")
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


def steps(program, count):
    """Return the next `count` steps, none that is over already."""
    while not program.empty():
        program.get()
    return [program.get(timeout=30).split() for _ in range(count)]


def until(program, wanted, limit=50):
    seen = []
    for _ in range(limit):
        seen.append(program.get(timeout=30).split())
        if wanted(seen[-1]):
            return seen[-1]
    raise AssertionError(seen[-5:])


def take_over(program, body):
    """Press Space until it works: on a busy machine the page may just have been silent."""
    for _ in range(5):
        body.send_keys(Keys.SPACE)
        if any(line[0] == "human" for line in steps(program, 10)):
            return
    raise AssertionError("no takeover")


def test_a_person_sees_the_robot_and_drives_it(program, browser, tmp_path):
    url = program.get(timeout=30).strip()
    assert url.startswith("http://127.0.0.1:")
    browser.get(url)
    time.sleep(1.5)
    picture = browser.get_screenshot_as_png()
    (tmp_path / "page.png").write_bytes(picture)
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)
    r, g, b = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    assert np.sum((r > 120) & (g < 80) & (b < 80)) > 30, "no red cube"
    assert np.sum((r > 200) & (g > 200) & (b > 200)) > 1000, "no white robot"
    errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert errors == []
    body = browser.find_element("tag name", "body")
    assert "POLICY" in browser.find_element("id", "who").text
    take_over(program, body)
    time.sleep(0.3)
    assert browser.find_element("id", "who").text == "HUMAN"
    before = float(steps(program, 1)[-1][3])
    ActionChains(browser).key_down(Keys.ARROW_LEFT).perform()
    after = [float(line[3]) for line in steps(program, 8)][-1]
    ActionChains(browser).key_up(Keys.ARROW_LEFT).perform()
    assert after > before + 0.05, "left is +y"
    button = browser.find_element("css selector", "[data-key=ArrowDown]")
    steps(program, 8)
    x = float(steps(program, 1)[-1][2])
    ActionChains(browser).click_and_hold(button).perform()
    moved = [float(line[2]) for line in steps(program, 8)][-1]
    ActionChains(browser).release().perform()
    assert moved < x - 0.05, "the button on the page moves back"
    body.send_keys(Keys.ENTER)
    until(program, lambda line: line[1] == "human_success")
    assert all(line[1] == "-" for line in steps(program, 10)), "success arrived more than once"
    take_over(program, body)
    browser.get("about:blank")
    until(program, lambda line: line[0] == "policy", limit=15)


def test_keys_alone_pick_up_the_cube(program, browser):
    browser.get(program.get(timeout=30).strip())
    time.sleep(1.0)

    def key(code, down):
        kind = "keyDown" if down else "keyUp"
        browser.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": kind, "code": code, "key": code})

    def hold(code, done):
        key(code, True)
        line = until(program, done)
        key(code, False)
        return line

    def numbers(line):
        return [float(value) for value in line[2:]]

    def align(axis, back, forth, goal):
        for _ in range(20):
            line = steps(program, 5)[-1]
            way = goal(numbers(line)) - numbers(line)[axis]
            if abs(way) < 0.006:
                return
            sign = 1.0 if way > 0 else -1.0
            hold(
                forth if way > 0 else back,
                lambda now, s=sign: s * (goal(numbers(now)) - numbers(now)[axis]) < 0.006,
            )
        raise AssertionError(line)

    take_over(program, browser.find_element("tag name", "body"))
    key("KeyF", True)
    align(0, "ArrowDown", "ArrowUp", lambda now: now[3])
    align(1, "ArrowRight", "ArrowLeft", lambda now: now[4])
    align(2, "ShiftLeft", "ShiftRight", lambda now: 0.02)
    key("KeyF", False)
    key("ControlLeft", True)
    steps(program, 8)
    key("ControlLeft", False)
    line = hold("ShiftRight", lambda line: line[1] != "-")
    assert line[:2] == ["human", "success"]
