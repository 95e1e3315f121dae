"""Observations and actions that are delayed."""

from __future__ import annotations

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest

import gym_hil  # noqa: F401
from gym_hil.core.errors import InvalidArgumentError, InvalidStateError, UnknownArgumentError
from gym_hil.stacks.build import make_env
from gym_hil.stacks.config import EnvConfig

PANDA, SO101 = "PandaPickCubeState-v1", "SO101PickCubeState-v1"
TICK = 0.004


def moves(env, count, seed=0):
    """Return random actions in the environment's action space."""
    rng = np.random.default_rng(seed)
    low, high = env.action_space.low, env.action_space.high
    return rng.uniform(low, high, (count, len(low))).astype(np.float32)


def rolled_out(env, actions, seed=3):
    """Return the observations of an episode, the first one included."""
    first, _ = env.reset(seed=seed)
    return np.array([first["agent_pos"], *(env.step(action)[0]["agent_pos"] for action in actions)])


@pytest.mark.parametrize("env_id", [PANDA, SO101])
def test_observations_are_those_of_an_earlier_step(env_id):
    now, late = make_env(env_id), make_env(env_id, observation_delay=0.2)
    actions = moves(now, 8)
    seen, expected = rolled_out(late, actions), rolled_out(now, actions)
    assert (seen[2:] == expected[:-2]).all()
    assert (seen[:2] == expected[0]).all(), "before that, the state at the reset is seen"


@pytest.mark.parametrize("env_id", [PANDA, SO101, "BiSO101HandOverState-v1"])
def test_actions_are_executed_later(env_id):
    now, late = make_env(env_id), make_env(env_id, action_delay=0.1)
    actions = moves(now, 8)
    rest = now.unwrapped.neutral_action()
    assert (rolled_out(late, actions) == rolled_out(now, [rest, *actions[:-1]])).all()


def test_delays_of_a_part_of_a_step_are_kept_to_a_physics_step():
    """A motion begins within the step if the delay is shorter than a step, and is seen after both delays."""
    for delay in (0.02, 0.052, 0.1):
        alone = make_env(PANDA, action_delay=delay)
        alone.reset(seed=3)
        sim = alone.unwrapped.simulation
        before = sim.world.tcp_pos_w
        up = np.array([0, 0, 1, 1], np.float32)
        alone.step(up)
        moved = np.abs(sim.world.tcp_pos_w - before).max()
        assert (moved > 1e-4) == (delay < 0.1)
        assert sim.world.data.time == pytest.approx(0.1)
    twice = make_env(PANDA, action_delay=0.052, observation_delay=0.052)
    once = make_env(PANDA, action_delay=0.104)
    actions = moves(twice, 6)
    a, b = rolled_out(twice, actions), rolled_out(once, actions)
    assert np.abs(a - b).max() < 1e-4, "an action is seen after the sum of both delays"


def test_commanded_targets_are_not_delayed():
    env = make_env(PANDA, observation_delay=0.1, action_delay=0.1)
    env.reset(seed=3)
    raw = env.unwrapped
    target, tcp = raw.target_pos_w, raw.tcp_pos_w
    env.step(np.array([0, 0, 1, 0], np.float32))
    assert raw.target_pos_w - target == pytest.approx([0, 0, 0.025], abs=1e-6)
    assert (raw.tcp_pos_w == tcp).all() and raw.gripper_closing
    assert not raw.simulation.world.gripper_closing


@pytest.mark.parametrize("env_id", [PANDA, SO101])
def test_experts_and_simulated_humans_work_with_delays(env_id):
    for operator in ("expert", "simulated"):
        env = make_env(env_id, operator=operator, observation_delay=0.05, action_delay=0.05, jitter=0.05)
        env.reset(seed=1)
        done, info = False, {}
        while not done:
            *_, terminated, truncated, info = env.step(env.unwrapped.neutral_action())
            done = terminated or truncated
        assert info["is_success"]


def test_success_is_not_delayed():
    env = make_env(PANDA, operator="expert", observation_delay=0.3)
    env.reset(seed=1)
    info = {"is_success": False}
    while not info["is_success"]:
        *_, info = env.step(env.unwrapped.neutral_action())
    raw = env.unwrapped
    assert raw.task_success() and not raw.task.success(raw.simulation, raw._start)


