"""Wraps an environment for a policy, with a flat observation and actions in [-1, 1]."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.intervention.human_cost import RecordHumanCost
from gym_hil.intervention.operator import Operator
from gym_hil.learning.features import make_subgoals
from gym_hil.learning.observation_kind import STATE, ObservationKind
from gym_hil.learning.policy_actions import PolicyActions, make_actions
from gym_hil.learning.policy_interface import PolicyInterface
from gym_hil.learning.policy_observation import PolicyObservation
from gym_hil.stacks.build import Build, make_env
from gym_hil.stacks.ids import is_external


def task_and_robot(env: EnvironmentInterface) -> tuple[str, str]:
    """Return the names of the task and the robot; for another package's environment, its id and ``""``."""
    if env.offers("simulation"):
        return env.task.name, env.simulation.robot.name
    spec = env.env.spec
    return (spec.id if spec is not None else str(env.env)), ""


def make_interface(
    env: EnvironmentInterface, observation: PolicyObservation, actions: PolicyActions
) -> PolicyInterface:
    """Return the interface of policies for an environment with these observations and actions."""
    task, robot = task_and_robot(env)
    return PolicyInterface(
        task=task,
        robot=robot,
        observation=observation.terms,
        action=actions.terms,
        ee_step_m=actions.step_m,
        control_dt=float(env.control_dt),
    )


class PolicyEnv(gym.Wrapper):
    """Gives an environment the observations of `PolicyObservation` and actions in [-1, 1].

    In tasks with several subgoals, the reward is 1 for each further subgoal that is reached, unless a learned reward
    decides about success.

    Args:
        env: an environment of this package with end-effector actions, or one of another package.
        observation: what the policy observes.

    Attributes:
        interface: the interface of policies for this environment.
        idle_action: the policy's action that causes no motion.
    """

    def __init__(self, env: gym.Env, observation: ObservationKind = STATE) -> None:
        super().__init__(env)
        inner = EnvironmentInterface(env)
        self._observation, self._actions = PolicyObservation(inner, observation), make_actions(inner)
        rewards_subgoals = inner.offers("simulation") and inner.success_detector is None
        self._subgoals = make_subgoals(inner.task) if rewards_subgoals else None
        self.observation_space = self._observation.space
        self.action_space = spaces.Box(-1.0, 1.0, (self._actions.size,), np.float32)
        self.idle_action = self._actions.idle
        self.interface = make_interface(inner, self._observation, self._actions)

    def reset(self, **kwargs: Any) -> tuple[NDArray[Any], dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(**kwargs)
        if self._subgoals is not None:
            self._subgoals.begin(observation)
        return self._observation(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the environment. The executed action in the record is converted to the policy's action space."""
        observation, reward, terminated, truncated, info = self.env.step(self._actions.to_env(action))
        if self._subgoals is not None and self._subgoals.is_new(observation):
            reward = 1.0
        record = info[schema.STEP]
        info[schema.STEP] = replace(record, executed_action=self._actions.executed(action, record))
        return self._observation(observation), reward, terminated, truncated, info

    def close(self) -> None:
        """Close the environment and free the rendering resources."""
        self._observation.close()
        super().close()


def time_limit(env_id: str) -> int:
    """Return the time limit of an episode of `env_id` in steps.

    Raises:
        InvalidArgumentError: there is no time limit.
    """
    name = env_id.rpartition(":")[2] if is_external(env_id) else env_id  # `is_external` imports the module
    limit = gym.spec(name).max_episode_steps
    if limit is None:
        raise InvalidArgumentError(
            f"training needs a time limit, but {env_id!r} is registered without max_episode_steps"
        )
    return limit


def make_policy_env(
    env_id: str,
    operator: str | Operator | None,
    *,
    limit: int | None = None,
    real_time: bool = False,
    observation: ObservationKind = STATE,
    build: Build | None = None,
    **kwargs: Any,
) -> PolicyEnv:
    """Return an environment for a policy, with statistics of human cost and a time limit.

    Args:
        env_id: a base id, or the id of another package's environment.
        operator: the operator who may take over or their name, or None.
        limit: time limit of an episode in steps; None for the task's.
        real_time: whether steps run in real time and the person can pause.
        observation: what the policy observes.
        build: creates the environment of a configuration, see `gym_hil.stacks.build.make_env`.
        kwargs: further arguments of `gym_hil.stacks.build.make_env`.
    """
    env = make_env(
        env_id,
        build=build,
        operator=operator,
        gripper_penalty=None,
        max_episode_steps=limit,
        real_time=real_time,
        **kwargs,
    )
    if is_external(env_id):
        env.reset(seed=0)  # some environments can be observed only after a reset
    return PolicyEnv(RecordHumanCost(env), observation)
