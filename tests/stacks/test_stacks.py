"""Properties of every environment, no matter how it is made."""

from __future__ import annotations

import copy
import json

import gymnasium as gym
import numpy as np
import pytest

import gym_hil  # noqa: F401
from gym_hil.core.clock import SystemClock
from gym_hil.core.errors import EpisodeOrderError, InvalidArgumentError, UnknownArgumentError
from gym_hil.core.observer import Observer
from gym_hil.core.step_record import StepRecord
from gym_hil.envs.manipulation import DEFAULT_GRIPPER_PENALTY
from gym_hil.integrations.lerobot.configs import Plan, write_configs
from gym_hil.intervention.simulated_human import SimulatedHuman
from gym_hil.stacks.build import build_env, make_env, wrap_env
from gym_hil.stacks.config import EnvConfig
from gym_hil.stacks.ids import all_ids, parse_id
from gym_hil.testing.clock import ManualClock
from gym_hil.wrappers.gripper_penalty import GripperPenaltyWrapper

STAY = np.array([0, 0, 0, 1], np.float32)
EVERY_STEP = {
    "step", "is_intervention", "teleop_action", "action_intervention", "policy_action", "human_action",
    "intervention_id", "phase", "succeed", "is_success", "next.success", "discrete_penalty",
    "termination_reason", "rerecord_episode", "terminate_episode",
}  # fmt: skip


def ends(env, steps, action=STAY):
    """Return the numbers of the steps that ended an episode, counted from 1."""
    env.reset(seed=0)
    return [number for number in range(1, steps + 1) if any(env.step(action)[2:4])]


@pytest.mark.parametrize(
    "env_id", ["PandaPickCube-v1", "PandaPickCubeBase-v1", "PandaPickCubeSimulatedHuman-v1"]
)
def test_every_step_and_reset_has_the_same_keys(env_id):
    env = gym.make(f"gym_hil/{env_id}")
    env.action_space.seed(0)
    _, info = env.reset(seed=0)
    assert set(info) == EVERY_STEP
    for _ in range(10):
        *_, info = env.step(0.1 * env.action_space.sample())
        assert set(info) - {"intervene_action"} == EVERY_STEP
        assert ("intervene_action" in info) == info["is_intervention"]
    env.close()


def test_the_step_record_names_the_time_limit_as_the_reason_of_the_end():
    env = gym.make("gym_hil/PandaPickCube-v1", max_episode_steps=3)
    env.reset(seed=0)
    for step in (1, 2, 3):
        *_, terminated, truncated, info = env.step(STAY)
        record = info["step"]
        assert isinstance(record, StepRecord) and record.step == step
        assert (record.terminated, record.truncated) == (terminated, truncated) == (False, step == 3)


def test_the_time_limit_restarts_with_an_automatic_reset():
    assert ends(gym.make("gym_hil/PandaPickCubeReplay-v1"), 205) == [100, 200]
    assert ends(gym.make("gym_hil/PandaPickCube-v1", auto_reset=True, max_episode_steps=7), 22) == [7, 14, 21]
    assert ends(make_env("gym_hil/PandaPickCube-v1", auto_reset=True, max_episode_steps=7), 22) == [7, 14, 21]


def test_an_automatic_reset_does_not_interrupt_the_expert():
    env = gym.make("gym_hil/PandaPickCube-v1", operator="expert", auto_reset=True)
    env.reset(seed=0)
    lengths, length = [], 0
    for _ in range(130):
        *_, terminated, truncated, info = env.step(STAY)
        length += 1
        if terminated or truncated:
            assert info["is_success"] and set(info["reset_info"]) == EVERY_STEP and "final_obs" in info
            lengths.append(length)
            length = 0
    assert len(lengths) >= 3 and min(lengths) > 5


def test_the_reset_delay_applies_to_automatic_resets(monkeypatch):
    waited = []
    monkeypatch.setattr(SystemClock, "sleep", lambda self, seconds: waited.append(seconds))
    env = gym.make("gym_hil/PandaPickCube-v1", auto_reset=True, reset_delay_seconds=0.5, max_episode_steps=2)
    assert ends(env, 4) == [2, 4]
    assert waited == [0.5, 0.5, 0.5]


@pytest.fixture
def clock(monkeypatch) -> ManualClock:
    """The clock of everything that waits by the time of this machine."""
    clock = ManualClock()
    monkeypatch.setattr(SystemClock, "monotonic", lambda self: clock.monotonic())
    monkeypatch.setattr(SystemClock, "sleep", lambda self, seconds: clock.sleep(seconds))
    return clock


