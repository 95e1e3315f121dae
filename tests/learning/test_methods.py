"""Learning methods can be added by other packages and name their requirements; policies that do not fit are refused."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.learning.async_learner import InProcessLearner
from gym_hil.learning.checkpoint import load, load_policy, make_env_for
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.evaluation import evaluate
from gym_hil.learning.features import SubgoalFeatures
from gym_hil.learning.learning_curve import CURVE, read_curve
from gym_hil.learning.methods import METHODS
from gym_hil.learning.methods.base import Learner, LearningMethod
from gym_hil.learning.policy_env import make_policy_env
from gym_hil.learning.pretrained import pretrained
from gym_hil.learning.rollout import Rollouts
from gym_hil.learning.run import train
from gym_hil.learning.sac import HilPolicy, HilSAC

PICK = "gym_hil/PandaPickCubeStateBase-v1"
ARRANGE = "gym_hil/PandaArrangeBoxesStateBase-v1"


class NearestPolicy:
    """Does what the human did at the most similar observation."""

    def load(self, weights):
        self.observations, self.actions = weights["observations"], weights["actions"]

    def act(self, observation):
        distances = np.linalg.norm(self.observations - observation, axis=1)
        return self.actions[int(np.argmin(distances))]

    def explore(self, observation, rng):
        return self.act(observation)


class NearestLearner(Learner):
    def __init__(self, config, observation_space, action_space):
        self._rows, self._updates = [], 0
        sizes = observation_space.shape[0], action_space.shape[0]
        self._empty = tuple(np.zeros((1, size), np.float32) for size in sizes)

    def add(self, transitions):
        human = transitions.interventions
        self._rows += list(zip(transitions.observations[human], transitions.actions[human], strict=True))

    def forget(self, count):
        raise NotImplementedError

    def update(self):
        self._updates += 1

    @property
    def updates(self):
        return self._updates

    def policy_weights(self):
        if not self._rows:
            return {"observations": self._empty[0], "actions": self._empty[1]}
        observations, actions = zip(*self._rows, strict=True)
        return {"observations": np.stack(observations), "actions": np.stack(actions)}

    def state(self):
        return {"updates": self._updates}, {}

    def load_state(self, facts, arrays):
        self._updates = facts["updates"]

    def metrics(self):
        return {"stored": float(len(self._rows))}


class Nearest(LearningMethod):
    description = "the nearest neighbour among what the human did"
    needs_demonstrations = True
    learner_class = NearestLearner

    def make_policy(self):
        return NearestPolicy()


@pytest.fixture
def nearest(monkeypatch):
    monkeypatch.setitem(METHODS._values, "nearest", Nearest())


def test_a_method_from_outside_trains_and_its_policy_is_loaded(nearest, tmp_path):
    config = TrainConfig(
        env_id=PICK, method="nearest", demos=2, robot_minutes=0.15, eval_episodes=1, final_episodes=1
    )
    found = train(config, tmp_path, learner=InProcessLearner, videos=False)
    assert read_curve(tmp_path / CURVE)[-1].updates > 0
    trained = load(tmp_path)
    assert isinstance(trained.make_policy(), NearestPolicy) and len(trained.weights["actions"]) > 20
    again = evaluate(trained.make_policy().act, make_env_for(trained, tmp_path, PICK), 1)
    assert again.successes == found.successes


def test_requirements_of_a_method_are_checked(nearest, tmp_path):
    with pytest.raises(InvalidArgumentError, match="method='nearest' needs demonstrations, not demos=0"):
        train(TrainConfig(env_id=PICK, method="nearest", demos=0), tmp_path / "one", videos=False)
    with pytest.raises(InvalidArgumentError, match="method='bc' needs demonstrations"):
        train(TrainConfig(env_id=PICK, method="bc", demos=0), tmp_path / "two", videos=False)
    with pytest.raises(InvalidArgumentError, match=r"method='nearest' does not support obs=.pixels"):
        train(TrainConfig(env_id=PICK, method="nearest", obs="pixels"), tmp_path / "three", videos=False)


def test_a_policy_for_another_robot_is_refused_naming_both():
    path = pretrained(PICK)
    trained = load(path)
    env = make_policy_env(PICK, None, robot="panda_robotiq_2f85")
    with pytest.raises(InvalidArgumentError, match="robot panda, not panda_robotiq_2f85"):
        trained.interface.require_same(env.interface, path)
    policy = load_policy(path, PICK)
    env.reset(seed=0)
    with pytest.raises(InvalidArgumentError, match="robot panda, not panda_robotiq_2f85"):
        policy(EnvironmentInterface(env), np.random.default_rng(0))


def test_an_ordinary_wrapper_and_sac_of_this_package_learn_together():
    env = gym.wrappers.FlattenObservation(gym.make("gym_hil/PandaPickCubeSimulatedHuman-v1"))
    model = HilSAC(HilPolicy, env, buffer_size=200, learning_starts=30, batch_size=8, seed=0)
    model.learn(60)
    buffer = model.demonstration_buffer
    assert buffer.size() == 60 and 0 < buffer.prior.size() <= 60
    assert np.abs(buffer.actions[:60]).max() <= 1.0 and model.updates > 0


def test_boxes_are_fetched_one_after_the_other_and_each_one_is_rewarded_once():
    rollouts = Rollouts(TrainConfig(env_id=ARRANGE, demos=1))
    episode = rollouts.demonstrate(0)
    rollouts.close()
    assert episode.success and episode.rewards.sum() == 5.0
    transitions = episode.transitions(0, len(episode))
    assert (transitions.terminated == (episode.rewards == 1.0)).all() and not transitions.truncated.any()
    assert episode.observations.shape[1] == sum(
        int(term.split("[")[1][:-1]) for term in SubgoalFeatures.terms
    )


def test_features_of_boxes_do_not_depend_on_which_box_and_where():
    env = make_policy_env(ARRANGE, None)
    row = np.linspace(-0.3, 0.3, 5)
    seen = []
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0]):
        xy = np.column_stack([np.full(5, 0.3), row[order]])
        observation, _ = env.reset(seed=0, options={"box_xy": xy})
        seen.append(observation)
    from_tcp = slice(3, 6)
    assert not np.allclose(seen[0][from_tcp], seen[1][from_tcp]), "the first box lies elsewhere"
    assert np.allclose(seen[0][:3], seen[1][:3])
    env.close()


def test_a_policy_for_push_t_observes_how_the_block_and_its_outline_are_turned():
    env = make_policy_env("gym_hil/PandaPushTStateBase-v1", None)
    poses = {"block_pose": [0.45, -0.1, 0.5], "goal_pose": [0.45, 0.1, 0.0]}
    usual, _ = env.reset(seed=0, options=poses)
    for name in poses:
        turned, _ = env.reset(seed=0, options=poses | {name: [*poses[name][:2], 2.0]})
        assert np.abs(turned - usual).max() > 0.5, f"{name} is not observed"
    episode = Rollouts(TrainConfig(env_id="gym_hil/PandaPushTStateBase-v1", demos=1)).demonstrate(0)
    assert episode.success and episode.rewards.sum() == 1.0, "points of one object are no subtasks"
    env.close()


def test_the_robot_of_a_run_is_that_of_its_id(tmp_path):
    config = TrainConfig(
        env_id="gym_hil/SO101PickCubeStateBase-v1",
        method="bc",
        demos=2,
        robot_minutes=0.1,
        final_episodes=1,
    )
    train(config, tmp_path, learner=InProcessLearner, videos=False)
    assert load(tmp_path).interface.robot == "so101"
