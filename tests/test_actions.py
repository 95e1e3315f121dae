"""Meaning of the numbers of an action, for every action term."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import gym_hil
from gym_hil.core.command import Command
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import GripperCommand
from gym_hil.envs.actions import ACTIONS
from gym_hil.robots.geometry import rotation_between

SIZES = {"twist": 7, "xyz": 4, "xyz+yaw": 5, "xyz+rotation": 7}


def make(action: str, robot: str = "panda", **kwargs) -> gym.Env:
    return gym_hil.make_env("gym_hil/PandaPickCubeBase-v1", action=action, robot=robot, **kwargs)


def yaw(env: gym.Env) -> float:
    x, y, _ = env.unwrapped.data.site("hand/tcp").xmat.reshape(3, 3)[:, 0]
    return float(np.arctan2(y, x))


@pytest.mark.parametrize("robot", ["panda", "so101"])
@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_term_holds_still_follows_a_person_and_lifts_the_cube(action, robot):
    env = make(action, robot)
    raw = env.unwrapped
    env.reset(seed=3)
    joints = len(raw.simulation.joint_pos)
    assert env.action_space.shape == (SIZES.get(action, joints + 1),)
    start = raw.tcp_pos_w
    for _ in range(3):
        env.step(raw.neutral_action())
    assert np.linalg.norm(raw.tcp_pos_w - start) < 1e-3
    for _ in range(2):
        env.step(raw.command_action(Command((0.0, 0.5, 0.0, 0.0, 0.0, 0.0), GripperCommand.CLOSE)))
    env.step(raw.neutral_action())
    assert raw.tcp_pos_w - start == pytest.approx([0.0, 0.025, 0.0], abs=4e-3)
    assert raw.gripper_closing
    for seed in (5, 6, 7):
        env.reset(seed=seed)
        for _ in range(100):
            *_, terminated, _, info = env.step(raw.expert_action())
            if terminated:
                break
        assert info["is_success"], seed
    env.close()


@pytest.mark.parametrize("action", ["xyz+yaw", "xyz+rotation", "twist", "joints"])
def test_a_person_turns_the_hand_about_the_vertical(action):
    env = make(action)
    env.reset(seed=0)
    before = yaw(env)
    for _ in range(3):
        env.step(env.unwrapped.command_action(Command((0, 0, 0, 0, 0, 1.0))))
    for _ in range(3):
        env.step(env.unwrapped.neutral_action())
    assert yaw(env) - before == pytest.approx(0.3, abs=0.02)


def test_without_a_gripper_the_fingers_keep_their_last_command():
    for action in ("xyz+yaw", "joints"):
        env = make(action, use_gripper=False)
        env.reset(seed=0)
        assert env.action_space.shape == ({"xyz+yaw": 4, "joints": 7}[action],)
        env.step(env.unwrapped.command_action(Command(gripper=GripperCommand.CLOSE)))
        assert not env.unwrapped.gripper_closing


def test_joint_positions_are_degrees_and_the_gripper_is_open_at_100():
    env = make("joints", "so101")
    env.reset(seed=0)
    sim = env.unwrapped.simulation
    goal = np.array([10.0, -40.0, 40.0, 70.0, 90.0, 100.0], np.float32)
    for _ in range(20):
        env.step(goal)
    assert np.degrees(sim.joint_pos) == pytest.approx(goal[:5], abs=0.5)
    assert sim.data.joint("hand/gripper").qpos[0] == pytest.approx(1.745, abs=0.02)
    goal[5] = 0.0
    for _ in range(20):
        env.step(goal)
    assert sim.data.joint("hand/gripper").qpos[0] == pytest.approx(-0.1745, abs=0.05)
    low, high = env.action_space.low, env.action_space.high
    assert (low[5], high[5]) == (0.0, 100.0) and high[0] == pytest.approx(110.0, abs=0.1)


@pytest.mark.parametrize("robot", ["panda", "so101"])
def test_a_simulated_human_helps_a_policy_that_holds_its_joints_still(robot):
    env = make("joints", robot, operator="simulated", preset="scripted")
    env.reset(seed=11)
    for _ in range(100):
        *_, terminated, _, info = env.step(env.unwrapped.neutral_action())
        if terminated:
            break
    assert info["is_success"]


@pytest.mark.parametrize(("action", "success"), [("xyz", False), ("xyz+yaw", True)])
def test_the_expert_turns_a_peg_to_the_socket_with_actions_that_can_turn(action, success):
    env = gym_hil.make_env("gym_hil/PandaInsertPegBase-v1", action=action)
    for angle in (-0.3, 0.2):
        env.reset(seed=1, options={"socket_yaw": angle})
        for _ in range(150):
            *_, terminated, _, info = env.step(env.unwrapped.expert_action())
            if terminated:
                break
        assert info["is_success"] == success, angle


def test_an_unknown_term_is_refused_by_name():
    with pytest.raises(InvalidArgumentError, match='did you mean "joints"'):
        make("joint")


def test_the_rotation_between_two_orientations():
    half = 0.4 / 2
    turned = np.array([np.cos(half), 0, 0, np.sin(half)])
    start = np.array([1.0, 0, 0, 0])
    assert rotation_between(start, turned) == pytest.approx([0, 0, 0.4])
    assert rotation_between(turned, start) == pytest.approx([0, 0, -0.4])
    assert rotation_between(start, -turned) == pytest.approx([0, 0, 0.4])
    assert rotation_between(turned, turned) == pytest.approx([0, 0, 0])


@pytest.mark.parametrize("robot", ["panda", "so101"])
def test_neutral_joint_targets_are_those_of_the_last_command_or_of_the_restored_state(robot):
    env = make("joints", robot)
    raw, rng, space = env.unwrapped, np.random.default_rng(0), env.action_space
    env.reset(seed=0)
    for _ in range(20):
        first, second = rng.uniform(space.low, space.high, (2, *space.shape)).astype(np.float32)
        env.step(first)
        np.testing.assert_array_equal(raw.neutral_action(), first)
        saved = raw.get_state()
        env.step(second)
        raw.set_state(saved)
        np.testing.assert_array_equal(raw.neutral_action(), first)
    raw.hand_over()
    measured = np.degrees(raw.simulation.joint_pos)
    assert raw.neutral_action()[: len(measured)] == pytest.approx(measured, abs=1e-3)
    env.close()
