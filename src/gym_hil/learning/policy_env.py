"""What a learner sees and does: a flat vector of features in, four numbers in [-1, 1] out."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.intervention.human_cost import RecordHumanCost
from gym_hil.intervention.operator import Operator
from gym_hil.learning.image_observation import Eyes
from gym_hil.learning.policy import Interface
from gym_hil.stacks.build import make_env
from gym_hil.tasks import Task

EXECUTED = "executed_action"
"""Info key: the action that was executed, as the learner would have given it."""
_CENTRE = np.array([0.4, 0.0, 0.1], np.float32)
_REACH, _NEAR, _CLOSE, _FINE = 0.2, 0.1, 0.02, 0.002


def hand(observation: dict[str, Any]) -> NDArray[np.float32]:
    """Return the TCP's position and how far the fingers are closed, as features (4)."""
    agent = observation[schema.AGENT_POS]
    closed = agent[14] * (2.0 / schema.FULLY_CLOSED) - 1.0
    return np.array([*((agent[15:18] - _CENTRE) / _REACH), closed], np.float32)


def features(observation: dict[str, Any], task: Task) -> NDArray[np.float32]:
    """Return the learner's features of an observation: the TCP's position, how far the fingers are closed,
    every position of `environment_state` in the world and from the TCP, coarse and fine, and the way from one
    to the other of the task's `pairs`, coarse, fine and to the millimetre.
    """
    places = observation[schema.ENVIRONMENT_STATE].reshape(-1, 3)
    tcp = observation[schema.AGENT_POS][15:18]
    way = places - tcp
    apart = np.array([places[goal] - places[moved] for moved, goal in task.pairs], np.float32).reshape(-1, 3)
    return np.concatenate(
        [
            hand(observation),
            ((places - _CENTRE) / _REACH).ravel(),
            np.clip(way / _NEAR, -3.0, 3.0).ravel(),
            np.tanh(way / _CLOSE).ravel(),
            np.clip(apart / _NEAR, -3.0, 3.0).ravel(),
            np.tanh(apart / _CLOSE).ravel(),
            np.tanh(apart / _FINE).ravel(),
        ],
        dtype=np.float32,
    )


def to_command(action: Any) -> NDArray[np.float32]:
    """Return the end-effector action (4) of a learner's action (4)."""
    command = np.array(action, np.float32)
    command[3] = schema.GripperCommand.CLOSE if command[3] < 0.0 else schema.GripperCommand.OPEN
    return command


class Sight:
    """What a learner sees of an environment: `features`, or with `pixels` along a side of an image, those."""

    def __init__(self, env: ManipulationEnv, pixels: int) -> None:
        self._task = env.task
        self._eyes = Eyes(env, pixels) if pixels else None
        self.space: spaces.Box
        if self._eyes is None:
            size = 4 + 3 * env.task.observation_size + 9 * len(env.task.pairs)
            self.space = spaces.Box(-np.inf, np.inf, (size,), np.float32)
        else:
            self.space = spaces.Box(0, 255, (self._eyes.layout.total_bytes,), np.uint8)

    def __call__(self, observation: dict[str, Any]) -> NDArray[Any]:
        """Return what is seen now, just after `observation`."""
        if self._eyes is None:
            return features(observation, self._task)
        return self._eyes.look(hand(observation))

    def close(self) -> None:
        """Free OpenGL's memory."""
        if self._eyes is not None:
            self._eyes.close()


class PolicyEnv(gym.Wrapper):
    """The gripper's part of an action is a held state: below 0 closed, else open.

    Observations are `features`; or rows of `gym_hil.learning.image_observation`, of images with
    `pixels` along a side.
    """

    def __init__(self, env: gym.Env, pixels: int = 0) -> None:
        super().__init__(env)
        raw = env.unwrapped
        assert isinstance(raw, ManipulationEnv)
        self._raw = raw
        self._sight = Sight(raw, pixels)
        self.observation_space = self._sight.space
        self.action_space = spaces.Box(-1.0, 1.0, (4,), np.float32)

    def reset(self, **kwargs: Any) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Reset."""
        observation, info = self.env.reset(**kwargs)
        return self._sight(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, and report what was executed as the learner would have given it."""
        observation, reward, terminated, truncated, info = self.env.step(to_command(action))
        if info[schema.IS_INTERVENTION]:
            executed = info[schema.TELEOP_ACTION].copy()
            executed[3] = -1.0 if self._raw.simulation.gripper_closing else 1.0
            info[EXECUTED] = executed
        else:
            info[EXECUTED] = np.array(action, np.float32)
        return self._sight(observation), reward, terminated, truncated, info

    def close(self) -> None:
        """Release everything."""
        self._sight.close()
        super().close()


def time_limit(env_id: str) -> int:
    """Return the most steps of an episode of `env_id`."""
    limit = gym.spec(env_id).max_episode_steps
    assert limit is not None
    return limit


def make_policy_env(
    env_id: str,
    operator: Operator | None,
    *,
    limit: int | None = None,
    real_time: bool = False,
    pixels: int = 0,
    **kwargs: Any,
) -> PolicyEnv:
    """Return the base id `env_id` for a learner, with its human-cost metrics and time limit, or another
    `limit` (steps). In `real_time` a step takes as long as on a robot, and the person may pause. With
    `pixels` it is seen in images of that size.
    """
    env = make_env(
        env_id,
        operator=operator,
        gripper_penalty=None,
        max_episode_steps=limit,
        real_time=real_time,
        **kwargs,
    )
    return PolicyEnv(RecordHumanCost(env), pixels)


def interface(env: PolicyEnv) -> Interface:
    """Return what a policy for `env` takes and gives."""
    raw = env.unwrapped
    assert isinstance(raw, ManipulationEnv)
    assert env.observation_space.shape is not None and env.action_space.shape is not None
    return Interface(
        task=raw.task.name,
        observation_size=env.observation_space.shape[0],
        action_size=env.action_space.shape[0],
        ee_step_m=tuple(float(size) for size in env.get_wrapper_attr("scale")),
        control_dt=raw.control_dt,
    )
