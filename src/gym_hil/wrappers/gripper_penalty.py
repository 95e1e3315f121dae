"""The penalty for switching the gripper as a wrapper, for programs written for gym-hil 0.1.14."""

from __future__ import annotations

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from gym_hil.envs.manipulation import DEFAULT_GRIPPER_PENALTY


class GripperPenaltyWrapper(gym.Wrapper, RecordConstructorArgs):
    """Sets the penalty in ``info["discrete_penalty"]``. The reward is not affected.

    Args:
        env: an environment of this package.
        penalty: value when a gripper command reverses the previous one.
    """

    def __init__(self, env: gym.Env, penalty: float = DEFAULT_GRIPPER_PENALTY) -> None:
        RecordConstructorArgs.__init__(self, penalty=penalty)
        gym.Wrapper.__init__(self, env)
        env.get_wrapper_attr("set_gripper_penalty")(penalty)
