"""Environments of other packages, named with their module, can be taken over, recorded and learned."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest

from gym_hil.cli import main
from gym_hil.core.command import Command
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import GripperCommand
from gym_hil.datasets.recorder import EpisodeRecorder
from gym_hil.datasets.replay import first_difference, make_replay_env, same_model
from gym_hil.envs.adapter import EnvironmentAdapter
from gym_hil.intervention.operator import Expert
from gym_hil.intervention.simulated_human import SimulatedHuman
from gym_hil.learning.policy_actions import ScaledBox
from gym_hil.stacks.build import make_env
from gym_hil.stacks.ids import is_external

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
REACHER_MODULE = """
import gymnasium as gym
import mujoco
import numpy as np
from gym_hil.envs.adapter import MujocoAdapter, split_state


class ReacherAdapter(MujocoAdapter):
    control_dt = 0.02
    motion_size = 2

    def __init__(self, render_mode=None):
        super().__init__(gym.make("Reacher-v5", render_mode=render_mode, max_episode_steps=-1))

    def step(self, action):
        observation, _, _, truncated, info = super().step(action)
        self._done = success = bool(np.linalg.norm(self.expert_goal() - self.tcp_pos_w) < 0.03)
        return observation, float(success), success, truncated, {**info, "is_success": success}

    @property
    def tcp_pos_w(self):
        return self.data.body("fingertip").xpos.copy()

    def expert_goal(self):
        return np.array([*self.data.body("target").xpos[:2], self.tcp_pos_w[2]])

    def expert_action(self, misplaced=0.0):
        jacobian = np.zeros((3, self.model.nv))
        mujoco.mj_jacBody(self.model, self.data, jacobian, None, self.model.body("fingertip").id)
        torque = 200.0 * (self.expert_goal() - self.tcp_pos_w) @ jacobian - 0.1 * self.data.qvel
        return np.clip(torque[:2], -1.0, 1.0).astype(np.float32)

    def observe(self):
        return self.env.unwrapped._get_obs()

    def observe_state(self):
        observation = self.observe()
        return split_state(observation[[0, 1, 2, 3, 6, 7]], observation[[4, 5, 8, 9]])


