"""A script that stands in for a person at the web page in Chromium: it presses keys.

It reads the poses that the page receives in order to draw them, and does not look at the picture.
"""

from __future__ import annotations

import shutil
import time

import numpy as np
from selenium import webdriver

LISTEN = """
window.shown = {};
const Native = WebSocket;
window.WebSocket = class extends Native {
  constructor(...address) {
    super(...address);
    this.addEventListener("message", ({ data }) => {
      if (data instanceof ArrayBuffer) shown.poses = Array.from(new Float32Array(data).slice(-7 * shown.scene.bodies));
      else {
        const { scene } = JSON.parse(data);
        if (scene) shown.scene = { ...scene, geoms: scene.geoms.map(({ triangles, ...geom }) => geom) };
      }
    });
  }
};
"""
SPEEDS = {"coarse": 0.25, "medium": 0.05, "fine": 0.005}
"""Speed while a key is held (m/s)."""
KEYS = (("ArrowUp", "ArrowDown"), ("ArrowLeft", "ArrowRight"), ("ShiftRight", "ShiftLeft"))
"""Keys for motion along and against each axis."""


class PagePerson:
    """Script that reads the page in Chromium and presses keys. It gets no other information about the environment.

    Args:
        url: address of the page.
    """

    def __init__(self, url: str) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        for flag in ("headless=new", "no-sandbox", "use-angle=swiftshader", "enable-unsafe-swiftshader"):
            options.add_argument(f"--{flag}")
        options.add_argument("--window-size=700,500")
        service = webdriver.ChromeService(shutil.which("chromedriver") or "")
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LISTEN})
        self.driver.get(url)
        while self.js("return document.body.dataset.role") != "control" or not self.js("return shown.poses"):
            time.sleep(0.1)
        self.geoms = self.js("return shown.scene.geoms")
        self.fingers = sorted({geom["body"] for geom in self.geoms})[-2:]
        self._pad = [geom["pos"][2] for geom in self.geoms if geom["body"] == self.fingers[0]][-1]

    def js(self, script: str):
        """Return the result of a script in the page."""
        return self.driver.execute_script(script)

    def body(self, colour: tuple[float, float, float]) -> int:
        """Return the number of the body with a colour."""
        return next(g["body"] for g in self.geoms if np.allclose(g["rgba"][:3], colour, atol=0.01))

    def look(self) -> tuple[str, str, np.ndarray]:
        """Return who acts, the speed, and the pose of every body as the page shows them."""
        who, speed, poses = self.js(
            "return [document.body.dataset.who, document.getElementById('speed').textContent, shown.poses]"
        )
        return who, speed, np.reshape(poses, (-1, 7))

    def hand(self, poses: np.ndarray) -> np.ndarray:
        """Return the point between the fingers (3, m)."""
        return poses[self.fingers, :3].mean(axis=0) - [0.0, 0.0, self._pad]

    def key(self, code: str, down: bool) -> None:
        """Press or release a key."""
        event = {"type": "keyDown" if down else "keyUp", "code": code, "key": code}
        self.driver.execute_cdp_cmd("Input.dispatchKeyEvent", event)

    def hold(self, seconds: dict[str, float]) -> None:
        """Hold each key for its duration. All presses start now."""
        begin = time.monotonic()
        for code in seconds:
            self.key(code, True)
        for code, length in sorted(seconds.items(), key=lambda item: item[1]):
            time.sleep(max(0.0, begin + length - time.monotonic()))
            self.key(code, False)

    def tap(self, code: str, seconds: float = 0.05) -> None:
        """Press a key for a short time."""
        self.hold({code: seconds})

    def choose(self, speed: str) -> None:
        """Press the key that changes the speed until the page shows `speed`."""
        for _ in range(20):
            if speed in self.look()[1]:
                return
            self.tap("KeyF")
            time.sleep(0.3)
        raise AssertionError(f"the page never showed {speed}")

    def take_over(self) -> None:
        """Press the key for taking over until the page shows that a human acts."""
        for _ in range(20):
            if self.look()[0] == "HUMAN":
                return
            self.tap("Space")
            time.sleep(0.4)
        raise AssertionError("nobody let this person take over")

    def close(self) -> None:
        """Close the browser."""
        self.driver.quit()