def test_the_seed_determines_the_jitter_and_not_the_start():
    def episode(seed, **delays):
        env = make_env(PANDA, **delays)
        return rolled_out(env, moves(env, 10), seed)

    late = {"observation_delay": 0.05, "jitter": 0.1}
    assert (episode(5, **late) == episode(5, **late)).all()
    assert not (episode(5, **late) == episode(5, observation_delay=0.05)).all()
    assert (episode(5, **late)[0] == episode(5)[0]).all()
    env, plain = make_env(PANDA, **late), make_env(PANDA)
    env.reset(seed=7)
    plain.reset(seed=7)
    assert (env.reset()[0]["agent_pos"] == plain.reset()[0]["agent_pos"]).all(), "nor the starts after it"


def test_jitter_never_shows_an_earlier_state_after_a_later_one():
    env = make_env(PANDA, observation_delay=0.02, action_delay=0.02, jitter=0.3)
    env.reset(seed=0)
    times = []
    for action in moves(env, 40):
        env.step(action)
        times.append(env.unwrapped.data.time)
    lateness = 0.1 * np.arange(1, 41) - times
    assert (np.diff(times) >= 0).all()
    assert lateness.min() >= 0.02 - TICK and lateness.max() <= 0.32 + TICK and lateness.std() > 0.03


def test_no_action_is_lost_by_jitter():
    """Up and down again as often: the target returns to where it was."""
    env = make_env(PANDA, action_delay=0.02, jitter=0.25)
    env.reset(seed=0)
    raw = env.unwrapped
    start = raw.simulation.world.target_pos_w
    for number in range(40):
        env.step(np.array([0, 0, 0.5 if number % 2 == 0 else -0.5, 1], np.float32))
    for _ in range(5):
        env.step(raw.neutral_action())
    assert raw.simulation.world.target_pos_w == pytest.approx(start, abs=1e-3)


@pytest.mark.parametrize("env_id", [PANDA, SO101])
@pytest.mark.parametrize(
    "delays",
    [
        {"observation_delay": 0.13},
        {"action_delay": 0.152},
        {"observation_delay": 0.05, "action_delay": 0.25, "jitter": 0.1},
    ],
)
def test_a_state_holds_all_messages(env_id, delays):
    env = make_env(env_id, **delays)
    actions = moves(env, 16)
    rolled_out(env, actions[:7])
    state = env.unwrapped.get_state()

    def rest():
        found = [env.step(action)[0]["agent_pos"] for action in actions[7:]]
        return np.array([*found, env.unwrapped.save_physics()[:16]], dtype=object)

    expected, final = rest(), env.unwrapped.save_physics()
    other = make_env(env_id, **delays)
    other.reset(seed=9)
    for copied in (env, other):
        env = copied
        env.reset(options={"state": state})
        assert (env.unwrapped.save_physics() == state.physics).all()
        again = rest()
        assert all((a == b).all() for a, b in zip(expected, again, strict=True))
        assert (env.unwrapped.save_physics() == final).all()


def test_a_state_of_other_delays_is_refused():
    env = make_env(PANDA, observation_delay=0.2)
    env.reset(seed=0)
    other = make_env(PANDA, observation_delay=0.4)
    other.reset(seed=0)
    with pytest.raises(InvalidStateError, match=r"observation_delay=0\.4"):
        other.reset(options={"state": env.unwrapped.get_state()})


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_continue_identically(duplicate):
    env = make_env(PANDA, observation_delay=0.1, action_delay=0.152, jitter=0.05)
    actions = moves(env, 12)
    rolled_out(env, actions[:6])
    twin = duplicate(env)
    for action in actions[6:]:
        assert (env.step(action)[0]["agent_pos"] == twin.step(action)[0]["agent_pos"]).all()


def test_members_of_a_vector_are_like_single_environments():
    delays = {"observation_delay": 0.1, "jitter": 0.1}
    vector = gym.make_vec(f"gym_hil/{PANDA}", num_envs=2, vectorization_mode="vector_entry_point", **delays)
    single = gym.make(f"gym_hil/{PANDA}", **delays)
    actions = moves(single, 5)
    vector.reset(seed=[4, 3])
    found = [vector.step(np.stack([action, action]))[0]["agent_pos"][1] for action in actions]
    assert (np.array(found) == rolled_out(single, actions)[1:]).all()
    vector.close()


def test_a_wrong_delay_is_named():
    with pytest.raises(
        InvalidArgumentError, match=r"action_delay=-0\.1 must be a number from 0 to 2, in seconds"
    ):
        EnvConfig.of(PANDA, action_delay=-0.1)
    with pytest.raises(InvalidArgumentError, match="jitter=3 must be"):
        make_env(PANDA, jitter=3)
    gym.register("delays/Foreign-v0", entry_point=lambda **_: gym.make("CartPole-v1").unwrapped)
    with pytest.raises(UnknownArgumentError, match="observation_delay"):
        make_env("delays/Foreign-v0", observation_delay=0.1)
