"""An unmodified LeRobot drives, records and replays our environments. Runs where LeRobot is installed."""

from __future__ import annotations

import importlib.util
import json

import gymnasium as gym
import numpy as np
import pytest

import gym_hil  # noqa: F401
from gym_hil.integrations.lerobot.configs import Plan, write_configs

pd = pytest.importorskip("pandas")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("lerobot"),
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(importlib.util.find_spec("lerobot") is None, reason="needs lerobot[hilserl]"),
]


RB_AND_STICK_HELD = """
from gym_hil.testing.virtual_gamepad import VirtualGamepad
pad = VirtualGamepad()
pad.press("rb")
pad.set_axis("left_y", 1.0)
"""


RERECORD_THEN_TWO_SUCCESSES = """
import itertools
from gym_hil.devices.gamepad import Gamepad
from gym_hil.testing.virtual_gamepad import VirtualGamepad
pad = VirtualGamepad()
pad.press("rb")
pad.set_axis("left_y", 0.3)
buttons = {12: "x", 24: "y", 36: "y"}
polls = itertools.count()
poll = Gamepad.poll
def press_and_poll(gamepad):
    button = buttons.get(next(polls))
    if button is not None:
        pad.press(button)
        pad.release(button)
    return poll(gamepad)
Gamepad.poll = press_and_poll
"""


def gym_manipulator(path) -> tuple[object, ...]:
    """Return the program and its arguments, and let it run faster than real time."""
    config = json.loads(path.read_text())
    config["env"]["fps"] = 100
    path.write_text(json.dumps(config))
    return "lerobot.rl.gym_manipulator", "--config_path", path


def test_every_id_runs_headless_without_a_mode(lerobot, tmp_path):
    tasks = [f"PandaPickCube{who}-v0" for who in ("", "SimulatedHuman", "Keyboard", "Gamepad", "Viewer")]
    written = [write_configs(Plan(task=task, episodes=1), tmp_path / task)["teleoperate"] for task in tasks]
    said = lerobot.run(*map(gym_manipulator, written))
    assert said.count("Starting control loop at 100 FPS") == len(tasks)


def test_a_gamepad_drives_in_lerobots_loop(lerobot, tmp_path):
    written = write_configs(Plan(task="PandaPickCubeGamepad-v0", episodes=1), tmp_path)["teleoperate"]
    episodes = tmp_path / "episodes.jsonl"
    lerobot.run(gym_manipulator(written), before=RB_AND_STICK_HELD, episodes=episodes)
    episode = json.loads(episodes.read_text())
    assert (episode["steps"], episode["intervention_rate"]) == (100, 1.0)


def test_a_discarded_episode_is_recorded_again(lerobot, tmp_path):
    written = write_configs(Plan(task="PandaPickCubeGamepad-v0", episodes=2), tmp_path)["record"]
    lerobot.run(gym_manipulator(written), before=RERECORD_THEN_TWO_SUCCESSES)
    frames = pd.read_parquet(tmp_path / "dataset" / "data").groupby("episode_index")
    assert len(frames) == 2, "three episodes were driven, and the first was discarded"
    for _, episode in frames:
        assert episode["next.reward"].tolist()[-1] == 1.0 and 5 < len(episode) < 20


def test_two_recorded_episodes_load_hold_executed_actions_and_replay(lerobot, tmp_path):
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    written = write_configs(Plan(task="PandaPickCubeSimulatedHuman-v0", episodes=2), tmp_path)
    lerobot.run(gym_manipulator(written["record"]))
    root = tmp_path / "dataset"
    assert json.loads((root / "meta" / "info.json").read_text())["total_episodes"] == 2
    dataset = LeRobotDataset("me/gym_hil", root=root)
    rows = dataset.hf_dataset.with_format("numpy")
    assert dataset[0]["observation.images.front"].shape == (3, 128, 128)
    for number in (0, 1):
        in_episode = np.asarray(rows["episode_index"]) == number
        actions = np.stack(rows["action"])[in_episode]
        states = np.stack(rows["observation.state"])[in_episode]
        assert np.asarray(rows["next.reward"])[in_episode].sum() == 1.0, "the simulated human succeeds"
        moved = np.abs(actions[:, :3]).max(axis=1) > 0
        start = int(np.argmax(moved))
        moves_on = np.append(moved[start:], False)
        release = start + int(np.argmin(moves_on))  # the release brakes the arm, which no action expresses
        assert release - start >= 3 and np.abs(actions[:, :3]).max() > 0.5
        env = gym.make("gym_hil/PandaPickCube-v0")
        observation, _ = env.reset()
        for action, state in zip(actions[:release], states[:release], strict=True):
            np.testing.assert_allclose(observation["agent_pos"][15:18], state[15:18], atol=1e-4)
            observation, *_ = env.step(action)
        assert np.linalg.norm(states[release - 1, 15:18] - states[start, 15:18]) > 0.02
    lerobot.run(gym_manipulator(written["replay"]))
