"""Policies of this package for an arm, without training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.learning.config import TrainConfig
from gym_hil.learning.features import image_terms, state_terms, total_size
from gym_hil.learning.image_observation import ImageLayout
from gym_hil.learning.observation_kind import STATE
from gym_hil.learning.policy_actions import make_actions
from gym_hil.learning.policy_env import make_interface
from gym_hil.learning.policy_file import TrainedPolicy
from gym_hil.learning.policy_observation import PolicyObservation
from gym_hil.stacks.build import make_env


def upwards(
    task: str = "PersonJudges", robot: str = "so101", level: float = 0.4, obs: str = "state"
) -> TrainedPolicy:
    """Return a policy that always moves upwards and opens the gripper."""
    config = TrainConfig(env_id="gym_hil/SO101PickCubeStateBase-v1", method="bc", obs=obs, image_size=16)
    env = make_env(config.env_id)
    inner = EnvironmentInterface(env)
    interface = make_interface(inner, PolicyObservation(inner, STATE), make_actions(inner))
    env.close()
    if task == "PersonJudges":
        interface = replace(interface, observation=state_terms(0, 0))
    inputs = total_size(interface.observation)
    if obs == "pixels":
        inputs = ImageLayout(16).total_bytes
        interface = replace(interface, observation=image_terms(inputs))
    weights = {
        "w0": np.zeros((inputs, 2)), "b0": np.zeros(2), "mean_w": np.zeros((2, 4)),
        "mean_b": np.array([0.0, 0.0, np.arctanh(level), 1.0]), "spread_w": np.zeros((2, 4)), "spread_b": np.zeros(4),
    }  # fmt: skip
    return TrainedPolicy(replace(interface, task=task, robot=robot), config, weights)
