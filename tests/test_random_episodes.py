"""Random actions over random seeds and tasks: nothing breaks, and everything can be replayed."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import gym_hil  # noqa: F401
from gym_hil.robots import ROBOTS
from gym_hil.tasks import TASKS, fits

IDS = [
    f"gym_hil/{'Panda' if fits(task, ROBOTS['panda']) else 'BiPanda'}{name}{kind}-v1"
    for name, task in TASKS.items()
    for kind in ("Base", "")
]


def play(env, seed, actions=None):
    """Return every observation and action of an episode."""
    rng = np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    seen, done_with, done = [observation], [], False
    space = env.action_space
    while not done:
        if actions is None:
            action = rng.uniform(space.low, space.high).astype(np.float32)
        else:
            action = actions[len(done_with)]
        observation, _, terminated, truncated, _ = env.step(action)
        assert env.observation_space.contains(observation), observation
        seen.append(observation)
        done_with.append(action)
        done = terminated or truncated
    assert sum(warning.number for warning in env.unwrapped.data.warning) == 0
    return seen, done_with


def check(episodes, replays):
    envs = {env_id: gym.make(env_id, max_episode_steps=100) for env_id in IDS}
    for number in range(episodes):
        env_id = IDS[number % len(IDS)]
        seen, actions = play(envs[env_id], number)
        if number % (episodes // replays) == 0:
            again, _ = play(gym.make(env_id, max_episode_steps=100), number, actions)
            assert len(again) == len(seen)
            for first, second in zip(seen, again, strict=True):
                np.testing.assert_array_equal(first["agent_pos"], second["agent_pos"])
                np.testing.assert_array_equal(first["environment_state"], second["environment_state"])


def test_a_few_random_episodes_satisfy_all_checks():
    check(episodes=12, replays=4)


@pytest.mark.nightly
def test_a_thousand_random_episodes_satisfy_all_checks():
    check(episodes=1000, replays=50)
