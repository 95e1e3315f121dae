"""Environments of other packages: named with the module that registers them, recorded and replayed."""

from __future__ import annotations

import sys

import gymnasium as gym
import numpy as np
import pytest

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.datasets.recorder import EpisodeRecorder
from gym_hil.datasets.replay import first_difference, make_replay_env, same_model
from gym_hil.intervention.scripted import Expert
from gym_hil.stacks.build import make_env
from gym_hil.stacks.ids import is_foreign

MODULE = """
import gymnasium as gym
import numpy as np
from gym_hil.envs.adapter import EnvironmentAdapter, split_state


class Line(gym.Env):
    observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = gym.spaces.Box(-1.0, 1.0, (3,), np.float32)

    def __init__(self, render_mode=None):
        self.state = np.zeros(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = np.array([0.0, self.np_random.uniform(1.0, 2.0)])
        return self.state.astype(np.float32), {}

    def step(self, action):
        self.state[0] += 0.25 * float(action[0])
        success = bool(self.state[0] > self.state[1])
        return self.state.astype(np.float32), float(success), success, False, {"is_success": success}


class LineAdapter(EnvironmentAdapter):
    def __init__(self, **kwargs):
        super().__init__(Line(**kwargs))

    def expert_action(self, misplaced=0.0):
        return np.array([1, 0, 0], np.float32)

    def save_physics(self):
        return self.unwrapped.state.copy()

    def restore_physics(self, state):
        self.unwrapped.state = np.array(state)

    def observe(self):
        return self.unwrapped.state.astype(np.float32)

    def observe_state(self):
        return split_state(self.unwrapped.state[:1], self.unwrapped.state[1:])


gym.register("line/Line-v0", entry_point=LineAdapter, max_episode_steps=30)
"""
ENV_ID = "line_of_a_test:line/Line-v0"


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "line_of_a_test.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("line_of_a_test", None)
    gym.registry.pop("line/Line-v0", None)


def test_an_id_may_name_the_module_that_registers_it(module):
    assert is_foreign(ENV_ID)


def test_a_module_that_is_missing_is_named():
    with pytest.raises(InvalidArgumentError, match="no_such_module"):
        is_foreign("no_such_module:my/Thing-v0")


def test_an_episode_without_a_mujoco_model_is_recorded_and_replayed(module):
    env = make_env(ENV_ID, operator=Expert())
    recorder = EpisodeRecorder(env, {})
    env.reset(seed=0)
    done = False
    while not done:
        *_, terminated, truncated, _ = env.step(np.zeros(3, np.float32))
        done = terminated or truncated
    episode = recorder.episode(0)
    env.close()
    assert (episode.meta["end"], episode.meta["fps"]) == ("success", 10)
    assert episode.meta["model_sha256"] is None
    replay = make_replay_env(ENV_ID)
    assert first_difference(episode, replay) is None and same_model(episode, replay)
    episode.frames["physics"][2, 0] += 0.5
    assert first_difference(episode, replay).name == "physics"
    replay.close()
