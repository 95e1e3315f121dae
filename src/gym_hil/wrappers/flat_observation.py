"""Flat dictionary observations, for libraries that do not support nested ones."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs


class FlatDictObservation(gym.ObservationWrapper, RecordConstructorArgs):
    """Flattens nested dictionary observations, for instance for Stable-Baselines3.

    Keys are joined by an underscore: ``observation["pixels"]["front"]`` becomes
    ``observation["pixels_front"]``.

    Args:
        env: an environment with dictionary observations.

    Example:
        >>> import gymnasium as gym, gym_hil
        >>> env = FlatDictObservation(gym.make("gym_hil/PandaPickCube-v1", image_obs=True))
        >>> sorted(env.observation_space)
        ['agent_pos', 'pixels_front', 'pixels_wrist']
    """

    def __init__(self, env: gym.Env) -> None:
        RecordConstructorArgs.__init__(self)
        gym.ObservationWrapper.__init__(self, env)
        assert isinstance(env.observation_space, spaces.Dict)
        self.observation_space = spaces.Dict(_flat(env.observation_space))

    def observation(self, observation: Any) -> dict[str, Any]:
        """Return the flattened observation."""
        return _flat(observation)


def _flat(nested: Any) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, dict | spaces.Dict):
            flat |= {f"{key}_{name}": inner for name, inner in _flat(value).items()}
        else:
            flat[key] = value
    return flat
