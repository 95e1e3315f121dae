"""Fixtures that run LeRobot's programs without a display, a network and logs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from commands import ForkServer

PRELOADED = (
    "lerobot.rl.gym_manipulator", "lerobot.scripts.lerobot_eval", "lerobot.scripts.lerobot_record",
    "lerobot.scripts.lerobot_replay", "lerobot.scripts.lerobot_rollout", "lerobot.scripts.lerobot_teleoperate",
    "lerobot.scripts.lerobot_train",
)  # fmt: skip
"""Programs whose imports take 10 to 20 s."""
SEVERAL = """
import importlib, sys
{before}
for arguments in {programs!r}:
    sys.argv = arguments
    importlib.import_module(arguments[0]).main()
"""


class Programs:
    """Starts programs of LeRobot."""

    def __init__(self) -> None:
        quiet = {"OMP_NUM_THREADS": "1", "TORCHDYNAMO_DISABLE": "1", "HF_HUB_OFFLINE": "1"}
        without = ("DISPLAY", "WAYLAND_DISPLAY")
        self.environment = {**{k: v for k, v in os.environ.items() if k not in without}, **quiet}
        self._server = ForkServer(PRELOADED, self.environment)

    def start(self, module: str, *arguments: object, log, stdin=subprocess.DEVNULL) -> subprocess.Popen:
        """Start a program. Its output goes to the file `log`, and its episodes to one beside it."""
        command = [sys.executable, "-m", module, *map(str, arguments)]
        environment = {**self.environment, "GYM_HIL_EPISODES_FILE": str(log.with_suffix(".episodes.jsonl"))}
        return subprocess.Popen(
            command, env=environment, stdin=stdin, stdout=log.open("w"), stderr=subprocess.STDOUT
        )

    def start_several(self, *programs: tuple[object, ...], log: Path) -> subprocess.Popen:
        """Start programs one after the other in one process, whose input is a pipe and whose output goes to `log`."""
        code = SEVERAL.format(before="", programs=[list(map(str, program)) for program in programs])
        return subprocess.Popen(
            [sys.executable, "-u", "-c", code], env=self.environment, stdin=subprocess.PIPE,
            stdout=log.open("w", encoding="utf-8"), stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def run(self, *programs: tuple[object, ...], before: str = "", episodes: Path | None = None) -> str:
        """Run programs one after the other in one process, a fork of one that has imported LeRobot.

        Args:
            programs: a module and its arguments each.
            before: Python code that comes first.
            episodes: file to which finished episodes are written.

        Returns:
            What they printed.
        """
        done = self.run_until_it_ends(*programs, before=before, episodes=episodes)
        said = done.stdout + done.stderr
        assert done.returncode == 0, said[-4000:]
        return said

    def run_until_it_ends(
        self, *programs: tuple[object, ...], before: str = "", episodes: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run programs like `run`, and return their exit status as well, which may be any."""
        environment = dict(self.environment)
        if episodes is not None:
            environment["GYM_HIL_EPISODES_FILE"] = str(episodes)
        code = SEVERAL.format(before=before, programs=[list(map(str, program)) for program in programs])
        return self._server.run(code, (), Path.cwd(), environment)


@pytest.fixture(scope="session")
def lerobot() -> Programs:
    return Programs()


@pytest.fixture
def virtual_arm(tmp_path):
    """Start `gym-hil virtual-arm` in a process of its own."""
    from virtual_arms import VirtualArm

    made = []

    def start(*arguments: str) -> VirtualArm:
        made.append(VirtualArm(tmp_path, *arguments))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture
def station():
    """Make virtual arms in this process, and programs at their ports."""
    from virtual_arms import stations

    with stations() as make:
        yield make
