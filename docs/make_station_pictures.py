"""Make the pictures of docs/operator-station.md and docs/recording.md: ``python docs/make_station_pictures.py``.

Needs Chromium, Xvfb and the extra `dev`.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import gymnasium as gym
import imageio_ffmpeg
import numpy as np
from PIL import Image
from selenium import webdriver
from selenium.webdriver.support.wait import WebDriverWait

from gym_hil.cli.inspect_command import Inspect
from gym_hil.cli.record import Record
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.intervention.scripted_policies import make_policy
from gym_hil.stacks.build import make_env
from gym_hil.viewers.attach import find_page
from gym_hil.wrappers.real_time import RealTimeWrapper

FOLDER = Path(__file__).parent / "images"
FLAGS = (
    "headless=new",
    "no-sandbox",
    "hide-scrollbars",
    "use-angle=swiftshader",
    "enable-unsafe-swiftshader",
)
WINDOW = """
import gymnasium as gym, gym_hil
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.intervention.scripted_policies import make_policy
from gym_hil.wrappers.real_time import RealTimeWrapper
import numpy as np
quick = gym.make("gym_hil/PandaPickCubeKeyboard-v1", render_mode="human", max_episode_steps=50)
paced = RealTimeWrapper(quick)
keyboard = quick.get_wrapper_attr("operator").device
policy, rng = make_policy("noisy-expert"), np.random.default_rng(0)
for seed in range(100):
    env = quick if seed < 15 else paced
    env.reset(seed=seed)
    for number in range(50):
        if seed % 4 == 3 and number == 5:
            keyboard.press("space")
            keyboard.release("space")
        if env is paced and number == 12:
            keyboard.press("down")
            print("ready", flush=True)
        *_, terminated, truncated, _ = env.step(policy(EnvironmentInterface(env), rng))
        if terminated or truncated:
            break
"""


class Run:
    """An environment on a page: 15 fast episodes of a noisy expert, then episodes in real time, in which
    the robot moves only if a person takes over.
    """

    def __init__(self) -> None:
        self._env = RealTimeWrapper(make_env("gym_hil/PandaPickCubeBase-v1", operator="browser"))
        self.page = find_page(self._env)
        self._stop = threading.Event()
        quick = gym.wrappers.TimeLimit(self._env.env, 50)
        for seed in range(15):
            self._episode(seed, quick, "noisy-expert")
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._env.close()

    def _go_on(self) -> None:
        seed = 15
        while not self._stop.is_set():
            self._episode(seed, self._env, "zero")
            seed += 1

    def _episode(self, seed: int, env: gym.Env, name: str) -> None:
        policy, rng = make_policy(name), np.random.default_rng(seed)
        env.reset(seed=seed)
        done = False
        while not (done or self._stop.is_set()):
            *_, terminated, truncated, _ = env.step(policy(EnvironmentInterface(env), rng))
            done = terminated or truncated


def page(url: str, width: int, height: int, *, touch: bool) -> Image.Image:
    """Return what the page looks like while a person drives."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in FLAGS:
        options.add_argument(f"--{flag}")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    size: dict[str, Any] = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": touch}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": touch})
    wait = WebDriverWait(driver, 120)
    try:
        driver.get(url)
        wait.until(
            lambda d: int(d.execute_script("return document.getElementById('view').dataset.frames || 0")) > 1
        )
        for _ in range(50):
            take_over(driver)
            for down in (True, False):
                send(driver, "ArrowLeft", down)
                send(driver, "ShiftLeft", down)
                time.sleep(1.0)
            time.sleep(2.0)  # the page draws a still scene at its full resolution
            shot = driver.get_screenshot_as_png()
            if driver.find_element("id", "who").text == "HUMAN":  # else the episode has ended meanwhile
                return Image.open(io.BytesIO(shot)).convert("RGB")
        raise TimeoutError("no episode lasted long enough to take a picture")
    finally:
        driver.quit()


def take_over(driver: Any) -> None:
    """Press the key that takes over until the page says that the human acts."""
    for _ in range(50):
        if driver.find_element("id", "who").text == "HUMAN":
            return
        send(driver, "Space", True)
        send(driver, "Space", False)
        time.sleep(0.3)


def send(driver: Any, code: str, down: bool) -> None:
    event = {"type": "keyDown" if down else "keyUp", "code": code, "key": code}
    driver.execute_cdp_cmd("Input.dispatchKeyEvent", event)


def inspection() -> Image.Image:
    """Return what the page of ``gym-hil inspect`` looks like."""
    with tempfile.TemporaryDirectory() as folder:
        root, shot = Path(folder) / "picks", Path(folder) / "page.png"
        Record(task="PandaPickCube-v1", root=root, episodes=5).run()
        Inspect(root=root, pictures=1).run()
        flags = [f"--{flag}" for flag in FLAGS]
        size = ["--window-size=864,1290", f"--screenshot={shot}"]
        command = [str(shutil.which("chromium")), *flags, *size, (root / "inspect.html").as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        return Image.open(shot).convert("RGB")


def window() -> Image.Image:
    """Return what the window looks like, on a virtual screen."""
    display = f":{100 + os.getpid() % 100}"
    screen = subprocess.Popen(["Xvfb", display, "-screen", "0", "1200x800x24"], stderr=subprocess.DEVNULL)
    environment = {**os.environ, "DISPLAY": display}
    program = subprocess.Popen([sys.executable, "-c", WINDOW], env=environment, stdout=subprocess.PIPE)
    try:
        assert program.stdout is not None
        program.stdout.readline()
        grab = [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-f",
            "x11grab",
            "-draw_mouse",
            "0",
            "-video_size",
            "1200x800",
            "-i",
        ]
        shot = [*grab, display, "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-"]
        taken = subprocess.run(shot, capture_output=True, check=True).stdout
        screenshot = Image.open(io.BytesIO(taken)).convert("RGB")
        return screenshot.crop(screenshot.getbbox())
    finally:
        program.kill()
        screen.terminate()


def main() -> None:
    run = Run()
    try:
        page(run.page.url, 1280, 760, touch=False).save(FOLDER / "page.jpg", quality=85)
        page(run.page.url, 420, 800, touch=True).save(FOLDER / "phone.jpg", quality=85)
    finally:
        run.close()
    inspection().save(FOLDER / "inspect.jpg", quality=85)
    window().save(FOLDER / "window.jpg", quality=85)


if __name__ == "__main__":
    main()
