"""An unmodified LeRobot drives, records and replays our environments. Runs where LeRobot is installed."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

import gym_hil  # noqa: F401
from gym_hil.lerobot.configs import Plan, write_configs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(importlib.util.find_spec("lerobot") is None, reason="needs lerobot[hilserl]"),
]


def gym_manipulator(path) -> subprocess.CompletedProcess[str]:
    quiet = {"OMP_NUM_THREADS": "1", "TORCHDYNAMO_DISABLE": "1", "HF_HUB_OFFLINE": "1"}
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "-m", "lerobot.rl.gym_manipulator", "--config_path", str(path)],
        env={**environment, **quiet}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize("suffix", ["", "SimulatedHuman", "Keyboard", "Gamepad", "Viewer"])
def test_every_id_runs_headless_without_a_mode(suffix, tmp_path):
    written = write_configs(Plan(task=f"PandaPickCube{suffix}-v0", episodes=1), tmp_path)
    done = gym_manipulator(written["teleoperate"])
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Starting control loop at 10 FPS" in done.stdout


def test_two_recorded_episodes_load_hold_executed_actions_and_replay(tmp_path):
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    written = write_configs(Plan(task="PandaPickCubeSimulatedHuman-v0", episodes=2), tmp_path)
    done = gym_manipulator(written["record"])
    assert done.returncode == 0, done.stderr[-2000:]
    root = tmp_path / "dataset"
    assert json.loads((root / "meta" / "info.json").read_text())["total_episodes"] == 2
    dataset = LeRobotDataset("me/gym_hil", root=root)
    rows = dataset.hf_dataset.with_format("numpy")
    assert dataset[0]["observation.images.front"].shape == (3, 128, 128)
    for number in (0, 1):
        mine = np.asarray(rows["episode_index"]) == number
        actions = np.stack(rows["action"])[mine]
        states = np.stack(rows["observation.state"])[mine]
        assert np.asarray(rows["next.reward"])[mine].sum() == 1.0, "the simulated human succeeds"
        env = gym.make("gym_hil/PandaPickCube-v0")
        observation, _ = env.reset()
        for action, state in zip(actions, states, strict=True):
            np.testing.assert_allclose(observation["agent_pos"][15:18], state[15:18], atol=6e-3)
            observation, *_ = env.step(action)
        assert np.abs(actions[:, :3]).max() > 0.5
    done = gym_manipulator(written["replay"])
    assert done.returncode == 0, done.stderr[-2000:]
