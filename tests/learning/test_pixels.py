"""Learning from two cameras: stored images equal the observed ones, random shifts keep their content."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

import gymnasium as gym
import torch

import gym_hil  # noqa: F401
from gym_hil.cli.train import Train
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.learning.async_learner import SeparateProcessLearner
from gym_hil.learning.checkpoint import load, load_policy
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.encoders import CHANNELS, Encoder, randomly_shifted
from gym_hil.learning.image_observation import BOUND, CAMERAS, FEATURES, LEVELS, ImageLayout
from gym_hil.learning.methods.hil import STATE_DEFAULTS, HilLearner
from gym_hil.learning.observation_kind import ObservationKind
from gym_hil.learning.policy import GaussianPolicy
from gym_hil.learning.policy_env import make_policy_env
from gym_hil.learning.policy_file import CHECKPOINT
from gym_hil.learning.proprioception import ProprioceptiveState
from gym_hil.learning.rollout import Rollouts
from gym_hil.learning.run import train
from gym_hil.learning.sac import encode
from gym_hil.learning.torch_setup import select_device
from gym_hil.simulation.rendering import GymRenderingSpec

SMALL = TrainConfig(
    env_id="gym_hil/PandaPickCubeStateBase-v1", obs="pixels", image_size=32, demos=1, robot_minutes=0.06,
    updates_per_step=1, batch_size=8, width=16, eval_episodes=1, final_episodes=1,
)  # fmt: skip


def test_a_row_has_both_images_and_the_proprioception():
    env = make_policy_env(SMALL.env_id, None, observation=ObservationKind("pixels", 32))
    row, _ = env.reset(seed=3)
    assert env.observation_space.contains(row)
    spec = GymRenderingSpec(height=32, width=32)
    twin = gym.make("gym_hil/PandaPickCubeBase-v1", image_obs=True, render_spec=spec)
    seen, _ = twin.reset(seed=3)
    layout = ImageLayout(32)
    images = row[: layout.image_bytes].reshape(2, 32, 32, 3)
    assert (images[0] == seen["pixels"]["front"]).all() and (images[1] == seen["pixels"]["wrist"]).all()
    with torch.no_grad():
        read = Encoder(env.observation_space)(torch.from_numpy(row).float()[None])[0, -4:].numpy()
    assert read == pytest.approx(
        ProprioceptiveState(env.unwrapped.task.robot).features(seen), abs=BOUND / LEVELS + 1e-6
    )
    assert ImageLayout.of(len(row)) == layout


def test_the_encoder_encodes_positions():
    layout = ImageLayout(32)
    encoder = Encoder(gym.spaces.Box(0, 255, (layout.total_bytes,), np.uint8))
    with torch.no_grad():
        for camera in encoder.cameras:
            for convolution in camera.convolutions[::2]:
                convolution.weight.abs_()
                convolution.bias.zero_()
            camera.sharpness.fill_(50.0)
    places = []
    for column in (8, 24):
        image = np.full((32, 32, 3), 127, np.uint8)
        image[20:22, column : column + 2] = 255
        row = layout.pack([image, image], np.zeros(4, np.float32))
        places.append(encoder(torch.from_numpy(row).float()[None])[0].detach().numpy())
    across, down = (places[1] - places[0])[:-FEATURES].reshape(CAMERAS, 2, CHANNELS).transpose(1, 0, 2)
    assert (across > 0.5).all() and np.abs(down).max() < 0.05


def test_shifting_moves_images_and_nothing_else():
    layout, rng = ImageLayout(32), np.random.default_rng(0)
    image = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)
    row = layout.pack([image, image], np.array([1.0, -2.0, 0.5, 0.0], np.float32))
    torch.manual_seed(0)
    rows = randomly_shifted(torch.from_numpy(np.tile(row, (64, 1)))).numpy()
    assert (rows[:, layout.image_bytes :] == row[layout.image_bytes :]).all()
    images = rows[:, : layout.image_bytes].reshape(-1, 32, 32, 3)
    place = np.arange(32)
    ways = {
        (down, right): image[np.clip(place + down, 0, 31)][:, np.clip(place + right, 0, 31)]
        for down in range(-2, 3)
        for right in range(-2, 3)
    }
    found = set()
    for moved in images:
        here = [way for way, expected in ways.items() if (moved == expected).all()]
        assert len(here) == 1
        found |= set(here)
    assert len(found) > 15


def learner_with_demonstration(**changes):
    config = replace(SMALL, **changes)
    acting = Rollouts(config)
    episode = acting.demonstrate(0)
    learner = HilLearner(config, acting.env.observation_space, acting.env.action_space)
    learner.add(episode.transitions(0, len(episode)))
    acting.close()
    return learner, episode


def test_the_encoder_is_trained_by_the_critics_and_not_by_the_actor():
    learner, _ = learner_with_demonstration()
    actor, critic = learner.model.actor, learner.model.critic
    assert actor.features_extractor is critic.features_extractor
    before = [weight.clone() for weight in actor.features_extractor.parameters()]
    drawn = learner.buffer.sample(8)
    learner.model._train_actor(encode(critic, drawn.observations).detach(), drawn.actions[:4])
    after = list(actor.features_extractor.parameters())
    assert all((one == two).all() for one, two in zip(before, after, strict=True))
    learner.update()
    assert any((one != two).any() for one, two in zip(before, after, strict=True))


def test_the_encoder_gets_gradients_of_imitation():
    seen = []
    for weight in (0.0, 0.2):
        learner, _ = learner_with_demonstration(imitation=weight)
        learner.update()
        seen.append(torch.nn.utils.parameters_to_vector(learner.model.actor.features_extractor.parameters()))
    assert (seen[0] != seen[1]).any(), "before the actor has learned anything"


def test_the_acting_policy_and_the_learner_get_the_same_observations():
    learner, episode = learner_with_demonstration()
    acting = GaussianPolicy(learner.policy_weights())
    with torch.no_grad():
        expected = learner.model.actor(torch.from_numpy(episode.observations), deterministic=True).numpy()
    assert acting.act(episode.observations) == pytest.approx(expected, abs=1e-5)
    assert acting.act(episode.observations[0]) == pytest.approx(expected[0], abs=1e-5)


def test_encoding_images_uses_one_thread_and_restores_the_number_of_threads(monkeypatch):
    learner, episode = learner_with_demonstration()
    acting, used, forward = GaussianPolicy(learner.policy_weights()), [], Encoder.forward

    def watched(encoder, observations):
        used.append(torch.get_num_threads())
        return forward(encoder, observations)

    monkeypatch.setattr(Encoder, "forward", watched)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        acting.act(episode.observations[0])
        assert used == [1] and torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["hil", "bc"])
def test_a_run_goes_from_end_to_end(tmp_path, method):
    out = tmp_path / "run"
    train(replace(SMALL, method=method), out, learner=SeparateProcessLearner)
    trained, again = load(out), load(out / CHECKPOINT)
    assert all((trained.weights[name] == again.weights[name]).all() for name in trained.weights)
    policy = load_policy(out, SMALL.env_id)
    env = make_policy_env(SMALL.env_id, None, observation=ObservationKind("pixels", 32))
    row, _ = env.reset(seed=0)
    command = policy(EnvironmentInterface(env), np.random.default_rng(0))
    assert command[:3] == pytest.approx(GaussianPolicy(trained.weights).act(row)[:3], abs=1e-5)


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_a_device_that_is_not_there_is_named(device):
    with pytest.raises(InvalidArgumentError, match=device):
        select_device(device, images=True)
    assert select_device("auto", images=False) == "cpu"


def test_observations_of_images_have_their_own_defaults():
    config = Train(task="PandaPickCube-v1", obs="pixels")._config()
    assert (config.updates_per_step, config.batch_size, config.learning_rate) == (1, 64, 1e-3)
    assert Train(task="PandaPickCube-v1")._config().batch_size == STATE_DEFAULTS["batch_size"]
    assert Train(task="PandaPickCube-v1", method="bc")._config().batch_size == TrainConfig.batch_size
