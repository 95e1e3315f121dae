"""The page in a real browser, while the program runs."""

from __future__ import annotations

import io
import json
import queue
import shutil
import subprocess
import sys
import threading
import time
from itertools import islice

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("aiohttp")
webdriver = pytest.importorskip("selenium.webdriver")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("chromium"),
    pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed"),
]
TIMEOUT_S = 60
"""Longest time to wait for a change (s); a busy machine may need some of it."""
DEAD_MAN_S = 2.0
"""Time after which a silent page counts as disconnected (s), instead of 0.28 s. On a machine with too much to do,
Chromium is often silent for 0.3 s. tests/viewers/test_page.py tests the shorter time with a client in Python."""
ATTEMPTS = 3
"""Number of times that an input is tried. Input is lost while the page counts as disconnected."""
PROGRAM = (
    f"DEAD_MAN_S = {DEAD_MAN_S}"
    + """
import json, time
import gymnasium as gym, numpy as np, gym_hil
from gym_hil.viewers.web import clients
from gym_hil.wrappers.real_time import RealTimeWrapper

clients.DEAD_MAN_S = DEAD_MAN_S

steps_begun = command_step = 0
class Counted(gym.Wrapper):
    def step(self, action):
        global steps_begun
        steps_begun += 1
        return self.env.step(action)

env = Counted(gym.make("gym_hil/PandaPickCubeBrowser-v1", max_episode_steps=100000))
env.reset(seed=0)
device = env.get_wrapper_attr("operator").device
last_calls = {}
def count_changes(source, method):
    original = getattr(source, method)
    def note(*arguments, **details):
        global command_step
        original(*arguments, **details)
        if last_calls.get(source) != (method, arguments):
            last_calls[source] = (method, arguments)
            command_step = steps_begun
    setattr(source, method, note)

for source, method in ((device.keyboard, "press"), (device.keyboard, "release"),
                    (device.sticks, "move"), (device.gamepad, "update")):
    count_changes(source, method)
env = RealTimeWrapper(env)
while True:
    start = time.thread_time()
    *_, terminated, truncated, info = env.step(np.array([0, 0, 0, 1], np.float32))
    cpu_s = time.thread_time() - start
    sim = env.unwrapped.simulation
    print(json.dumps({"phase": info["phase"], "end": info["termination_reason"],
                      "tcp": sim.tcp_pos_w.tolist(), "cube": sim.body_pos_w("cube").tolist(),
                      "steps_begun": steps_begun, "command_step": command_step, "cpu_s": cpu_s}), flush=True)
    if terminated or truncated:
        env.reset(seed=0)
"""
)
FAKE_PAD = """
window.fakePad = null;
navigator.getGamepads = () => [window.fakePad];
window.plugPad = (axes, down) => (window.fakePad = axes && {
  id: "Stub Pad", connected: true, mapping: "standard", axes,
  buttons: [...Array(16).keys()].map((index) => ({ pressed: down.includes(index), value: 0 })),
});
"""
RB, Y = 5, 3


