"""What `hil` imitates, and the policy that it returns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gymnasium import spaces

from gym_hil.learning.config import TrainConfig, defaults_for
from gym_hil.learning.episode_store import Transitions

torch = pytest.importorskip("torch")
pytest.importorskip("stable_baselines3")

from gym_hil.learning.methods import METHODS  # noqa: E402
from gym_hil.learning.policy import GaussianPolicy  # noqa: E402
from gym_hil.learning.replay_buffer import HilReplayBuffer, SuccessfulHelpBuffer  # noqa: E402
from gym_hil.learning.weight_average import WeightAverage  # noqa: E402

ENV_ID = "gym_hil/PandaPickCubeStateBase-v1"
SPACES = spaces.Box(-np.inf, np.inf, (1,)), spaces.Box(-1, 1, (1,))


def steps(values, human, *, reward=0.0, ended=True) -> Transitions:
    """Return transitions whose observations are `values`. The last one has the reward. It ends the episode if it is
    a success or `ended` is true.
    """
    count = len(values)
    last = np.arange(count) == count - 1
    observations = np.array(values, np.float32)[:, None]
    rewards = np.where(last, reward, 0.0).astype(np.float32)
    terminated = last & (reward >= 1.0)
    return Transitions(
        observations, observations + 0.5, observations / 100, rewards, terminated, last & ended & ~terminated,
        np.array(human, bool),
    )  # fmt: skip


def examples(buffer: HilReplayBuffer) -> list[float]:
    return buffer.prior.observations[: buffer.prior.size(), 0, 0].tolist()


def test_human_actions_in_failed_episodes_are_no_examples():
    buffer = SuccessfulHelpBuffer(50, *SPACES)
    buffer.add_transitions(steps([1, 2, 3], [0, 1, 1], ended=False))
    assert examples(buffer) == [], "nobody knows yet whether the human will succeed"
    buffer.add_transitions(steps([4, 5], [1, 0], reward=1.0))
    buffer.add_transitions(steps([6, 7, 8], [1, 1, 1]))
    buffer.add_transitions(steps([9], [1], reward=1.0))
    assert examples(buffer) == [2, 3, 4, 9] and buffer.size() == 9
    of_another_package = replace(steps([10, 11], [1, 0]), success=True)
    buffer.add_transitions(of_another_package)
    assert examples(buffer)[4:] == [10], "rewards of other packages can differ from 1"
    plain = HilReplayBuffer(50, *SPACES)
    plain.add_transitions(steps([6, 7, 8], [1, 1, 0]))
    assert examples(plain) == [6, 7]


def test_examples_are_copied_with_all_their_values():
    buffer = SuccessfulHelpBuffer(50, *SPACES)
    buffer.add_transitions(steps([1, 2], [1, 1], reward=1.0))
    prior = buffer.prior
    assert prior.next_observations[:2, 0, 0].tolist() == [1.5, 2.5]
    assert prior.actions[:2, 0, 0].tolist() == pytest.approx([0.01, 0.02])
    assert prior.rewards[:2, 0].tolist() == [0, 1] and prior.dones[:2, 0].tolist() == [0, 1]


def test_a_forgotten_episode_leaves_no_examples():
    buffer = SuccessfulHelpBuffer(50, *SPACES)
    buffer.add_transitions(steps([1, 2], [1, 1], reward=1.0))
    buffer.add_transitions(steps([3, 4], [1, 1], ended=False))
    buffer.forget(2)
    buffer.add_transitions(steps([5], [1], reward=1.0))
    assert examples(buffer) == [1, 2, 5] and buffer.size() == 3
    buffer.add_transitions(steps([6, 7], [1, 1], reward=1.0))
    buffer.forget(2)
    assert examples(buffer) == [1, 2, 5] and buffer.size() == 3


def test_an_average_follows_the_weights_and_forgets_the_first_ones():
    network = torch.nn.Linear(1, 1)
    with torch.no_grad():
        network.weight.fill_(-100.0)
    average = WeightAverage(network, 0.9)
    values = []
    for value in (0.0, *[1.0] * 60):
        with torch.no_grad():
            network.weight.fill_(value)
        average.update()
        values.append(average.weights()["weight"].item())
    assert 0.0 < values[3] < values[10] < values[60] and values[60] == pytest.approx(1.0, abs=0.01)
    restored = WeightAverage(torch.nn.Linear(1, 1), 0.9)
    restored.load_state(average.state("a/"), "a/")
    assert restored.state("") == average.state("")


def test_hil_acts_with_the_average_of_the_weights():
    config = TrainConfig(env_id=ENV_ID, seed=0, robot_minutes=0.1, **defaults_for(ENV_ID, "state", "hil"))
    learner = METHODS.get("hil").make_learner(config, *SPACES)
    learner.add(steps([1, 2, 3], [1, 1, 1], reward=1.0))
    observation, acted = np.zeros(1, np.float32), []
    for _ in range(30):
        learner.update()
        acted.append(GaussianPolicy(learner.policy_weights()).act(observation).item())
    newest = learner.model.actor(torch.zeros(1, 1), deterministic=True).item()
    assert abs(newest - acted[-1]) > 1e-6
    facts, arrays = learner.state()
    again = METHODS.get("hil").make_learner(config, *SPACES)
    again.load_state(facts, dict(arrays))
    assert GaussianPolicy(again.policy_weights()).act(observation).item() == acted[-1]
