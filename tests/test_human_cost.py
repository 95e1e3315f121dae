"""The cost of an episode for the human is the sum of its parts."""

from __future__ import annotations

import itertools

import gymnasium as gym
import numpy as np
import pytest
from rich.console import Console

import gym_hil  # noqa: F401
from gym_hil.cli.play import PlayedEpisode, _table
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.datasets.recorder import EpisodeRecorder
from gym_hil.datasets.replay import make_replay_env
from gym_hil.datasets.validation import assess
from gym_hil.intervention.human_cost import HUMAN_COST, HumanCost, RecordHumanCost
from gym_hil.wrappers.real_time import RealTimeWrapper

STAY = np.array([0, 0, 0, 1], np.float32)


@pytest.mark.parametrize("preset", ["scripted", "novice"])
def test_the_cost_of_an_episode_is_the_sum_of_its_parts(preset):
    env = RecordHumanCost(gym.make("gym_hil/PandaPickCubeSimulatedHuman-v1", preset=preset))
    env.reset(seed=1)
    acted, done = [], False
    while not done:
        *_, terminated, truncated, info = env.step(STAY)
        acted.append(info["intervention_id"])
        done = terminated or truncated
    cost = info["human_cost"]
    assert cost["steps"] == len(acted) and cost["intervened_steps"] == sum(map(bool, acted)) > 0
    assert cost["interventions"] == len(set(acted) - {0})
    assert cost["intervened_s"] == pytest.approx(0.1 * cost["intervened_steps"])
    assert cost["watched_s"] == pytest.approx(0.1 * sum(not who for who in acted))
    flags = [False, *map(bool, acted)]
    assert cost["switches"] == sum(a != b for a, b in itertools.pairwise(flags))
    assert cost["mean_length_s"] * cost["interventions"] == pytest.approx(cost["intervened_s"])
    assert cost["time_to_takeover_s"] == pytest.approx(0.1 * next(i for i, who in enumerate(acted) if who))
    assert cost["success"] and not cost["success_alone"]
    assert env.summary()["success"] == 1.0 and env.summary()["rate"] == cost["rate"]


def test_without_takeovers_no_watching_time_is_counted():
    env = RecordHumanCost(gym.make("gym_hil/PandaPickCube-v1", max_episode_steps=5))
    env.reset(seed=0)
    infos = [env.step(STAY)[4] for _ in range(5)]
    assert infos[-1]["human_cost"]["watched_s"] == 0.0 and infos[-1]["human_cost"]["switches"] == 0


def test_invalid_periods_are_refused():
    with pytest.raises(InvalidArgumentError, match="slow_motion=0"):
        RealTimeWrapper(gym.make("gym_hil/PandaPickCube-v1"), slow_motion=0)


def test_a_recorded_episode_gives_the_same_cost():
    env = RecordHumanCost(gym.make("gym_hil/PandaPickCubeSimulatedHuman-v1", preset="novice"))
    recorder = EpisodeRecorder(env, {"operator": "simulated"})
    replaying = EnvironmentInterface(make_replay_env("gym_hil/PandaPickCubeBase-v1"))
    for seed in range(3):
        env.reset(seed=seed)
        ended = False
        while not ended:
            *_, terminated, truncated, info = env.step(np.array([0, 0, 0, 1], np.float32))
            ended = terminated or truncated
        cost, quality = info[HUMAN_COST], assess(recorder.episode(seed), replaying)
        assert quality.watched_s > 0.0 and quality.switches == cost["switches"] >= 1
        assert quality.intervened_s == pytest.approx(cost["intervened_s"])
        assert quality.watched_s == pytest.approx(cost["watched_s"])


def test_the_table_of_play_fits_a_terminal_and_shows_the_human_only_where_there_is_one(capsys):
    def shown(watched_s: float) -> list[str]:
        human = HumanCost(100, 1, 50, watched_s, watched_s, 2, 0.5, 5.0, 1.0, True, False)
        episode = PlayedEpisode(1_000_000, True, 100, -12.25, "human_success", human)
        Console(width=80).print(_table([episode]))
        return capsys.readouterr().out.splitlines()

    with_human, alone = shown(1234.5), shown(0.0)
    assert not any("…" in line for line in with_human) and max(map(len, with_human)) <= 80
    assert any("takeovers" in line for line in with_human) and not any("takeovers" in line for line in alone)
