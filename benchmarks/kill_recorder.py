"""Kill the recorder many times at random instants, and count the episodes that are lost.

    python benchmarks/kill_recorder.py --times 100
    python benchmarks/kill_recorder.py --times 100 --format lerobot --longest 10

Each round records with ``--resume`` in its own process and kills it (SIGKILL) after a random time. An episode counts as
finished as soon as the recorder has printed its number. Afterwards every finished episode must still exist, unchanged.
At the end the recorder runs once without being killed, and all episodes are read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from gym_hil.cli.record import Record
from gym_hil.datasets.dataset import journal_folder
from gym_hil.datasets.journal import EpisodeStore


def record(root: Path, format: str, episodes: int, log: Path | None) -> int:
    if log is not None:
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), sys.stdout.fileno())
    repo_id = None if format == "episodes" else "me/picks-v0"
    return Record(
        task="PandaPickCube-v1",
        root=root,
        format=format,
        repo_id=repo_id,
        policy="noisy-expert",
        episodes=episodes,
        resume=True,
    ).run()


def contents(root: Path) -> dict[int, str]:
    """Return the checksum of every episode, after reading it with all checks."""
    try:
        store = EpisodeStore(journal_folder(root))
    except Exception:
        return {}
    checksums = {}
    for number in store.numbers():
        episode = store.read(number)
        packed = b"".join(episode.frames[name].tobytes() for name in sorted(episode.frames))
        checksums[number] = hashlib.sha256(packed).hexdigest()
    return checksums


def lerobot_agrees(root: Path) -> bool:
    """Return whether the LeRobotDataset holds every step of the journal."""
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    store = EpisodeStore(journal_folder(root))
    steps = np.concatenate([store.read(number).frames["action"] for number in store.numbers()])
    dataset = LeRobotDataset("me/picks-v0", root=root, video_backend="pyav")
    return bool(np.array_equal(np.stack(dataset.hf_dataset.with_format("numpy")[:]["action"]), steps))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--times", type=int, default=100, help="number of times that the recorder is killed")
    parser.add_argument("--format", choices=("episodes", "lerobot", "minari"), default="episodes")
    parser.add_argument(
        "--longest", type=float, default=3.0, help="longest time after which a recorder is killed (s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the random times")
    parser.add_argument("--json", type=Path, help="write the result to this file as well")
    arguments = parser.parse_args()
    if arguments.format == "lerobot":
        import lerobot.datasets.lerobot_dataset  # noqa: F401  once, before the forks
    rng = random.Random(arguments.seed)
    root = Path(tempfile.mkdtemp()) / "killed"
    log = root.with_name("log.txt")
    fork = multiprocessing.get_context("fork")
    known: dict[int, str] = {}
    lost = changed = named = kills = 0
    while kills < arguments.times:
        log.write_text("")
        child = fork.Process(target=record, args=(root, arguments.format, 1_000_000, log))
        child.start()
        time.sleep(rng.uniform(0.0, arguments.longest))
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        assert child.exitcode == -signal.SIGKILL, f"the recorder ended by itself: {log.read_text()}"
        kills += 1
        finished = {int(number) for number in re.findall(r"^episode (\d+):", log.read_text(), re.MULTILINE)}
        stored = contents(root)
        named += len(finished)
        lost += len((finished | set(known)) - set(stored))
        changed += sum(stored.get(number) != checksum for number, checksum in known.items())
        known = stored
        print(f"kill {kills}: {len(stored)} episodes, {lost} lost", flush=True)
    last = max(known, default=-1) + 2
    assert record(root, arguments.format, last, None) == 0
    complete = arguments.format != "lerobot" or lerobot_agrees(root)
    journal = root if arguments.format == "episodes" else root / "gym_hil"
    set_aside = sum(1 for path in (journal / "set-aside").rglob("*") if path.is_file())
    result = {
        "format": arguments.format, "kills": kills, "episodes": len(contents(root)), "named": named,
        "lost": lost, "changed": changed, "files_set_aside": set_aside, "read_back": complete,
    }  # fmt: skip
    print(json.dumps(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")
    shutil.rmtree(root.parent)
    return 0 if complete and not lost and not changed else 1


if __name__ == "__main__":
    sys.exit(main())