@pytest.mark.parametrize(("arguments", "seconds"), [({}, 0.5), ({"real_time": False}, 0.0)])
def test_ids_for_people_keep_real_time_by_default(clock, arguments, seconds):
    env = gym.make("gym_hil/PandaPickCubeKeyboard-v1", **arguments)
    env.reset(seed=0)
    start = clock.monotonic()
    for _ in range(6):
        env.step(STAY)
    assert clock.monotonic() - start == pytest.approx(seconds)
    env.close()


@pytest.mark.parametrize("period", [0.1, 0.15])
def test_pacing_does_not_slow_a_program_that_paces_itself(clock, period):
    env = gym.make("gym_hil/PandaPickCubeKeyboard-v1")
    env.reset(seed=0)
    start = clock.monotonic()
    for number in range(1, 6):
        env.step(STAY)
        clock.sleep(start + period * number - clock.monotonic())
    assert clock.monotonic() - start == pytest.approx(5 * period)
    env.close()


def test_the_seed_of_the_environment_is_that_of_the_operator():
    def phases(**arguments):
        env = gym.make("gym_hil/PandaPickCubeSimulatedHuman-v1", preset="novice", **arguments)
        env.reset()
        return [tuple(env.step(STAY)[4]["teleop_action"]) for _ in range(15)]

    assert phases(seed=5) == phases(seed=5) != phases(seed=6)


@pytest.mark.parametrize("through_reset", [True, False])
def test_a_state_holds_the_time_limit_and_the_operator(through_reset):
    env = gym.make("gym_hil/PandaPickCubeSimulatedHuman-v1", preset="novice", max_episode_steps=60)
    env.reset(seed=3)
    for _ in range(10):
        env.step(STAY)
    state = env.unwrapped.get_state()

    def rest():
        found = []
        while True:
            observation, _, terminated, truncated, info = env.step(STAY)
            found.append(
                (
                    observation["agent_pos"].tobytes(),
                    info["phase"],
                    info["intervention_id"],
                    info["step"].step,
                )
            )
            if terminated or truncated:
                return found

    expected = rest()
    env.reset(seed=8)
    env.step(STAY)
    if through_reset:
        env.reset(options={"state": state})
    else:
        env.unwrapped.set_state(state)
    assert rest() == expected and len(expected) <= 50


def test_a_restored_time_limit_continues():
    env = gym.make("gym_hil/PandaPickCube-v1")
    env.reset(seed=0)
    for _ in range(90):
        env.step(STAY)
    state = env.unwrapped.get_state()
    env.reset(options={"state": state})
    steps = 0
    while not any(env.step(STAY)[2:4]):
        steps += 1
    assert steps == 9


def test_a_vector_gives_each_member_its_own_operator():
    kwargs = {"num_envs": 2, "vectorization_mode": "vector_entry_point"}
    with pytest.raises(InvalidArgumentError, match="one operator for 2 environments"):
        gym.make_vec("gym_hil/PandaPickCube-v1", operator=SimulatedHuman("novice"), **kwargs)
    envs = gym.make_vec("gym_hil/PandaPickCube-v1", operator="simulated", **kwargs)
    assert envs.envs[0].get_wrapper_attr("operator") is not envs.envs[1].get_wrapper_attr("operator")
    envs.close()


@pytest.mark.parametrize("env_id", ["gym_hil/PandaPickCube-v1", "gym_hil/BiPandaHandOver-v1"])
def test_one_operator_cannot_watch_two_environments_at_once(env_id):
    operator = SimulatedHuman("novice")
    envs = gym.make_vec(env_id, num_envs=2, vectorization_mode="sync", operator=operator)
    envs.reset(seed=0)
    first, second = envs.envs
    stay = first.get_wrapper_attr("neutral_action")()
    with pytest.raises(InvalidArgumentError, match="watches an episode of another environment"):
        envs.step(np.stack([stay, stay]))
    for env in (first, second, first):
        env.reset(seed=0)
        env.step(stay)
    state = first.unwrapped.get_state()
    second.reset(seed=0)
    first.unwrapped.set_state(state)
    first.step(stay)
    copy.deepcopy(first).step(stay)
    envs.close()


