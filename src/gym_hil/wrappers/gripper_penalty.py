"""The penalty for switching the gripper, as a wrapper that existing programs import."""

from __future__ import annotations

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from gym_hil.envs.manipulation import DEFAULT_GRIPPER_PENALTY


class GripperPenaltyWrapper(gym.Wrapper, RecordConstructorArgs):
    """Set the penalty that the environment reports in ``info["discrete_penalty"]``.

    The reward is left alone: learners that want the penalty read it from the info.

    Args:
        env: an environment of this package.
        penalty: reported when the gripper is told to close while it opens, or the other way round.
    """

    def __init__(self, env: gym.Env, penalty: float = DEFAULT_GRIPPER_PENALTY) -> None:
        RecordConstructorArgs.__init__(self, penalty=penalty)
        gym.Wrapper.__init__(self, env)
        env.get_wrapper_attr("set_gripper_penalty")(penalty)
