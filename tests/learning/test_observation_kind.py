"""What a policy observes: the kinds of observation that a configuration can name."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from gym_hil.core import schema
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.learning.checkpoint import load_policy
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.observation_kind import ObservationKind
from gym_hil.learning.policy_env import make_policy_env
from gym_hil.learning.policy_file import TrainedPolicy
from gym_hil.learning.policy_observation import PolicyObservation
from gym_hil.learning.proprioception import CENTRE, REACH

POSITIONS = ObservationKind("positions")


@pytest.mark.parametrize(
    ("task", "further"), [("PickCube", 0), ("ArrangeBoxes", 0), ("TurnKey", 7), ("InsertUSB", 13)]
)
def test_plain_positions_are_all_in_the_world_frame(task, further):
    env = make_policy_env(f"gym_hil/Panda{task}StateBase-v1", None, observation=POSITIONS)
    seen, _ = env.reset(seed=4)
    raw = env.unwrapped.observe()
    places = raw[schema.ENVIRONMENT_STATE].reshape(-1, 3)
    assert seen.size == 4 + places.size + further
    assert seen[4 : 4 + places.size] * REACH + np.tile(CENTRE, len(places)) == pytest.approx(
        places.ravel(), abs=1e-6
    )
    env.close()


def test_a_saved_policy_of_plain_positions_observes_them_again(tmp_path):
    env_id = "gym_hil/PandaPickCubeStateBase-v1"
    env = make_policy_env(env_id, None, observation=POSITIONS)
    weights = {
        "w0": np.eye(7), "b0": np.zeros(7), "mean_w": np.eye(7, 4, -4), "mean_b": np.zeros(4),
        "spread_w": np.zeros((7, 4)), "spread_b": np.zeros(4),
    }  # fmt: skip
    path = tmp_path / "policy.npz"
    TrainedPolicy(env.interface, TrainConfig(env_id=env_id, obs="positions"), weights).save(path)
    seen, _ = env.reset(seed=0)
    action = load_policy(path, env_id)(EnvironmentInterface(env), np.random.default_rng(0))
    assert np.sign(action[:2]) == pytest.approx(np.sign(np.maximum(seen[4:6], 0.0)))
    env.close()


def test_environments_of_other_packages_have_no_plain_positions():
    with pytest.raises(InvalidArgumentError, match="obs='positions' needs an environment of this package"):
        PolicyObservation(EnvironmentInterface(gym.make("MountainCarContinuous-v0")), POSITIONS)


def test_an_unknown_observation_is_refused_with_the_valid_ones():
    with pytest.raises(InvalidArgumentError, match=r"obs='images'.*state.*positions.*pixels"):
        TrainConfig(env_id="gym_hil/PandaPickCubeStateBase-v1", obs="images")
