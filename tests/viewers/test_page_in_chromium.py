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
PATIENCE_S = 60
"""How long a busy machine may take for anything."""
PROGRAM = """
import json, time
import gymnasium as gym, numpy as np, gym_hil
from gym_hil.wrappers.real_time import RealTimeWrapper

begun = asked = 0
class Counted(gym.Wrapper):
    def step(self, action):
        global begun
        begun += 1
        return self.env.step(action)

env = Counted(gym.make("gym_hil/PandaPickCubeBrowser-v1", max_episode_steps=100000))
env.reset(seed=0)
device = env.get_wrapper_attr("operator").device
said = {}
def noted(thing, verb):
    do = getattr(thing, verb)
    def note(*what, **details):
        global asked
        do(*what, **details)
        if said.get(thing) != (verb, what):
            said[thing] = (verb, what)
            asked = begun
    setattr(thing, verb, note)

for thing, verb in ((device.keyboard, "press"), (device.keyboard, "release"),
                    (device.sticks, "move"), (device.gamepad, "update")):
    noted(thing, verb)
env = RealTimeWrapper(env)
while True:
    start = time.thread_time()
    *_, terminated, truncated, info = env.step(np.array([0, 0, 0, 1], np.float32))
    spent = time.thread_time() - start
    sim = env.unwrapped.simulation
    print(json.dumps({"phase": info["phase"], "end": info["termination_reason"],
                      "tcp": sim.tcp_pos_w.tolist(), "cube": sim.body_pos_w("cube").tolist(),
                      "begun": begun, "asked": asked, "spent": spent}), flush=True)
    if terminated or truncated:
        env.reset(seed=0)
"""
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
    """The running program: what it says of its present, not of its past."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self._lines: queue.Queue[str] = queue.Queue()
        self.spent: list[float] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.spent.append(json.loads(line)["spent"])
            self._lines.put(line)

    def step(self) -> dict:
        return json.loads(self._lines.get(timeout=PATIENCE_S))

    def forget(self) -> None:
        while not self._lines.empty():
            self._lines.get()

    def now(self) -> dict:
        self.forget()
        return self.step()

    def until(self, wanted) -> dict:
        """Return the first step, of those not looked at yet, that is `wanted`."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            line = self.step()
            if wanted(line):
                return line
        raise AssertionError(line)

    def ends(self, count: int) -> list[str]:
        """Return how episodes ended in the next `count` steps."""
        return [end for end in (self.step()["end"] for _ in range(count)) if end]


class Browser:
    """Chromium, and what a person does in it."""

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
        end = time.monotonic() + PATIENCE_S
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
        """Put a pointer down, move or lift it, `right` and `up` of an element's middle in its half sizes."""
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
        """Click, and once more after a while if that was lost because the page had been silent."""
        for _ in range(10):
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
    """The browser with the page open, at the beginning of an episode that nobody has taken over."""
    chromium.open(program.url)
    reset = "[data-control=RESET]"
    make(program, lambda: chromium.click(reset), lambda line: line["end"] == "human_reset")
    yield chromium
    chromium.driver.get("about:blank")


def make(program, act, wanted) -> None:
    """Do `act` until it works: on a busy machine the page may just have been silent for too long."""
    for _ in range(10):
        program.forget()
        act()
        if any(wanted(program.step()) for _ in range(15)):
            return
    raise AssertionError("nothing happened")


def take_over(program, browser) -> None:
    if program.now()["phase"] != "human":
        make(program, lambda: browser.tap("Space"), lambda line: line["phase"] == "human")


def rest(program) -> None:
    """Wait until the TCP stands still."""
    before = program.now()["tcp"]
    still = 0
    while still < 3:
        line = program.until(lambda line: True)
        still = still + 1 if np.abs(np.subtract(line["tcp"], before)).max() < 5e-4 else 0
        before = line["tcp"]


