"""Record sessions through the web page, and fit simulated humans to them.

Run: python benchmarks/page_sessions.py [--episodes 16] [--candidates 40] [--json benchmarks/page_sessions.json]
[--root FOLDER]. Nobody sits at the page: two scripts with different habits stand in for people. They look at the poses
that the page draws and press keys in Chromium, in real time. They share no code with the simulated humans. The result
file has the fitted limits and the Kolmogorov-Smirnov distances of `gym-hil humans fit`. With --root, recordings and
fits are kept, and those that are there are used again. --episodes 0 prints the table of the file.
"""

from __future__ import annotations

import json as json_module
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import tyro

from gym_hil import __version__
from gym_hil.core.files import write_atomically
from page_person import KEYS, SPEEDS, PagePerson

TASK, CUBE = "PandaPickCube-v1", (0.85, 0.18, 0.15)
"""The task, and the colour of its cube."""
OVER, OPEN, NEAR = 0.07, 0.07, 0.01
"""Height above the cube at which the hand is aligned, distance between the fingers above which they count as open, and
tolerated error (m)."""


@dataclass(frozen=True)
class Habits:
    """Parameters of a script that presses keys. Durations have a log-normal distribution.

    Attributes:
        glance_s: median time of looking between two presses (s).
        spread: standard deviation of the logarithm of every time.
        shortest_s: median of the shortest press (s).
        slip: probability of a press of another key.
        axes: number of directions that are pressed at the same time.
        coarse_m: error above which the fast speed is used (m).
    """

    glance_s: float
    spread: float
    shortest_s: float
    slip: float
    axes: int
    coarse_m: float


SCRIPTS = {
    "practised": Habits(glance_s=0.2, spread=0.15, shortest_s=0.08, slip=0.01, axes=3, coarse_m=0.03),
    "hesitant": Habits(glance_s=0.5, spread=0.35, shortest_s=0.14, slip=0.05, axes=1, coarse_m=0.06),
}


class Typist(PagePerson):
    """Script that picks up the cube with keys.

    Args:
        url: address of the page.
        habits: its parameters.
        seed: seed of its random numbers.
    """

    def __init__(self, url: str, habits: Habits, seed: int) -> None:
        super().__init__(url)
        self.habits, self.rng = habits, np.random.default_rng(seed)
        self.cube = self.body(CUBE)

    def varied(self, seconds: float) -> float:
        """Return a random duration with the median `seconds`."""
        return seconds * float(np.exp(self.habits.spread * self.rng.normal()))

    def act(self) -> None:
        """Read the page, wait, and press the key for the next part of the task."""
        who, _, poses = self.look()
        time.sleep(self.varied(self.habits.glance_s))
        if who != "HUMAN":
            self.tap("Space", self.varied(self.habits.shortest_s))
            return
        offset = poses[self.cube, :3] - self.hand(poses)
        is_open = float(np.linalg.norm(np.subtract(*poses[self.fingers, :3]))) > OPEN
        horizontal_distance = float(np.hypot(offset[0], offset[1]))
        if not is_open and float(np.linalg.norm(offset)) < 0.03:
            self.move(np.array([0.0, 0.0, 0.15]))
        elif not is_open:
            self.tap("KeyO", self.varied(self.habits.shortest_s))
        elif horizontal_distance > NEAR:
            self.move(np.array([offset[0], offset[1], max(0.0, offset[2] + OVER)]))
        elif abs(offset[2]) > NEAR:
            self.move(np.array([0.0, 0.0, offset[2]]))
        else:
            self.tap("KeyC", self.varied(self.habits.shortest_s))
            time.sleep(self.varied(self.habits.glance_s))

    def move(self, offset: np.ndarray) -> None:
        """Hold the keys for the motion `offset` (m), or for its largest components, about as long as needed."""
        habits, furthest = self.habits, float(np.abs(offset).max())
        speed = "coarse" if furthest > habits.coarse_m else "medium"
        self.choose(speed)
        durations = {}
        for axis in np.argsort(-np.abs(offset))[: habits.axes]:
            if abs(offset[axis]) > 0.5 * NEAR:
                seconds = min(2.0, abs(float(offset[axis])) / SPEEDS[speed])
                code = KEYS[axis][0 if offset[axis] > 0 else 1]
                if self.rng.random() < habits.slip:
                    code, seconds = KEYS[self.rng.integers(3)][self.rng.integers(2)], 0.0
                durations[code] = max(self.varied(habits.shortest_s), self.varied(seconds))
        self.hold(durations)


def record(habits: Habits, root: Path, episodes: int, seed: int) -> None:
    """Record episodes of a script into the folder `root`."""
    command = [sys.executable, "-m", "gym_hil", "record", TASK, "--operator", "browser", "--no-ask"]
    options = ["--episodes", str(episodes), "--seed", str(seed), "--root", str(root)]
    program = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    typist = None
    try:
        address = next(
            match[0] for line in program.stdout if (match := re.search(r"http://\S+", line)) is not None
        )
        reader = threading.Thread(target=lambda: print(*program.stdout, sep="", end=""), daemon=True)
        reader.start()
        typist = Typist(address, habits, seed)
        while program.poll() is None:
            typist.act()
    finally:
        if typist is not None:
            typist.close()
        program.kill()
        program.wait()


def table(result: dict) -> list[str]:
    """Return the lines of a table in Markdown: for every script, distances in the episodes of the fit and in others."""
    scripts = result["scripts"]
    head = " | ".join(f"{name}, fitted to | {name}, held out" for name in scripts)
    lines = [f"| measure | {head} |", "|---|" + "---|---|" * len(scripts)]
    for measure in next(iter(scripts.values()))["fit"]["held_out"]:
        pairs = (
            f"{script['fit']['trained'][measure]:.2f} | {script['fit']['held_out'][measure]:.2f}"
            for script in scripts.values()
        )
        lines.append(f"| {measure} | {' | '.join(pairs)} |")
    return lines


def main(
    episodes: int = 16,
    candidates: int = 40,
    seed: int = 1000,
    json: Path | None = None,
    root: Path | None = None,
) -> None:
    """Record and fit each script, and print the table.

    Args:
        episodes: number of episodes of each script.
        candidates: number of sets of limits to try.
        seed: seed of the first episode.
        json: write habits, fitted limits and distances to this file.
        root: keep the recordings in this folder; finished ones are used again.
    """
    if not episodes and json is not None:
        print("\n".join(table(json_module.loads(json.read_text(encoding="utf-8")))))
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) if root is None else root
        result: dict[str, object] = {"version": __version__, "seed": seed, "scripts": {}}
        for name, habits in SCRIPTS.items():
            if not (root / name).is_dir():
                record(habits, root / name, episodes, seed)
            fitted = root / f"{name}.json"
            if not fitted.is_file():
                command = [sys.executable, "-m", "gym_hil", "humans", "fit", str(root / name)]
                subprocess.run([*command, "--candidates", str(candidates), "--json", str(fitted)], check=True)
            result["scripts"][name] = {
                "habits": asdict(habits),
                "fit": json_module.loads(fitted.read_text(encoding="utf-8")),
            }
            if json is not None:
                write_atomically(json, json_module.dumps(result, indent=2) + "\n")
        print("\n".join(table(result)))


if __name__ == "__main__":
    tyro.cli(main)
