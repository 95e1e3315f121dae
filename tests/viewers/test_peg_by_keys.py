"""Keys alone suffice to place a peg with 1 mm of clearance.

A script takes the person's place and presses keys in Chromium. It reads the words of the page and the poses that the
page receives in order to draw them, and nothing else. It does not look at the picture.
"""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("selenium.webdriver")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("chromium"),
    pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed"),
]
EPISODES, ENOUGH = 10, 8
"""Largest number of episodes, and number of successes after which no further one is needed."""
STEPS = 900
"""Steps per episode: six time limits, as `gym-hil train` gives a person who demonstrates."""
PROGRAM = f"""
import gymnasium as gym, numpy as np, gym_hil
env = gym.make("gym_hil/PandaInsertPegBrowser-v1", max_episode_steps={STEPS})
for seed in range({EPISODES}):
    env.reset(seed=seed)
    done = False
    while not done:
        *_, terminated, truncated, info = env.step(np.array([0, 0, 0, 1], np.float32))
        done = terminated or truncated
    print(info["step"].reason, info["step"].success, info["step"].step, flush=True)
"""
PEG, SOCKET = (0.93, 0.60, 0.13), (0.25, 0.35, 0.50)
"""Their colours on the page."""
PAGE = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "page_person.py"))
KEYS, SPEEDS = PAGE["KEYS"], PAGE["SPEEDS"]


class Person(PAGE["PagePerson"]):
    """A person who recognises the peg and the socket by their colours."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.peg, self.socket = (self.body(colour) for colour in (PEG, SOCKET))
        sizes = [geom["size"] for geom in self.geoms if geom["body"] == self.peg]
        self.half_length = max(max(size) for size in sizes)
        tops = [geom["pos"][2] + geom["size"][2] for geom in self.geoms if geom["body"] == self.socket]
        self.socket_height = max(tops)

    def move(self, offset: np.ndarray) -> None:
        """Move the hand by `offset` (3, m), or by most of it, and wait until it is at rest."""
        furthest = float(np.abs(offset).max())
        speed = "coarse" if furthest > 0.06 else "medium" if furthest > 0.004 else "fine"
        self.choose(speed)
        lengths = {}
        for axis, (forth, back) in enumerate(KEYS):
            length = min(1.5, abs(float(offset[axis])) / SPEEDS[speed])
            if length > 0.02:
                lengths[forth if offset[axis] > 0 else back] = length
        if lengths:
            self.hold(lengths)
        time.sleep(0.35)


def middle_of(poses: np.ndarray, body: int, offset: float) -> np.ndarray:
    """Return the point `offset` (m) along a body's own upward axis (3, m)."""
    w, x, y, z = poses[body, 3:]
    up = np.array([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)])
    return poses[body, :3] + offset * up


def insert(person: Person, still_running) -> None:
    """Fetch the peg and place it. Each look at the page determines the next key presses."""
    held = False
    while still_running():
        person.take_over()
        poses = person.look()[2]
        hand = person.hand(poses)
        grasp = middle_of(poses, person.peg, 0.02)
        tip = middle_of(poses, person.peg, -person.half_length)
        hole = poses[person.socket, :3] + [0.0, 0.0, person.socket_height]
        held = held and float(np.linalg.norm(grasp - hand)) < 0.025
        if not held:
            offset = grasp - hand
            if np.hypot(*offset[:2]) > 0.004:  # first over the peg, high enough not to push it over
                offset[2] = max(0.0, 0.14 - hand[2]) if np.hypot(*offset[:2]) > 0.02 else 0.0
                person.move(offset)
            elif abs(offset[2]) > 0.006:
                person.move(np.array([0.0, 0.0, offset[2]]))
            else:
                person.hold({"KeyC": 0.3})
                time.sleep(0.5)
                held = True
            continue
        offset = hole - tip
        horizontal_distance = float(np.hypot(*offset[:2]))
        if horizontal_distance > 0.02 and tip[2] < hole[2] + 0.02:
            person.move(np.array([0.0, 0.0, 0.05]))
        elif horizontal_distance > 0.0004 and tip[2] > hole[2] - 0.003:
            person.move(
                np.array(
                    [offset[0], offset[1], hole[2] + 0.004 - tip[2] if horizontal_distance < 0.02 else 0.0]
                )
            )
        else:
            person.move(np.array([0.0, 0.0, -0.012]))


def test_keys_alone_insert_the_peg():
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True)
    results: list[str] = []
    person = None
    try:
        person = Person(program.stdout.readline().strip())
        reader = threading.Thread(target=lambda: results.extend(program.stdout), daemon=True)
        reader.start()
        for episode in range(EPISODES):
            if sum("True" in line for line in results) >= ENOUGH:
                break
            insert(person, lambda count=episode: len(results) <= count and program.poll() is None)
            time.sleep(0.5)
    finally:
        if person is not None:
            person.close()
        program.kill()
        program.wait()
    placed = sum("True" in line for line in results)
    assert placed >= ENOUGH, results
