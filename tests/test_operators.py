"""Takeovers: `info` names who acted, no action is executed twice, and seeds determine everything."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import gym_hil  # noqa: F401
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.devices.keyboard import Keyboard
from gym_hil.intervention import PRESETS, Engage, Human, Limits, SimulatedHuman
from gym_hil.intervention.human_cost import RecordHumanCost
from gym_hil.intervention.scripted_policies import make_policy
from gym_hil.stacks.build import make_env

pytestmark = pytest.mark.filterwarnings("ignore:.*out of date")
STAY = np.array([0, 0, 0, 1], np.float32)
POLICY = np.array([0.5, 0, 0, 1], np.float32)


def successes(preset: str, episodes: int, policy: str = "zero") -> int:
    env = gym.make("gym_hil/PandaPickCubeSimulatedHuman-v1", preset=preset)
    count = 0
    for seed in range(episodes):
        env.reset(seed=seed)
        rng = np.random.default_rng(seed)
        done = False
        while not done:
            action = STAY if policy == "zero" else rng.uniform([-1, -1, -1, 0], [1, 1, 1, 2])
            *_, terminated, truncated, info = env.step(action)
            done = terminated or truncated
        count += info["is_success"]
    env.close()
    return count


@pytest.fixture
def keyboard():
    return Keyboard()


@pytest.fixture
def make(keyboard):
    def make_with(engage: Engage | str = Engage.HOLD) -> gym.Env:
        env = make_env("gym_hil/PandaPickCubeBase-v0", operator=Human(keyboard, engage))
        env.reset(seed=0)
        return env

    return make_with


def test_with_an_idle_policy_the_scripted_human_always_succeeds():
    assert successes("scripted", 100) == 100


@pytest.mark.parametrize("preset", sorted(set(PRESETS) - {"scripted"}))
def test_other_presets_succeed_in_45_of_50_episodes(preset):
    assert successes(preset, 50) >= 45


def test_the_same_seed_gives_the_same_takeovers():
    def phases() -> list[tuple[str, float]]:
        env = gym.make("gym_hil/PandaPickCubeSimulatedHuman-v1", preset="novice")
        env.reset(seed=4)
        steps = [env.step(STAY) for _ in range(14)]
        return [(step[4]["phase"], float(step[4]["teleop_action"].sum())) for step in steps]

    assert phases() == phases()


def test_holding_the_button_takes_over_in_the_next_step_and_releasing_hands_back(keyboard, make):
    env = make()
    assert env.step(POLICY)[4]["phase"] == "policy"
    keyboard.press("space")
    keyboard.press("left")
    info = env.step(POLICY)[4]
    assert info["is_intervention"] is True and info["phase"] == "takeover" and info["intervention_id"] == 1
    np.testing.assert_array_equal(info["teleop_action"], [0, 1, 0, 1])
    np.testing.assert_array_equal(info["intervene_action"], [0, 1, 0, 1])
    np.testing.assert_array_equal(info["policy_action"], POLICY)
    keyboard.release("space")
    info = env.step(POLICY)[4]
    assert info["is_intervention"] is False and info["phase"] == "release" and info["intervention_id"] == 0
    np.testing.assert_array_equal(info["teleop_action"], POLICY)
    assert "intervene_action" not in info and (info["human_action"] == STAY).all()


def test_without_an_operator_every_record_has_the_clipped_action():
    env = gym.make("gym_hil/SO101PickCube-v1", max_episode_steps=2)
    env.reset(seed=0)
    action = [3.0, 0, 0, 1]
    for truncated in (False, True):
        result = env.step(action)
        record = result[4]["step"]
        assert result[3] is record.truncated is truncated
        for recorded in (record.policy_action, record.executed_action, result[4]["teleop_action"]):
            assert recorded.dtype == np.float32
            np.testing.assert_array_equal(recorded, [1, 0, 0, 1])


def test_a_policy_may_repeat_what_the_human_did(keyboard, make):
    env = make()
    keyboard.press("space")
    keyboard.press("left")
    repeated = env.step(POLICY)[4]["teleop_action"]
    keyboard.release("space")
    info = env.step(repeated)[4]
    assert info["phase"] == "release" and info["is_intervention"] is False
    np.testing.assert_array_equal(info["policy_action"], repeated)
    np.testing.assert_array_equal(info["step"].executed_action, repeated)


def test_a_toggle_stays_until_pressed_again(keyboard, make):
    env = make(Engage.TOGGLE)
    keyboard.press("space")
    keyboard.release("space")
    assert [env.step(POLICY)[4]["is_intervention"] for _ in range(3)] == [True] * 3
    keyboard.press("space")
    keyboard.release("space")
    assert env.step(POLICY)[4]["is_intervention"] is False


def test_motion_takes_over_and_a_short_pause_does_not_hand_back(keyboard, make):
    env = make(Engage.MOTION)
    keyboard.press("up")
    assert env.step(POLICY)[4]["is_intervention"]
    keyboard.release("up")
    assert [env.step(POLICY)[4]["is_intervention"] for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.parametrize(
    "key, reason, reward, success",
    [
        ("enter", "human_success", 1.0, True),
        ("escape", "human_failure", 0.0, False),
        ("r", "rerecord_episode", 0.0, False),
    ],
)
def test_an_episode_event_of_the_human_ends_the_episode_once(keyboard, make, key, reason, reward, success):
    env = make()
    keyboard.press(key)
    _, got, terminated, truncated, info = env.step(STAY)
    assert (got, terminated, truncated) == (reward, True, False)
    assert info["termination_reason"] == reason and info["next.success"] is success
    assert info["is_success"] is success and info["succeed"] is success
    assert info["rerecord_episode"] is (key == "r") and info["terminate_episode"] is True
    env.reset()
    assert env.step(STAY)[2] is False


def test_presses_during_a_reset_are_discarded(keyboard, make):
    env = make()
    keyboard.press("enter")
    env.reset()
    assert env.step(STAY)[2] is False


def test_an_unplugged_device_releases_control(keyboard, make):
    env = make(Engage.TOGGLE)
    keyboard.press("space")
    assert env.step(POLICY)[4]["is_intervention"]
    keyboard.connected = False
    assert not env.step(POLICY)[4]["is_intervention"]
    keyboard.connected = True
    assert not env.step(POLICY)[4]["is_intervention"]


def test_without_gripper_human_actions_have_three_entries(keyboard):
    env = make_env("gym_hil/PandaPickCubeBase-v0", operator=Human(keyboard), use_gripper=False)
    env.reset(seed=0)
    keyboard.press("space")
    keyboard.press("ctrl_l")
    info = env.step(np.zeros(3, np.float32))[4]
    np.testing.assert_array_equal(info["teleop_action"], [0, 0, 0])


def test_takeovers_and_releases_do_not_jerk_the_arm(keyboard, make):
    env = make()
    for _ in range(4):
        env.step(np.array([-1, 0, 0, 1], np.float32))
    before = env.unwrapped.simulation.tcp_pos_w.copy()
    keyboard.press("space")
    env.step(POLICY)
    assert np.linalg.norm(env.unwrapped.simulation.tcp_pos_w - before) < 0.01


def test_invalid_humans_are_refused():
    with pytest.raises(InvalidArgumentError, match='did you mean "novice"'):
        SimulatedHuman("novise")
    with pytest.raises(InvalidArgumentError, match="attention=2"):
        Limits(attention=2)
    with pytest.raises(InvalidArgumentError, match="engage='grab'"):
        Human(Keyboard(), "grab")


def with_noisy_expert(operator: str | None) -> dict[str, float]:
    env = gym.make("gym_hil/PandaPickCubeSimulatedHuman-v1", operator=operator, preset="average")
    env = RecordHumanCost(env)
    for seed in range(100):
        env.reset(seed=seed)
        policy, rng, done = make_policy("noisy-expert"), np.random.default_rng(seed), False
        while not done:
            *_, terminated, truncated, _ = env.step(policy(env.unwrapped, rng))
            done = terminated or truncated
    return env.summary()


def test_a_policy_that_mostly_fails_alone_succeeds_with_a_little_help():
    assert 0.2 <= with_noisy_expert(None)["success"] <= 0.4
    helped = with_noisy_expert("simulated")
    assert helped["success"] >= 0.95 and helped["rate"] < 0.4
