"""Robots with two arms: their spaces, a person with a device in each hand, HandOver, recording and learning."""

from __future__ import annotations

import json

import gymnasium as gym
import numpy as np
import pytest

import gym_hil
from commands import run
from gym_hil.core import schema
from gym_hil.core.command import Command
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import GripperCommand
from gym_hil.datasets.journal import EpisodeStore
from gym_hil.devices.keyboard import Keyboard
from gym_hil.devices.keymap import SECOND_ARM
from gym_hil.devices.recorded import RecordedDevice
from gym_hil.devices.speed import Speed
from gym_hil.intervention import Engage, Human
from gym_hil.intervention.end_effector_operators import EndEffectorOperators
from gym_hil.intervention.named import make_demonstrator, make_operator
from gym_hil.stacks.ids import SUFFIXES
from gym_hil.wrappers.ee_action import EEActionWrapper

ROBOTS = ("BiPanda", "BiSO101")
UP = Command((0.0, 0.0, 1.0, 0.0, 0.0, 0.0))


def expert_succeeds(env: gym.Env, seed: int) -> bool:
    env.reset(seed=seed)
    while True:
        *_, terminated, truncated, info = env.step(env.unwrapped.expert_action())
        if terminated or truncated:
            return bool(info["is_success"])


@pytest.fixture
def env():
    env = gym_hil.make_env("gym_hil/BiPandaHandOver-v1")
    env.reset(seed=0)
    yield env
    env.close()


@pytest.mark.parametrize("robot", ROBOTS)
def test_ids_have_all_suffixes(robot):
    for suffix in SUFFIXES:
        for state in ("", "State"):
            assert f"gym_hil/{robot}HandOver{state}{suffix}-v1" in gym.registry


@pytest.mark.parametrize(
    ("env_id", "action", "names"),
    [
        ("PandaPickCube", 4, ["motion", "gripper"]),
        ("BiPandaHandOver", 8, ["left_motion", "left_gripper", "right_motion", "right_gripper"]),
        ("BiPandaHandOverBase", 14, ["left_motion", "left_gripper", "right_motion", "right_gripper"]),
    ],
)
def test_an_action_is_the_list_of_those_of_the_end_effectors(env_id, action, names):
    env = gym.make(f"gym_hil/{env_id}-v1")
    assert env.action_space.shape == (action,)
    assert list(env.unwrapped.action_term.layout) == names
    assert env.unwrapped.neutral_action().shape == (action,)
    env.close()


def test_each_arm_follows_its_own_command_and_the_other_one_holds_still(env):
    raw = env.unwrapped
    left, right = raw.simulation.end_effectors
    before = left.tcp_pos_w, right.tcp_pos_w
    closes = Command(gripper=GripperCommand.CLOSE)
    for _ in range(3):
        env.step(raw.command_action(UP, closes))
    env.step(raw.neutral_action())
    assert left.tcp_pos_w - before[0] == pytest.approx([0.0, 0.0, 0.075], abs=4e-3)
    assert right.tcp_pos_w == pytest.approx(before[1], abs=2e-3)
    assert right.gripper_closing and not left.gripper_closing
    env.step(raw.command_action(closes))
    assert left.gripper_closing


def test_joint_targets_are_in_the_order_of_lerobots_two_armed_robots():
    env = gym_hil.make_env("gym_hil/BiSO101HandOverBase-v1", action="joints")
    env.reset(seed=0)
    raw = env.unwrapped
    goal = raw.neutral_action()
    assert goal.shape == (12,), "five joints and a gripper, left and then right"
    goal[[4, 10]] += [20.0, -20.0]  # both wrists roll
    before = [np.degrees(arm.joint_pos) for arm in raw.simulation.end_effectors]
    for _ in range(15):
        env.step(goal)
    turned = [
        np.degrees(arm.joint_pos) - was for arm, was in zip(raw.simulation.end_effectors, before, strict=True)
    ]
    assert [turned[0][4], turned[1][4]] == pytest.approx([20.0, -20.0], abs=1.0)
    env.close()


def test_arms_touch_each_other(env):
    model = env.unwrapped.model
    bodies = [
        {model.body(int(model.geom_bodyid[geom])).name.split("_")[0] for geom in pair}
        for pair in zip(model.pair_geom1, model.pair_geom2, strict=True)
    ]
    assert {"left", "right"} in bodies