def test_the_default_gripper_penalty_is_the_same_everywhere(tmp_path):
    switch = np.array([0, 0, 0, 0], np.float32)
    envs = [
        gym.make("gym_hil/PandaPickCube-v1"),
        make_env("gym_hil/PandaPickCube-v1"),
        wrap_env(gym.make("gym_hil/PandaPickCubeBase-v1")),
        GripperPenaltyWrapper(gym.make("gym_hil/PandaPickCube-v1", gripper_penalty=-1)),
    ]
    for env in envs:
        env.reset(seed=0)
        assert env.step(switch)[4]["discrete_penalty"] == DEFAULT_GRIPPER_PENALTY
    files = write_configs(Plan(task="PandaPickCubeGamepad-v0"), tmp_path)
    for name in ("record", "learner"):
        processor = json.loads(files[name].read_text())["env"]["processor"]
        assert processor["gripper"]["gripper_penalty"] == DEFAULT_GRIPPER_PENALTY


def test_the_dense_reward_of_an_unstable_step_is_not_that_of_a_fresh_state():
    env = gym.make("gym_hil/PandaPickCube-v1", reward_type="dense")
    env.reset(seed=0)
    env.unwrapped.data.qvel[:] = 1e12
    _, reward, terminated, _, info = env.step(STAY)
    assert terminated and info["termination_reason"] == "simulation_unstable" and reward == 0.0


def test_every_setting_of_an_id_is_available_as_an_argument():
    assert EnvConfig.of("gym_hil/PandaPickCubeGamepad-v0").operator == "gamepad"
    assert EnvConfig.of(None, use_inputs_control=True, use_gamepad=True).operator == "gamepad"
    config = EnvConfig.of("PandaInsertPegStateBase-v1", reward_type="dense")
    assert (config.task, config.action, config.state_obs) == ("InsertPeg", "twist", True)
    with pytest.raises(UnknownArgumentError, match='did you mean "render_mode"'):
        EnvConfig.of(None, render_mod="human")
    with pytest.raises(InvalidArgumentError, match="PandaPickCube-v1"):
        parse_id("PandaPickCup-v1")
    assert all(parse_id(env_id).env_id == env_id for env_id in all_ids())


def test_a_specification_makes_the_same_environment_again():
    env = gym.make("gym_hil/PandaPickCubeReplay-v1", reward_type="dense", max_episode_steps=5)
    again = gym.make(env.spec)
    assert str(again) == str(env)
    assert ends(again, 11) == [5, 10]


class Counts(Observer):
    def __init__(self):
        self.calls = []

    def on_reset(self, env):
        self.calls.append("reset")

    def on_poll(self):
        self.calls.append("poll")

    def watch_step(self):
        return lambda data: self.calls.append("substep")

    def on_step(self, env, record):
        self.calls.append(record.step)

    def on_close(self):
        self.calls.append("close")


def test_observers_see_resets_steps_and_what_happens_within_a_step():
    env, counts = build_env(EnvConfig.of("gym_hil/PandaPickCube-v1")), Counts()
    env.get_wrapper_attr("subscribe")(counts)
    env.reset(seed=0)
    env.step(STAY)
    assert counts.calls[:2] == ["reset", "poll"] and counts.calls[-1] == 1 and "substep" in counts.calls
    env.get_wrapper_attr("unsubscribe")(counts)
    env.step(STAY)
    assert counts.calls[-1] == 1
    env.get_wrapper_attr("subscribe")(counts)
    env.close()
    env.close()
    assert counts.calls.count("close") == 1
    with pytest.raises(EpisodeOrderError):
        env.step(STAY)


def test_observing_changes_nothing():
    def states(observed):
        env = make_env("gym_hil/PandaPickCube-v1", operator="simulated", preset="novice")
        if observed:
            env.get_wrapper_attr("subscribe")(Counts())
        env.reset(seed=2)
        return [env.step(STAY)[0]["agent_pos"].tobytes() for _ in range(15)]

    assert states(True) == states(False)


def test_stable_baselines_takes_images_without_nested_dictionaries():
    from gymnasium.wrappers import FlattenObservation

    from gym_hil.wrappers.flat_observation import FlatDictObservation

    env = FlatDictObservation(gym.make("gym_hil/PandaPickCube-v1", image_obs=True))
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    assert sorted(observation) == ["agent_pos", "pixels_front", "pixels_wrist"]
    assert FlattenObservation(env).reset(seed=0)[0].ndim == 1
    env.close()
