"""A program that drives the virtual arm and is killed."""

from __future__ import annotations

import importlib.util
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from arm_policies import upwards
from gym_hil.robots import ROBOTS
from virtual_arms import wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("virtual arm"),
    pytest.mark.skipif(
        importlib.util.find_spec("scservo_sdk") is None or importlib.util.find_spec("lerobot") is None,
        reason="needs lerobot[feetech]",
    ),
]
START = np.degrees(ROBOTS["so101"].home("above_table"))
AGREES = """
import os
ours, theirs = os.pipe()
os.write(theirs, b"\\n" * 9)
os.dup2(ours, 0)
with open({path!r}, "w") as file:
    file.write(str(os.getpid()))
"""
"""Code that presses Enter in advance, and writes the number of its process into a file."""


# LeRobot gives up on a servo that has not answered after 50 ms, which a machine with too much to do exceeds.
@pytest.mark.flaky(reruns=2)
def test_the_arm_holds_after_the_program_that_drives_it_was_killed(virtual_arm, lerobot, tmp_path):
    arm, policy, number = virtual_arm(), tmp_path / "policy.npz", tmp_path / "number"
    upwards(level=0.25).save(policy)  # 6 mm per control period, for about 30 periods
    command = (
        "gym_hil.cli", "play", "--robot", "lerobot:so101_follower", "--robot-port", arm.facts["ports"]["follower"],
        "--robot-calibration-dir", arm.facts["calibration_dir"], "--policy", policy, "--no-window", "--episodes", "1",
        "--max-current", "5",
    )  # fmt: skip

    def from_start() -> float:
        return float(np.abs(arm.joints()[:5] - START).max())

    wait_for(lambda: from_start() > 20.0, arm.log)  # without torque, the arm falls
    with ThreadPoolExecutor() as threads:
        program = threads.submit(lerobot.run_until_it_ends, command, before=AGREES.format(path=str(number)))

        def wait_until(condition) -> None:
            wait_for(lambda: program.done() or condition(), arm.log)
            assert not program.done(), program.result().stdout + program.result().stderr

        wait_until(lambda: number.exists() and from_start() < 3.0)
        wait_until(lambda: from_start() > 6.0)
        first = arm.joints()
        wait_until(lambda: np.abs(arm.joints() - first).max() > 2.0)
        os.kill(int(number.read_text()), signal.SIGKILL)
        assert program.result().returncode == -signal.SIGKILL
    at_death = arm.joints()
    time.sleep(0.5)
    stopped = arm.joints()
    assert np.abs(stopped - at_death).max() < 3.0, "it stops where the last goal is"
    time.sleep(2.0)
    assert np.abs(arm.joints() - stopped).max() < 0.3, "it neither falls nor continues"