gym.register("adapted/Reacher-v0", entry_point=ReacherAdapter, max_episode_steps=200)
"""
ENV_ID = "line_of_a_test:line/Line-v0"
REACHER = "reacher_of_a_test:adapted/Reacher-v0"


@pytest.fixture
def module(tmp_path, monkeypatch):
    modules = {"line_of_a_test": MODULE, "reacher_of_a_test": REACHER_MODULE}
    for name, text in modules.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in modules:
        sys.modules.pop(name, None)
    for env_id in ("line/Line-v0", "adapted/Reacher-v0"):
        gym.registry.pop(env_id, None)


def test_an_id_may_name_the_module_that_registers_it(module):
    assert is_external(ENV_ID)


def test_a_module_that_is_missing_is_named():
    with pytest.raises(InvalidArgumentError, match="no_such_module"):
        is_external("no_such_module:my/Thing-v0")


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


def test_a_person_without_a_gripper_drives_every_axis(module):
    env = make_env(REACHER)
    command = Command(np.array([0.5, -0.25, 0, 0, 0, 0]), GripperCommand.CLOSE)
    assert env.get_wrapper_attr("command_action")(command).tolist() == [0.5, -0.25]
    env.close()


def test_a_simulated_human_takes_over_and_releases_control(module):
    env = make_env(REACHER, operator=SimulatedHuman("average"))
    phases, successes = [], []
    for seed in range(3):
        env.reset(seed=seed)
        done = False
        while not done:
            *_, terminated, truncated, info = env.step(np.zeros(2, np.float32))
            phases.append(info["phase"])
            done = terminated or truncated
        successes.append(info["is_success"])
    env.close()
    assert {"policy", "takeover", "human"} <= set(phases)
    assert all(successes)


def test_commands_play_record_and_replay_it(module, tmp_path, monkeypatch):
    folder = tmp_path / "episodes"
    assert run(monkeypatch, "play", REACHER, "--no-window", "--operator", "expert", "--episodes", "3") == 0
    assert (
        run(monkeypatch, "record", REACHER, "--operator", "expert", "--episodes", "2", "--root", folder) == 0
    )
    assert run(monkeypatch, "replay", folder, "--verify") == 0


@pytest.mark.parametrize("takes_a_mode", [True, False])
def test_a_dataset_that_cannot_be_drawn_is_inspected_without_pictures(
    module, tmp_path, monkeypatch, capsys, takes_a_mode
):
    folder = tmp_path / "episodes"
    if not takes_a_mode:
        monkeypatch.setattr(import_module("line_of_a_test").LineAdapter, "__init__", _without_a_mode)
    assert (
        run(monkeypatch, "record", ENV_ID, "--operator", "expert", "--episodes", "1", "--root", folder) == 0
    )
    assert run(monkeypatch, "inspect", folder) == 0
    said = capsys.readouterr().out
    assert "has no render mode 'rgb_array'" in said
    assert "Episode 0" in (folder / "inspect.html").read_text()
    assert run(monkeypatch, "replay", folder, "--video", tmp_path / "film.mp4") == 2
    assert not (tmp_path / "film.mp4").exists()


def _without_a_mode(self):
    EnvironmentAdapter.__init__(self, sys.modules[type(self).__module__].Line())


def test_a_policy_is_trained_evaluated_and_played(module, tmp_path, monkeypatch, caplog):
    pytest.importorskip("stable_baselines3")
    from gym_hil.learning import run as runs
    from gym_hil.learning.async_learner import InProcessLearner
    from gym_hil.learning.config import TrainConfig, defaults_for
    from gym_hil.learning.episode_store import TrainingEpisodeStore

    out = tmp_path / "run"
    config = TrainConfig(
        env_id=REACHER, robot_minutes=0.15, demos=2, updates_per_step=1, width=16,
        eval_every_steps=1000, eval_episodes=1, final_episodes=1,
        **{**defaults_for(REACHER, "state", "hil"), "batch_size": 16},
    )  # fmt: skip
    assert (config.control_dt, config.total_steps) == (0.02, 450)
    runs.train(config, out, learner=InProcessLearner, videos=False)
    store = TrainingEpisodeStore(out / "episodes")
    demonstration, online = store.read(0), store.read(len(store) - 1)
    assert demonstration.success and demonstration.interventions.all()
    assert online.observations.shape[1:] == (10,) and online.actions.shape[1:] == (2,)
    assert run(monkeypatch, "eval", out, "--episodes", "1") == 0
    arguments = ("--no-window", "--policy", out, "--episodes", "1", "--min-success", "0")
    assert run(monkeypatch, "play", REACHER, *arguments) == 0
    runs.write_run_videos(replace(config, env_id=ENV_ID, control_dt=0.1), out)
    assert "no render mode" in caplog.text


def test_a_control_rate_that_it_does_not_have_is_refused(module, tmp_path):
    pytest.importorskip("stable_baselines3")
    from gym_hil.learning.config import TrainConfig
    from gym_hil.learning.run import train

    with pytest.raises(InvalidArgumentError, match=r"control_dt=0\.1 must be .*0\.02"):
        train(TrainConfig(env_id=REACHER), tmp_path / "run")


def test_actions_of_a_policy_are_scaled_to_the_space():
    env = gym.Env()
    env.action_space = gym.spaces.Box(np.float32([0.0, -2.0]), np.float32([4.0, 2.0]))
    env.neutral_action = lambda: np.zeros(2, np.float32)
    actions = ScaledBox(EnvironmentInterface(env))
    assert actions.idle.tolist() == [-1.0, 0.0]
    assert actions.to_env([0.5, -1.0]).tolist() == [3.0, -2.0]
    record = SimpleNamespace(executed_action=np.float32([3.0, -2.0]))
    assert actions.executed(None, record).tolist() == [0.5, -1.0]


def test_actions_without_bounds_are_refused():
    env = gym.Env()
    env.action_space = gym.spaces.Box(-np.inf, np.inf, (2,))
    with pytest.raises(InvalidArgumentError, match="bounded"):
        ScaledBox(EnvironmentInterface(env))


def run(monkeypatch, *arguments) -> int:
    """Run a command in this process, and return its exit status."""
    monkeypatch.setattr(sys, "argv", ["gym-hil", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0
