"""Policies of tasks whose actions turn the hand: rotations are executed, and the orientation is observed."""

from __future__ import annotations

import numpy as np
import pytest

from gym_hil.intervention.named import make_operator
from gym_hil.learning.policy_env import make_policy_env
from gym_hil.tasks.grasping import hand_yaw


@pytest.mark.parametrize(("task", "turns"), [("TurnKey", 1), ("FlipObject", 3), ("PickCube", 0)])
def test_a_policy_has_the_rotations_of_the_task(task, turns):
    env = make_policy_env(f"gym_hil/Panda{task}StateBase-v1", None)
    rotations = (f"ee_delta_rot[{turns}]",) if turns else ()
    assert env.interface.action == ("ee_delta_pos[3]", *rotations, "gripper[1]")
    assert env.action_space.shape == (4 + turns,)
    assert ("joint_pos[7]" in env.interface.observation) is bool(turns)
    env.close()


def test_a_policy_rotates_the_hand_and_observes_the_rotation():
    env = make_policy_env("gym_hil/PandaTurnKeyStateBase-v1", None)
    before, _ = env.reset(seed=0)
    for _ in range(5):
        after, *_ = env.step(np.array([0.0, 0.0, 0.0, 1.0, 1.0], np.float32))
    assert hand_yaw(env.unwrapped.simulation) == pytest.approx(0.5, abs=0.05)
    changed = np.abs(after - before)
    assert changed[-7:].max() > 0.4, "the last joint turned"
    env.close()


def test_rotations_of_a_human_are_stored_as_policy_actions():
    env = make_policy_env("gym_hil/PandaTurnKeyStateBase-v1", make_operator("simulated", preset="scripted"))
    env.reset(seed=1000)
    turned = 0.0
    for _ in range(20):
        *_, info = env.step(env.idle_action)
        executed = info["step"].executed_action
        assert executed.shape == (5,) and abs(executed[-1]) == 1.0
        turned = max(turned, abs(float(executed[3])))
    assert turned > 0.1
    env.close()


@pytest.mark.parametrize("state", ["", "State"])
def test_a_policy_of_a_contact_task_observes_contact_forces(state):
    env = make_policy_env(
        f"gym_hil/PandaInsertUSB{state}Base-v1", make_operator("simulated", preset="scripted")
    )
    seen, _ = env.reset(seed=3)
    assert env.interface.observation[-1] == "tcp_wrench[6]" and not seen[-6:].any()
    felt = [env.step(env.idle_action)[0][-6:] for _ in range(25)]
    assert np.any(felt) and np.all(np.abs(felt) <= 1.0)
    env.close()
