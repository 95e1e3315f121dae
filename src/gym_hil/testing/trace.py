"""Observes an environment from the inside: the executed actions, and the motion of the TCP within each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from numpy.typing import NDArray

from gym_hil.envs.manipulation import ManipulationEnv


class WatchedEnv(gym.Wrapper):
    """Wraps the raw environment and stores what it receives.

    Args:
        env: the raw environment.

    Attributes:
        executed: the last raw action (7); None after a reset.
        during_reset: function that is called at the end of every reset.
    """

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        self.executed: NDArray[Any] | None = None
        self.during_reset: Callable[[], None] = lambda: None

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset the environment."""
        self.executed = None
        result = self.env.reset(**kwargs)
        self.during_reset()
        return result

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the environment."""
        self.executed = np.array(action)
        return self.env.step(action)


@contextmanager
def tcp_positions(env: gym.Env) -> Iterator[list[NDArray[np.float64]]]:
    """Collect the positions of the TCP (3, m, world frame) in every physics step until the block ends."""
    raw = env.unwrapped
    assert isinstance(raw, ManipulationEnv)
    positions: list[NDArray[np.float64]] = []
    mujoco.set_mjcb_control(lambda model, data: positions.append(raw.simulation.tcp_pos_w.copy()))
    try:
        yield positions
    finally:
        mujoco.set_mjcb_control(None)


def peak_acceleration(positions: list[NDArray[np.float64]], dt: float) -> float:
    """Return the largest acceleration (m/s^2) along `positions` (m) with intervals of `dt` (s)."""
    return float(np.linalg.norm(np.diff(np.array(positions), 2, axis=0), axis=1).max()) / dt**2