@pytest.mark.parametrize("robot", ROBOTS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_expert_hands_the_cube_over(robot, seed):
    env = gym_hil.make_env(f"gym_hil/{robot}HandOver-v1")
    assert expert_succeeds(env, seed)
    env.close()


@pytest.mark.nightly
@pytest.mark.parametrize("robot", ROBOTS)
def test_the_expert_hands_over_98_cubes_of_100(robot):
    env = gym_hil.make_env(f"gym_hil/{robot}HandOver-v1")
    assert sum(expert_succeeds(env, seed) for seed in range(1000, 1100)) >= 98
    env.close()


def test_the_script_hands_over_with_fixed_places_and_with_joint_targets():
    for robot in ROBOTS:
        env = gym_hil.make_env(f"gym_hil/{robot}HandOver-v0", operator="simulated", preset="scripted")
        env.reset(seed=0)
        terminated = False
        while not terminated:
            *_, terminated, truncated, info = env.step(env.unwrapped.neutral_action())
            assert not truncated
        assert info["is_success"]
        env.close()


def keyboards() -> tuple[Keyboard, Keyboard]:
    return Keyboard(), Keyboard(SECOND_ARM)


def test_one_person_drives_both_arms_with_two_devices(env):
    env.close()
    left, right = keyboards()
    person = EndEffectorOperators([Human(left, Engage.HOLD), Human(right, Engage.HOLD)])
    env = gym_hil.make_env("gym_hil/BiPandaHandOver-v1", operator=person)
    env.reset(seed=0)
    policy = env.unwrapped.command_action(UP, UP)
    *_, info = env.step(policy)
    assert info[schema.PHASE] == "policy"
    right.press("c")
    right.press("w")
    *_, info = env.step(policy)
    forward = env.unwrapped.command_action(UP, Command((1.0, 0, 0, 0, 0, 0)))
    assert info[schema.PHASE] == "takeover"
    np.testing.assert_array_equal(info[schema.TELEOP_ACTION], forward)  # the left arm is left to the policy
    left.press("space")
    left.press("ctrl_l")
    *_, info = env.step(policy)
    assert info[schema.PHASE] == "takeover" and info[schema.INTERVENTION_ID] == 2
    assert info[schema.TELEOP_ACTION].tolist() == [0, 0, 0, 0, 1, 0, 0, 1]
    *_, info = env.step(policy)
    assert info[schema.PHASE] == "human"
    left.release("space")
    right.release("c")
    *_, info = env.step(policy)
    assert info[schema.PHASE] == "release" and not info[schema.IS_INTERVENTION]
    left.press("enter")
    *_, terminated, _, info = env.step(policy)
    assert terminated and info["is_success"]
    env.close()


def test_a_single_device_drives_the_first_arm():
    keyboard = Keyboard()
    env = gym_hil.make_env("gym_hil/BiPandaHandOver-v1", operator=Human(keyboard, Engage.HOLD))
    env.reset(seed=0)
    keyboard.press("space")
    keyboard.press("up")
    *_, info = env.step(env.unwrapped.neutral_action())
    assert info[schema.TELEOP_ACTION].tolist() == [1, 0, 0, 1, 0, 0, 0, 1]
    env.close()


def test_every_hand_begins_with_the_speed_of_the_person():
    person = Human(Keyboard(), make_next=Keyboard, speed="fine").for_end_effectors(2)
    assert [hand.speed for hand in person.operators] == [Speed.FINE, Speed.FINE]


def test_more_devices_than_arms_are_refused():
    person = EndEffectorOperators([Human(keyboard) for keyboard in keyboards()])
    env = gym_hil.make_env("gym_hil/PandaPickCube-v1", operator=person)
    with pytest.raises(InvalidArgumentError, match="2 end effectors"):
        env.reset(seed=0)


def test_devices_are_joined_by_name_and_two_gamepads_are_opened_for_two_arms(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    assert make_operator("simulated+expert").name == "simulated and expert"
    env = gym.make("gym_hil/BiSO101HandOverGamepad-v1", real_time=False)
    operator = env.get_wrapper_attr("operator")
    assert [type(device).__name__ for device in operator.device.leaves()] == ["Gamepad", "Gamepad"]
    env.close()


def test_the_raw_wrapper_is_for_one_arm():
    with pytest.raises(InvalidArgumentError, match="one end effector"):
        EEActionWrapper(gym.make("gym_hil/BiPandaHandOverBase-v1"))


@pytest.mark.parametrize("preset", ["scripted", "average"])
def test_the_simulated_human_has_two_hands_and_continues_from_a_state(preset):
    def make() -> gym.Env:
        return gym_hil.make_env("gym_hil/BiSO101HandOver-v1", operator=make_demonstrator("simulated", preset))

    env, other = make(), make()
    env.reset(seed=3)
    idle = env.unwrapped.neutral_action()
    for _ in range(12):
        env.step(idle)
    other.reset(seed=99)
    other.reset(options={"state": env.get_wrapper_attr("get_state")()})
    terminated = truncated = False
    while not (terminated or truncated):
        *_, terminated, truncated, info = env.step(idle)
        *_, info_again = other.step(idle)
        np.testing.assert_array_equal(info[schema.TELEOP_ACTION], info_again[schema.TELEOP_ACTION])
    assert info["is_success"]


def test_episodes_are_recorded_and_replay_bit_for_bit(tmp_path):
    root, facts = tmp_path / "hand-overs", tmp_path / "facts.json"
    arguments = ["--root", root, "--episodes", 2, "--policy", "noisy-expert"]
    for command in (
        ["record", "BiSO101HandOver-v1", *arguments],
        ["inspect", root, "--verify", "--no-page", "--json", facts],
    ):
        done = run(*command)
        assert done.returncode == 0, done.stderr
    episodes = json.loads(facts.read_text())["episodes"]
    assert len(episodes) == 2 and all(episode["replays"] for episode in episodes.values())
    assert EpisodeStore(root).read(0).frames["action"].shape[1] == 8


def test_readings_of_two_devices_are_played_back(tmp_path):
    from gym_hil.datasets.recorder import EpisodeRecorder

    devices = keyboards()
    env = gym_hil.make_env(
        "gym_hil/BiPandaHandOver-v1",
        operator=EndEffectorOperators([Human(device, Engage.HOLD) for device in devices]),
    )
    recorder = EpisodeRecorder(env, {})
    env.reset(seed=0)
    idle, executed = env.unwrapped.neutral_action(), []
    for step in range(20):
        if step in (3, 9):
            devices[0].press("space")
            devices[0].press("up")
        if step == 5:
            devices[1].press("c")
            devices[1].press("q")
        if step in (7, 15):
            for device in devices:
                device.release_all()
        executed.append(env.step(idle)[-1][schema.TELEOP_ACTION])
    log = tmp_path / "device.jsonl"
    log.write_text(recorder.episode().device_log)
    env.close()
    again = EndEffectorOperators(
        [Human(RecordedDevice(log, period_s=0.1, end_effector=index), Engage.HOLD) for index in range(2)]
    )
    env = gym_hil.make_env("gym_hil/BiPandaHandOver-v1", operator=again)
    env.reset(seed=0)
    played = [env.step(idle)[-1][schema.TELEOP_ACTION] for _ in range(20)]
    np.testing.assert_array_equal(played, executed)
    assert len({tuple(action) for action in executed}) == 3, "nobody, one arm, both arms"
    env.close()


def test_a_policy_sees_and_moves_both_arms():
    from gym_hil.learning.policy_env import make_policy_env

    env = make_policy_env("gym_hil/BiPandaHandOverStateBase-v1", None)
    observation, _ = env.reset(seed=0)
    assert observation.shape == env.observation_space.shape and env.action_space.shape == (8,)
    assert env.interface.action == (
        "left_ee_delta_pos[3]",
        "left_gripper[1]",
        "right_ee_delta_pos[3]",
        "right_gripper[1]",
    )
    closing = env.idle_action.copy()
    closing[7] = -1.0
    env.step(closing)
    left, right = env.unwrapped.simulation.end_effectors
    assert right.gripper_closing and not left.gripper_closing
    env.close()
