"""Imitation reproduces the actions of the human, from demonstrations alone or also from interventions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

from gym_hil.cli.train import Train
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.learning.async_learner import InProcessLearner
from gym_hil.learning.checkpoint import load
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.imitation_learner import ImitationLearner
from gym_hil.learning.learning_curve import CURVE, read_curve
from gym_hil.learning.policy import GaussianPolicy
from gym_hil.learning.policy_file import CHECKPOINT
from gym_hil.learning.rollout import Rollouts
from gym_hil.learning.run import train

PICK = TrainConfig(
    env_id="gym_hil/PandaPickCubeStateBase-v1",
    method="bc",
    demos=3,
    robot_minutes=0.2,
    width=32,
    batch_size=64,
    eval_episodes=1,
    final_episodes=2,
)


def learner_with_demonstration() -> tuple[ImitationLearner, np.ndarray, np.ndarray]:
    acting = Rollouts(PICK)
    episode = acting.demonstrate(0)
    learner = ImitationLearner(PICK, acting.env.observation_space, acting.env.action_space)
    learner.add(episode.transitions(0, len(episode)))
    acting.close()
    return learner, episode.observations[:-1], episode.actions


def test_the_policy_is_fitted_to_the_actions_of_the_human():
    learner, observations, actions = learner_with_demonstration()
    errors = []
    for _ in range(2):
        policy = GaussianPolicy(learner.policy_weights())
        errors.append(float(np.mean((policy.act(observations) - actions) ** 2)))
        for _ in range(100):
            learner.update()
    assert errors[1] < 0.2 * errors[0]
    rng = np.random.default_rng(0)
    assert np.allclose(policy.explore(observations, rng), policy.act(observations), atol=1e-5), "no exploring"


def test_actions_of_the_policy_are_not_imitated():
    learner, *_ = learner_with_demonstration()
    acting = Rollouts(replace(PICK, operator="none"))
    episode = acting.online(1, lambda observation, step: np.ones(4, np.float32), 20, lambda episode: None)
    acting.close()
    before = len(learner.actions)
    learner.add(episode.transitions(0, len(episode)))
    assert len(learner.actions) == len(learner.observations) == before > 0
    learner.forget(len(episode) + 3)
    assert len(learner.actions) == len(learner.observations) == before - 3


def test_cloning_lasts_as_long_as_the_demonstrations_and_resumes_after_a_kill(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train(PICK, whole, learner=InProcessLearner)
    (point,) = read_curve(whole / CURVE)
    assert point.updates == PICK.total_steps * PICK.updates_per_step and point.intervention_rate == 0.0
    assert point.steps < 100 and point.human_s == pytest.approx(point.steps * 0.1)

    class KilledError(Exception):
        pass

    def kill(status):
        if status.phase == "learning":
            raise KilledError

    with pytest.raises(KilledError):
        train(PICK, killed, kill, learner=InProcessLearner)
    train(PICK, killed, resume=True, learner=InProcessLearner)
    for folder in (whole, killed):
        from_checkpoint, policy = load(folder / CHECKPOINT), load(folder)
        assert all((policy.weights[name] == from_checkpoint.weights[name]).all() for name in policy.weights)
    assert all((load(whole).weights[name] == load(killed).weights[name]).all() for name in policy.weights)


def test_dagger_acts_and_is_corrected(tmp_path):
    config = replace(PICK, method="hg-dagger", preset="expert", demos=1, eval_every_steps=60)
    train(config, tmp_path, learner=InProcessLearner)
    points = read_curve(tmp_path / CURVE)
    assert points[-1].steps == pytest.approx(PICK.total_steps, abs=5)
    assert points[-1].human_s > points[0].human_s and points[-1].updates > points[0].updates


def test_unknown_methods_are_refused():
    with pytest.raises(InvalidArgumentError, match='did you mean "hg-dagger"'):
        replace(PICK, method="dagger")


@pytest.mark.nightly
def test_twenty_demonstrations_suffice_for_pick_cube(tmp_path):
    found = train(
        replace(PICK, demos=20, robot_minutes=1, width=128, batch_size=256, final_episodes=50), tmp_path
    )
    assert found.successes >= 45


@pytest.mark.nightly
def test_twenty_demonstrations_suffice_for_arrange_boxes(tmp_path):
    """What `gym-hil train PandaArrangeBoxes-v1 --method bc --robot-minutes 12 --seed 101` does."""
    config = Train(task="PandaArrangeBoxes-v1", method="bc", robot_minutes=12, seed=101)._config()
    found = train(config, tmp_path, videos=False)
    assert found.episodes == 100 and found.successes >= 90