def promptly(program, take, ask, axis: int, sign: int) -> None:
    """`take` over and `ask` for motion along `axis`, until told False: within two control periods the TCP
    goes there, and nowhere else. Periods are the environment's, from when it was told, so a slow machine has
    them too. On one that was so slow that nobody drove in between, ask again.
    """
    for _ in range(10):
        take()
        rest(program)
        before = program.now()
        ask(True)
        steps = (program.step() for _ in range(30))
        lines = list(islice((line for line in steps if line["asked"] >= before["begun"]), 1))
        while lines and lines[-1]["begun"] < lines[0]["asked"] + 2:
            lines.append(program.step())
        ask(False)
        drove = len(lines) > 1 and all(line["phase"] in ("takeover", "human") for line in lines[1:])
        if drove and lines[-1]["asked"] == lines[0]["asked"]:
            way = np.subtract(lines[-1]["tcp"], before["tcp"])
            assert way[axis] * sign > 0.03, way
            assert np.abs(np.delete(way, axis)).max() < 0.005, way
            return
    raise AssertionError("nobody drove")


def test_it_draws_the_robot_and_shows_who_acts(program, browser, tmp_path):
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


def test_it_keeps_drawing_while_objects_move(program, browser):
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
        promptly(
            program,
            lambda: take_over(program, browser),
            lambda down, key=key: browser.key(key, down),
            axis,
            sign,
        )
    browser.until("document.body.dataset.who === 'HUMAN'")
    browser.click("[data-control=TOGGLE]")
    program.until(lambda line: line["phase"] == "policy")


def test_a_gamepad_drives(program, browser):
    promptly(
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
    assert program.ends(10) == [], "held, but pressed once"
    browser.js("plugPad(null)")


def test_touch_sticks_drive(program, browser):
    browser.click("#touch")
    button = "[data-control=TOGGLE]"

    def take():
        if program.now()["phase"] != "human":
            make(program, lambda: browser.click(button), lambda line: line["phase"] == "human")

    def push(stick, **way):
        def ask(on):
            if on:
                browser.point("Pressed", stick)
            browser.point("Moved" if on else "Released", stick, **way)

        return ask

    promptly(program, take, push("#stick-left", right=1.0), axis=1, sign=-1)
    promptly(program, take, push("#stick-right", up=0.9), axis=2, sign=1)
    rest(program)


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
        make(program, call, lambda line: line["end"] == end)
        assert program.ends(5) == [], "it arrived more than once"


def test_rates_are_shown(program, browser):
    episodes = int(browser.text("episodes"))
    make(program, lambda: browser.tap("Enter"), lambda line: line["end"] == "human_success")
    browser.until(f"+document.getElementById('episodes').textContent === {episodes + 1}")
    assert browser.text("success-rate").endswith("%") and browser.text("toast") == "success"


def test_pause_and_slow_motion(program, browser):
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
        browser.js("window.spoken = WebSocket.prototype.send; WebSocket.prototype.send = () => {}")
    program.until(lambda line: line["phase"] == "policy")
    if how == "closed":
        browser.open(program.url)
    elif how == "hidden":
        driver.close()
        driver.switch_to.window(shown)
        driver.execute_cdp_cmd("Page.bringToFront", {})
    else:
        browser.js("WebSocket.prototype.send = window.spoken")
    assert all(line["phase"] == "policy" for line in (program.step() for _ in range(5))), "it survived"
    take_over(program, browser)


def test_a_second_browser_watches(program, browser):
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
            program.forget()
            line = [program.step() for _ in range(5)][-1]
            way = goal(line) - line["tcp"][axis]
            if abs(way) < 0.006:
                return
            sign = 1.0 if way > 0 else -1.0
            hold(
                forth if way > 0 else back,
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
    while len(program.spent) < 100:
        program.step()
    late = sum(spent > 0.05 for spent in program.spent[1:])
    assert late == 0, f"{late} of {len(program.spent)} steps took more than half of their 0.1 s"
    assert np.median(program.spent) < 0.01
