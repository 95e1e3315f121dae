"""Measure how simulated humans help a policy with PickCube: ``python benchmarks/helping.py``.

The program runs ``gym-hil play`` for each human, and writes `benchmarks/helping.json`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from gym_hil import __version__

HUMANS = [
    ("none", ""),
    *[("simulated", preset) for preset in ("average", "novice", "experienced", "inattentive")],
    *[("simulated-keyboard", preset) for preset in ("average", "novice", "experienced")],
    ("simulated", "scripted"),
]
"""Operators and presets."""
EPISODES, SEED = 100, 1000
"""Number of episodes, and seed of the first one."""
COSTS = {
    "takeovers": "interventions",
    "switches": "switches",
    "acting_s": "intervened_s",
    "watching_s": "watched_s",
}
"""Keys of the result, with the names of these costs in the output of ``gym-hil play``."""


def measure(operator: str, preset: str) -> dict[str, object]:
    """Return the successes with one human, and its cost as means per episode.

    Args:
        operator: name of the operator.
        preset: its preset; empty for none.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.json"
        options = f"--operator {operator} --policy noisy-expert --episodes {EPISODES} --seed {SEED}"
        command = [sys.executable, "-m", "gym_hil", "play", "PandaPickCube-v1", *options.split()]
        command += ["--no-window", "--json", str(path), *(["--preset", preset] if preset else [])]
        subprocess.run(command, stdout=subprocess.DEVNULL)  # the exit status is 1 if an episode failed
        episodes = json.loads(path.read_text(encoding="utf-8"))["episodes"]
    costs = {
        key: round(sum(episode["human"][name] for episode in episodes) / EPISODES, 3) if preset else 0.0
        for key, name in COSTS.items()
    }
    successes = sum(episode["success"] for episode in episodes)
    return {"operator": operator, "preset": preset, "successes": successes, **costs}


def main() -> None:
    """Measure all humans and write the result."""
    rows = [measure(*human) for human in HUMANS]
    result = {"version": __version__, "episodes": EPISODES, "seed": SEED, "rows": rows}
    path = Path(__file__).parent / "helping.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
