"""``--env.type=gym_hil`` for LeRobot's programs that train and evaluate: `lerobot-train`, `lerobot-eval`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.envs import EnvConfig
from lerobot.utils.constants import ACTION, OBS_ENV_STATE, OBS_IMAGES, OBS_STATE

import gym_hil  # noqa: F401
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.schema import AGENT_POS, ENVIRONMENT_STATE, ID_NAMESPACE, PIXELS
from gym_hil.simulation.rendering import GymRenderingSpec
from gym_hil.stacks.ids import parse_id


@EnvConfig.register_subclass("gym_hil")
@dataclass
class GymHilEnv(EnvConfig):
    """Configuration of an environment of this package, for every id with end-effector actions (not `Base`)."""

    task: str | None = "PandaPickCube-v1"
    """Environment id without namespace."""
    fps: int = 10
    """Control steps per second, for LeRobot's videos."""
    episode_length: int | None = None
    """Time limit of an episode in steps; None uses that of the id."""
    observation_height: int = 128
    """Height of the camera images (pixels)."""
    observation_width: int = 128
    """Width of the camera images (pixels)."""
    gripper_apart: bool = False
    """Whether the action feature leaves out the gripper, which policies of `lerobot.rl` predict separately."""
    features: dict[str, PolicyFeature] = field(default_factory=dict)
    features_map: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fill the features from the spaces of the environment."""
        parse_id(str(self.task))
        env = _make(self.gym_id, self.gym_kwargs)
        observations, actions = env.observation_space, env.action_space
        env.close()
        assert isinstance(observations, spaces.Dict) and isinstance(actions, spaces.Box)
        size = actions.shape[0]
        action = (size - 1,) if self.gripper_apart else (size,)
        self._add(ACTION, ACTION, FeatureType.ACTION, action)
        self._add(AGENT_POS, OBS_STATE, FeatureType.STATE, observations[AGENT_POS].shape)
        self._add(ENVIRONMENT_STATE, OBS_ENV_STATE, FeatureType.ENV, observations[ENVIRONMENT_STATE].shape)
        for camera, space in _cameras(observations).items():
            self._add(f"{PIXELS}/{camera}", f"{OBS_IMAGES}.{camera}", FeatureType.VISUAL, space.shape)

    def _add(self, key: str, name: str, kind: FeatureType, shape: tuple[int, ...] | None) -> None:
        self.features[key] = PolicyFeature(type=kind, shape=shape)
        self.features_map[key] = name

    @property
    def package_name(self) -> str:
        """The namespace of the ids."""
        return ID_NAMESPACE

    @property
    def gym_kwargs(self) -> dict[str, Any]:
        """The keyword arguments for `gymnasium.make`."""
        spec = GymRenderingSpec(height=self.observation_height, width=self.observation_width)
        return {
            "image_obs": True,
            "render_mode": "rgb_array",
            "render_spec": spec,
            "max_episode_steps": self.episode_length,
        }

    def create_envs(self, n_envs: int, use_async_envs: bool = False) -> dict[str, dict[int, VectorEnv]]:
        """Create a vector environment.

        Args:
            n_envs: number of environments.
            use_async_envs: whether each environment runs in a process of its own.

        Returns:
            ``{"gym_hil": {0: vector environment}}``, as `lerobot-eval` expects.
        """
        makers = [partial(_make, self.gym_id, self.gym_kwargs)] * n_envs
        vector: VectorEnv
        if use_async_envs and n_envs > 1:
            vector = AsyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP, context="forkserver")
        else:
            vector = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)
        return {self.type: {0: vector}}


class ForEvaluation(gym.Wrapper):
    """Adds `environment_state` to the observations, because recorded datasets contain it, and removes the reset
    options that `lerobot-eval` adds for its own wrapper.

    Args:
        env: the environment.
    """

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        observations = env.observation_space
        assert isinstance(observations, spaces.Dict)
        inner = EnvironmentInterface(env)
        self._task, self._simulation = inner.task, inner.simulation
        objects = spaces.Box(-np.inf, np.inf, (self._task.observation_size,), np.float32)
        self.observation_space = spaces.Dict({**observations.spaces, ENVIRONMENT_STATE: objects})

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Reset the environment without the options that begin with ``lerobot_``."""
        own_options = {key: value for key, value in (options or {}).items() if not key.startswith("lerobot_")}
        observation, info = self.env.reset(seed=seed, options=own_options)
        return self._complete(observation), info

    def step(self, action: Any) -> Any:
        """Step the environment and complete the observation."""
        observation, *rest = self.env.step(action)
        return self._complete(observation), *rest

    def _complete(self, observation: dict[str, Any]) -> dict[str, Any]:
        objects = self._task.observe(self._simulation)
        return {**observation, ENVIRONMENT_STATE: np.asarray(objects, np.float32)}


def _cameras(observations: spaces.Dict) -> dict[str, spaces.Space[Any]]:
    pixels = observations.spaces.get(PIXELS)
    return dict(pixels.spaces) if isinstance(pixels, spaces.Dict) else {}


def _make(env_id: str, kwargs: dict[str, Any]) -> gym.Env:
    return ForEvaluation(gym.make(env_id, disable_env_checker=True, **kwargs))