class Program:
    """The running program, which prints one line of JSON per step."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self._lines: queue.Queue[str] = queue.Queue()
        self.cpu_s: list[float] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.cpu_s.append(json.loads(line)["cpu_s"])
            self._lines.put(line)

    def step(self) -> dict:
        return json.loads(self._lines.get(timeout=TIMEOUT_S))

    def discard_unread(self) -> None:
        while not self._lines.empty():
            self._lines.get()

    def now(self) -> dict:
        self.discard_unread()
        return self.step()

    def until(self, condition) -> dict:
        """Return the first unread step that meets a condition."""
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            line = self.step()
            if condition(line):
                return line
        raise AssertionError(line)

    def endings(self, count: int) -> list[str]:
        """Return the reasons for which episodes ended in the next `count` steps."""
        return [end for end in (self.step()["end"] for _ in range(count)) if end]


class Browser:
    """Chromium, with the inputs of a person."""

    def __init__(self) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for flag in ("headless=new", "no-sandbox", "use-angle=swiftshader", "enable-unsafe-swiftshader"):
            options.add_argument(f"--{flag}")
        options.add_argument("--window-size=1100,800")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(
            options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))
        )
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": FAKE_PAD})

    def open(self, url: str) -> None:
        self.driver.get(url)
        self.until("document.getElementById('view').dataset.frames > 1")
        self.until("document.body.dataset.role === 'control'")

    def js(self, script: str):
        return self.driver.execute_script(script)

    def until(self, condition: str) -> None:
        end = time.monotonic() + TIMEOUT_S
        while not self.js(f"return !!({condition})"):
            assert time.monotonic() < end, condition
            time.sleep(0.02)

    def text(self, name: str) -> str:
        return self.js(f"return document.getElementById('{name}').textContent")

    def key(self, code: str, down: bool) -> None:
        kind = "keyDown" if down else "keyUp"
        self.driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": kind, "code": code, "key": code})

    def tap(self, code: str) -> None:
        self.key(code, True)
        self.key(code, False)

    def point(self, kind: str, selector: str, right: float = 0.0, up: float = 0.0) -> None:
        """Press, move or release the pointer at an element.

        Args:
            kind: Pressed, Moved or Released.
            selector: the element.
            right: horizontal offset from its middle, as a fraction of half its width.
            up: vertical offset from its middle, as a fraction of half its height.
        """
        box = self.js(
            f"const r = document.querySelector('{selector}').getBoundingClientRect();"
            "return [r.left, r.top, r.width, r.height]"
        )
        x, y = box[0] + box[2] / 2 * (1 + right), box[1] + box[3] / 2 * (1 - up)
        event = {"type": f"mouse{kind}", "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)

    def click(self, selector: str) -> None:
        self.point("Pressed", selector)
        self.point("Released", selector)

    def click_until(self, selector: str, condition: str) -> None:
        """Click until a condition holds, at most `ATTEMPTS` times.

        A click is lost while the page counts as disconnected.
        """
        for _ in range(ATTEMPTS):
            self.click(selector)
            end = time.monotonic() + 3
            while time.monotonic() < end:
                if self.js(f"return !!({condition})"):
                    return
                time.sleep(0.02)
        raise AssertionError(condition)

    def picture(self) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(self.driver.get_screenshot_as_png())).convert("RGB")).astype(
            int
        )


@pytest.fixture(scope="module")
def program():
    program = Program()
    yield program
    program.process.kill()
    program.process.wait()


@pytest.fixture(scope="module")
def chromium():
    browser = Browser()
    yield browser
    browser.driver.quit()


@pytest.fixture
def browser(chromium, program):
    """The browser with the page open, at the beginning of an episode without a takeover."""
    chromium.open(program.url)
    reset = "[data-control=RESET]"
    repeat_until(program, lambda: chromium.click(reset), lambda line: line["end"] == "human_reset")
    yield chromium
    chromium.driver.get("about:blank")


def repeat_until(program, act, condition) -> None:
    """Repeat an act until a step meets a condition, at most `ATTEMPTS` times.

    An act is lost while the page counts as disconnected.
    """
    for _ in range(ATTEMPTS):
        program.discard_unread()
        act()
        if any(condition(program.step()) for _ in range(15)):
            return
    raise AssertionError("the act had no effect")


def take_over(program, browser) -> None:
    if program.now()["phase"] != "human":
        repeat_until(program, lambda: browser.tap("Space"), lambda line: line["phase"] == "human")


def wait_until_still(program) -> None:
    """Wait until the TCP has stopped."""
    before = program.now()["tcp"]
    still = 0
    while still < 3:
        line = program.until(lambda line: True)
        still = still + 1 if np.abs(np.subtract(line["tcp"], before)).max() < 5e-4 else 0
        before = line["tcp"]


def check_motion(program, take_control, command, axis: int, sign: int) -> None:
    """Check that the TCP moves along an axis, and along no other one, within two control periods after a command.

    Control periods are counted from the arrival of the command, so that the test does not depend on the speed of the
    machine. If the page counted as disconnected in between, the takeover has ended and the command is repeated, at most
    `ATTEMPTS` times. A motion in a wrong direction fails at once.

    Args:
        program: the program.
        take_control: takes over.
        command: begins the motion if its argument is true, and ends it otherwise.
        axis: index of the axis.
        sign: direction along the axis.
    """
    for _ in range(ATTEMPTS):
        take_control()
        wait_until_still(program)
        before = program.now()
        command(True)
        steps = (program.step() for _ in range(30))
        lines = list(islice((line for line in steps if line["command_step"] >= before["steps_begun"]), 1))
        while lines and lines[-1]["steps_begun"] < lines[0]["command_step"] + 2:
            lines.append(program.step())
        command(False)
        drove = len(lines) > 1 and all(line["phase"] in ("takeover", "human") for line in lines[1:])
        if drove and lines[-1]["command_step"] == lines[0]["command_step"]:
            motion = np.subtract(lines[-1]["tcp"], before["tcp"])
            assert motion[axis] * sign > 0.03, motion
            assert np.abs(np.delete(motion, axis)).max() < 0.005, motion
            return
    raise AssertionError("the page was disconnected in every attempt")


def test_the_page_draws_the_robot_and_shows_who_acts(program, browser, tmp_path):
    browser.until("document.getElementById('latency').textContent")
    assert browser.text("who") == "POLICY" and browser.text("latency").endswith(" ms")
    picture = browser.picture()
    Image.fromarray(picture.astype(np.uint8)).save(tmp_path / "page.png")
    r, g, b = picture[..., 0], picture[..., 1], picture[..., 2]
    red, white = (r > 120) & (g < 80) & (b < 80), (r > 200) & (g > 200) & (b > 200)
    box = browser.js(
        "const r = document.getElementById('view').getBoundingClientRect(); return [r.left, r.top, r.right]"
    )
    left, top, right = (round(edge) for edge in box)
    middle = slice(left, left + (right - left) * 2 // 3)
    assert red[top:, middle].sum() > 30, "no red cube"
    assert white[top:, middle].sum() > 1000, "no white robot"
    cameras = red[top : top + 500, (left + right * 3) // 4 : right]
    assert cameras.sum() > 30, "no camera sees the cube"
    assert [entry for entry in browser.driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_the_page_draws_new_frames_while_objects_move(program, browser):
    take_over(program, browser)
    browser.tap("KeyF")
    frames = int(browser.js("return document.getElementById('view').dataset.frames"))
    for drawn, key in enumerate(["ArrowLeft", "ArrowRight"] * 4):
        browser.key(key, True)
        browser.until(f"document.getElementById('view').dataset.frames > {frames + drawn}")
        browser.key(key, False)
    browser.tap("KeyF")
    browser.tap("KeyF")


def test_keys_and_buttons_move_the_tcp(program, browser):
    for key, axis, sign in (("ArrowLeft", 1, 1), ("ArrowUp", 0, 1), ("ShiftRight", 2, 1)):
        check_motion(
            program,
            lambda: take_over(program, browser),
            lambda down, key=key: browser.key(key, down),
            axis,
            sign,
        )
    browser.until("document.body.dataset.who === 'HUMAN'")
    browser.click("[data-control=TOGGLE]")
    program.until(lambda line: line["phase"] == "policy")


def test_a_gamepad_moves_the_tcp(program, browser):
    check_motion(
        program,
        lambda: browser.js(f"plugPad([0, 0, 0, 0], [{RB}])"),
        lambda on: browser.js(f"plugPad([0, {-1 if on else 0}, 0, 0], [{RB}])"),
        axis=0,
        sign=1,
    )
    assert "Stub Pad" in browser.text("pad")
    browser.js("plugPad([0, 0, 0, 0], [])")
    program.until(lambda line: line["phase"] == "policy")
    browser.js(f"plugPad([0, 0, 0, 0], [{Y}])")
    program.until(lambda line: line["end"] == "human_success")
    assert program.endings(10) == [], "a held button is one press"
    browser.js("plugPad(null)")


def test_touch_sticks_move_the_tcp(program, browser):
    browser.click("#touch")
    button = "[data-control=TOGGLE]"

    def take_control():
        if program.now()["phase"] != "human":
            repeat_until(program, lambda: browser.click(button), lambda line: line["phase"] == "human")

    def push(stick, **position):
        def command(on):
            if on:
                browser.point("Pressed", stick)
            browser.point("Moved" if on else "Released", stick, **position)

        return command

    check_motion(program, take_control, push("#stick-left", right=1.0), axis=1, sign=-1)
    check_motion(program, take_control, push("#stick-right", up=0.9), axis=2, sign=1)
    wait_until_still(program)


@pytest.mark.parametrize(
    ("key", "control", "end"),
    [
        ("Enter", "SUCCESS", "human_success"),
        ("Escape", "FAILURE", "human_failure"),
        ("KeyR", "RERECORD", "rerecord_episode"),
        ("Backspace", "RESET", "human_reset"),
    ],
)
def test_an_episode_event_of_a_person_arrives_once(program, browser, key, control, end):
    for call in (lambda: browser.tap(key), lambda: browser.click(f"[data-control={control}]")):
        repeat_until(program, call, lambda line: line["end"] == end)
        assert program.endings(5) == [], "it arrived more than once"


def test_the_page_shows_the_success_rate(program, browser):
    episodes = int(browser.text("episodes"))
    repeat_until(program, lambda: browser.tap("Enter"), lambda line: line["end"] == "human_success")
    browser.until(f"+document.getElementById('episodes').textContent === {episodes + 1}")
    assert browser.text("success-rate").endswith("%") and browser.text("toast") == "success"


def test_pause_and_slow_motion_can_be_switched_on_and_off(program, browser):
    slow = "document.getElementById('slow').classList.contains('on')"
    browser.click_until("#slow", slow)
    browser.click_until("#slow", f"!{slow}")
    browser.click_until("[data-control=PAUSE]", "document.body.dataset.who === 'PAUSED'")
    browser.click_until("[data-control=PAUSE]", "document.body.dataset.who === 'POLICY'")


@pytest.mark.parametrize("how", ["closed", "hidden", "network"])
def test_a_disconnected_page_does_not_drive_the_robot(program, browser, how):
    driver = browser.driver
    take_over(program, browser)
    if how == "closed":
        driver.get("about:blank")
    elif how == "hidden":
        shown = driver.current_window_handle
        driver.switch_to.new_window("tab")
    else:
        browser.js("window.originalSend = WebSocket.prototype.send; WebSocket.prototype.send = () => {}")
    program.until(lambda line: line["phase"] == "policy")
    if how == "closed":
        browser.open(program.url)
    elif how == "hidden":
        driver.close()
        driver.switch_to.window(shown)
        driver.execute_cdp_cmd("Page.bringToFront", {})
    else:
        browser.js("WebSocket.prototype.send = window.originalSend")
    assert all(line["phase"] == "policy" for line in (program.step() for _ in range(5))), (
        "the takeover must not continue"
    )
    take_over(program, browser)


def test_a_second_browser_watches_until_it_requests_control(program, browser):
    driver = browser.driver
    first = driver.current_window_handle
    driver.switch_to.new_window("window")
    driver.get(program.url)
    browser.until("document.body.dataset.role === 'watch'")
    browser.tap("Space")
    assert all(program.step()["phase"] == "policy" for _ in range(5))
    browser.click("#control")
    browser.until("document.body.dataset.role === 'waiting' || document.body.dataset.role === 'control'")
    driver.close()
    driver.switch_to.window(first)
    driver.execute_cdp_cmd("Page.bringToFront", {})
    browser.until("document.body.dataset.role !== 'waiting'")


def test_keys_alone_pick_up_the_cube(program, browser):
    def hold(code, done):
        browser.key(code, True)
        line = program.until(done)
        browser.key(code, False)
        return line

    def align(axis, back, forth, goal):
        for _ in range(20):
            program.discard_unread()
            line = [program.step() for _ in range(5)][-1]
            offset = goal(line) - line["tcp"][axis]
            if abs(offset) < 0.006:
                return
            sign = 1.0 if offset > 0 else -1.0
            hold(
                forth if offset > 0 else back,
                lambda now, s=sign: s * (goal(now) - now["tcp"][axis]) < 0.006,
            )
        raise AssertionError(line)

    take_over(program, browser)
    browser.tap("KeyF")
    align(0, "ArrowDown", "ArrowUp", lambda line: line["cube"][0])
    align(1, "ArrowRight", "ArrowLeft", lambda line: line["cube"][1])
    align(2, "ShiftLeft", "ShiftRight", lambda line: 0.02)
    browser.tap("KeyF")
    browser.tap("KeyF")
    browser.key("KeyC", True)
    for _ in range(8):
        program.step()
    browser.key("KeyC", False)
    line = hold("ShiftRight", lambda line: line["end"])
    assert (line["phase"], line["end"]) == ("human", "success")


def test_no_control_step_was_late(program, browser):
    """Processor time, not wall time, which other programs share; for that see benchmarks/station.py."""
    while len(program.cpu_s) < 100:
        program.step()
    late = sum(cpu_s > 0.05 for cpu_s in program.cpu_s[1:])
    assert late == 0, f"{late} of {len(program.cpu_s)} steps took more than half of their 0.1 s"
    assert np.median(program.cpu_s) < 0.01
