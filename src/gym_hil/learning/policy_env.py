"""An environment as a policy observes it: one flat observation in, four numbers in [-1, 1] out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.intervention.human_cost import RecordHumanCost
from gym_hil.intervention.operator import Operator
from gym_hil.learning.features import image_terms, make_features, make_subgoals, size_of
from gym_hil.learning.image_observation import CameraObservation
from gym_hil.learning.policy_interface import ACTION_TERMS, PolicyInterface
from gym_hil.learning.proprioception import Proprioception
from gym_hil.stacks.build import make_env


def to_command(action: Any) -> NDArray[np.float32]:
    """Return the environment's end-effector action (4) for a policy's action (4)."""
    command = np.array(action, np.float32)
    command[3] = schema.GripperCommand.CLOSE if command[3] < 0.0 else schema.GripperCommand.OPEN
    return command


class PolicyObservation:
    """What a policy observes of an environment: features of the state, or camera images and proprioception.

    Args:
        env: the environment.
        pixels: pixels along a side of the images; 0 for features of the state.

    Attributes:
        terms: what the observation consists of, each as ``name[size]``.
        space: of the observation.
    """

    def __init__(self, env: ManipulationEnv, pixels: int) -> None:
        self._cameras = CameraObservation(env, pixels) if pixels else None
        self._own = Proprioception(env.task.robot)
        self._features = make_features(env.task, make_subgoals(env.task))
        self.space: spaces.Box
        if self._cameras is None:
            self.terms = self._features.terms
            self.space = spaces.Box(-np.inf, np.inf, (size_of(self.terms),), np.float32)
        else:
            total = self._cameras.layout.total_bytes
            self.terms = image_terms(total)
            self.space = spaces.Box(0, 255, (total,), np.uint8)

    def __call__(self, observation: dict[str, Any]) -> NDArray[Any]:
        """Return what the policy observes now.

        Args:
            observation: the environment's latest.
        """
        if self._cameras is None:
            return self._features(observation)
        return self._cameras.render(self._own.features(observation))

    def close(self) -> None:
        """Free OpenGL's memory."""
        if self._cameras is not None:
            self._cameras.close()


class PolicyEnv(gym.Wrapper):
    """Observations of `PolicyObservation`, and actions in [-1, 1] whose gripper entry is a held state.

    In a task of several subgoals the reward is also 1 for each further subgoal that is reached.

    Args:
        env: with end-effector actions.
        pixels: as for `PolicyObservation`.
    """

    def __init__(self, env: gym.Env, pixels: int = 0) -> None:
        super().__init__(env)
        raw = env.unwrapped
        assert isinstance(raw, ManipulationEnv)
        self._raw = raw
        self._observation = PolicyObservation(raw, pixels)
        self._subgoals = make_subgoals(raw.task)
        self.observation_space = self._observation.space
        self.action_space = spaces.Box(-1.0, 1.0, (4,), np.float32)

    @property
    def interface(self) -> PolicyInterface:
        """What a policy for this environment observes and does."""
        return PolicyInterface(
            task=self._raw.task.name,
            robot=self._raw.simulation.robot.name,
            observation=self._observation.terms,
            action=ACTION_TERMS,
            ee_step_m=tuple(float(size) for size in self.get_wrapper_attr("scale")),
            control_dt=self._raw.control_dt,
        )

    def reset(self, **kwargs: Any) -> tuple[NDArray[Any], dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(**kwargs)
        if self._subgoals is not None:
            self._subgoals.begin(observation)
        return self._observation(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step. The executed action in the info's record is as the policy would have given it."""
        observation, reward, terminated, truncated, info = self.env.step(to_command(action))
        if self._subgoals is not None and self._subgoals.is_new(observation):
            reward = 1.0
        record = info[schema.STEP]
        executed = np.array(action, np.float32)
        if record.is_intervention:
            executed = record.executed_action.copy()
            executed[3] = -1.0 if self._raw.simulation.gripper_closing else 1.0
        info[schema.STEP] = replace(record, executed_action=executed)
        return self._observation(observation), reward, terminated, truncated, info

    def close(self) -> None:
        """Release everything."""
        self._observation.close()
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
    """Return an environment for a policy, with metrics of human cost and a time limit.

    Args:
        env_id: a base id.
        operator: who may take over, or None.
        limit: most steps of an episode; None for the task's.
        real_time: take as long for a step as a robot does, and let the person pause.
        pixels: pixels along a side of the camera images; 0 for features of the state.
        kwargs: as for `gym_hil.stacks.build.make_env`.
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
