"""What the committed runs on the virtual arm show: they kept their rate, their episodes and their limits.

`benchmarks/real_arm_training.py` makes the file. The true motion is that of the simulated arm, not of its measurements.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gym_hil.cli.real_arm import RealArmOptions
from gym_hil.integrations.lerobot.virtual_arm.faults import KINDS, parse_fault

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
OUTSIDE_MM = 10.0
"""Largest distance of the true TCP from the box that counts as inside while all joints have torque (mm). The program
limits the commanded position; the servos yield under the weight of the arm, and overshoot."""
SPEED_RATIO = 1.25
"""Largest true speed of a joint in multiples of the limit, while no servo is blocked, and in 99 % of the time of a run
without a fault. The servos limit the speed of their set-points; a joint is faster for a moment when the gripper comes
free after it was pressed against the table or the cube."""
JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
FOUND = json.loads((BENCHMARKS / "real_arm.json").read_text(encoding="utf-8"))
RUNS = {"no fault": FOUND["training"], **{" ".join(run["fault"]): run for run in FOUND["faults"]}}


def test_every_kind_of_fault_occurs_during_training():
    faults = [parse_fault(text, ("follower",), JOINTS) for run in FOUND["faults"] for text in run["fault"]]
    assert {fault.kind for fault in faults} == set(KINDS)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_no_finished_episode_is_lost(run):
    finished = sum(part["finished_episodes"] for part in run["parts"])
    assert 0 < finished == run["finished_episodes"] == run["stored_episodes"] == run["episodes"]


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_the_true_motion_stays_within_the_limits(run):
    for part in run["parts"]:
        motion = part["motion"]["episodes"]
        assert motion["seconds"] > 0.0
        for kind in ("episodes", "to_start", "waiting"):
            assert part["motion"][kind]["outside_mm"] <= OUTSIDE_MM
        assert part["motion"]["free"]["seconds"] > 0.0
        assert part["motion"]["free"]["joint_speed"] <= SPEED_RATIO * run["limits"]["joint_speed"]


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_a_run_names_its_commit_its_configuration_and_the_default_limits(run):
    assert re.fullmatch("[0-9a-f]{40}", run["commit"]), "made by a state that the repository has"
    assert run["config"]["method"] == "hil" and run["config"]["version"] >= 7
    assert run["limits"]["current"] == RealArmOptions.max_current
    assert run["limits"]["joint_speed"] == RealArmOptions.joint_speed


def test_training_without_a_fault_keeps_its_rate_and_its_speed_and_succeeds():
    run = FOUND["training"]
    assert run["config"]["control_dt"] == 0.1 and run["timed_steps"] >= 6_000
    assert run["late_steps"] <= 0.01 * run["timed_steps"]
    for part in run["parts"]:
        for kind, limit in (("episodes", "joint_speed"), ("to_start", "homing_speed")):
            assert part["motion"][kind]["joint_speed_p99"] <= SPEED_RATIO * run["limits"][limit]
    evaluation = run["evaluation"]
    assert evaluation["episodes"] == 100 and evaluation["successes"] >= 90


@pytest.mark.parametrize("name", ["arm", "arm_play"])
def test_the_policy_of_the_training_run_was_run_on_the_arm_again(name):
    run = json.loads((BENCHMARKS / "arm_rollouts.json").read_text(encoding="utf-8"))[name]
    assert run["config"] == FOUND["training"]["config"]
    assert re.fullmatch("[0-9a-f]{40}", run["commit"])
    assert len(run["rollouts"]) == 20
    assert run["successes"] == sum(rollout["success"] for rollout in run["rollouts"]) >= 18


def test_the_earlier_version_is_described_as_measured():
    before = FOUND["before"]
    (part,) = before["parts"]
    failed, checks = sum(part["failed_steps"].values()), sum(part["checks"].values())
    episodes = before["episodes"] + before["evaluation"]["episodes"]
    text = " ".join((BENCHMARKS.parent / "docs" / "real-robot.md").read_text(encoding="utf-8").split())
    assert (
        checks == 1
        and f"a run of {before['timed_steps']} steps of that version had {failed} truncated" in text
    )
    assert f"episodes of {episodes} and one interrupted motion" in text
    assert f"up to {part['motion']['to_start']['joint_speed']:.1f} rad/s instead of 0.5" in text
