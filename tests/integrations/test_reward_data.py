"""Rewards are learned from LeRobotDatasets that this package has not recorded."""

from __future__ import annotations

import shutil

import pytest

pytest.importorskip("lerobot")
pytest.importorskip("stable_baselines3")

from gym_hil.cli.record import Record
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.datasets.dataset import JOURNAL
from gym_hil.learning.reward import train_reward
from gym_hil.learning.reward_data import read_datasets
from gym_hil.learning.reward_labels import SUCCESS, UNKNOWN


@pytest.mark.rendering
@pytest.mark.slow
def test_episodes_and_labels_are_read_from_a_dataset_without_a_journal(tmp_path):
    root = tmp_path / "picks"
    options = {"task": "PandaPickCube-v1", "root": root, "repo_id": "me/picks", "image_size": 32}
    assert Record(episodes=3, **options).run() == 0
    exact = read_datasets([root], 16)
    assert exact.interface.robot == "panda"
    shutil.rmtree(root / JOURNAL)
    data = read_datasets([root], 16)
    assert data.interface.task == "Pick up the cube and lift it." and data.interface.robot == ""
    assert data.interface.observation == exact.interface.observation
    for episode, exact_episode in zip(data.episodes, exact.episodes, strict=True):
        assert len(episode.rows) == len(exact_episode.rows) - 1, (
            "the observation after the last step is not stored"
        )
        assert episode.labels[-1] == SUCCESS and (episode.labels[-6:-1] == UNKNOWN).all()
        difference = abs(episode.rows[:, :-8].astype(int) - exact_episode.rows[:-1, :-8])
        assert difference.mean() < 12.0, "the images differ only by compression and scaling"
    with pytest.raises(InvalidArgumentError, match="3 successes and 0 failures"):
        train_reward(data, 16)
    with pytest.raises(InvalidArgumentError, match="no simulated state"):
        read_datasets([root], 0)
