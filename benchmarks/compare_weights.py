"""Train the same short run with two versions of the package, and compare the weights bit for bit.

    python benchmarks/compare_weights.py bbc9e12 HEAD

Each version is checked out into a temporary folder and trains through its own command line, so that nothing
but the options of `gym-hil train` has to be the same in both.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RUN = ("--demos", "5", "--episodes", "2", "--seed", "3")
IGNORED = ("facts",)


def trained_weights(revision: str, folder: Path, task: str, minutes: float) -> dict[str, NDArray[np.float32]]:
    """Return the weights that a revision of this repository learns."""
    tree, out = folder / revision, folder / f"{revision}-run"
    tree.mkdir()
    archive = subprocess.run(["git", "archive", revision], check=True, capture_output=True)
    subprocess.run(["tar", "-x", "-C", str(tree)], input=archive.stdout, check=True)
    env = {**os.environ, "PYTHONPATH": str(tree / "src"), "OMP_NUM_THREADS": "1"}
    command = ["train", task, "--robot-minutes", str(minutes), *RUN, "--out", str(out)]
    code = "from gym_hil.cli import main; main()"
    subprocess.run([sys.executable, "-c", code, *command], env=env, check=True, stdout=subprocess.DEVNULL)
    with np.load(out / "policy.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files if name not in IGNORED}


def main() -> int:
    """Train twice and compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--task", default="PandaPickCube-v1")
    parser.add_argument("--minutes", type=float, default=1.5, help="robot minutes of each run")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        old, new = (
            trained_weights(revision, Path(name), args.task, args.minutes)
            for revision in (args.old, args.new)
        )
    differing = [key for key in sorted({*old, *new}) if not np.array_equal(old.get(key), new.get(key))]
    if differing:
        print(f"{args.task}: different weights: {', '.join(differing)}")
        return 1
    print(f"{args.task}: {len(old)} arrays are the same, bit for bit")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
