"""Real time: the only place that sleeps."""

from __future__ import annotations

import time
from typing import Any

import gymnasium as gym
import numpy as np

from gym_hil.errors import InvalidArgumentError


class RealTimeWrapper(gym.Wrapper):
    """Start steps no closer than `period_s` (s) apart, so that a person can follow.

    A step that starts later than it should counts as an overrun and is not caught up.

    Args:
        env: the environment.
        period_s: seconds per step; None takes the environment's control period.
        slow_motion: how many times slower than that.
    """

    def __init__(self, env: gym.Env, period_s: float | None = None, slow_motion: float = 1.0) -> None:
        super().__init__(env)
        period = env.unwrapped.control_dt if period_s is None else period_s  # type: ignore[attr-defined]
        for name, value in (("period_s", period), ("slow_motion", slow_motion)):
            if not (np.isfinite(value) and value > 0):
                raise InvalidArgumentError(f"{name}={value!r} must be a positive number")
        self.period_s = float(period) * float(slow_motion)
        self.overruns = 0
        self.worst_overrun_s = 0.0
        self._due: float | None = None

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset; the first step may start at once."""
        result = self.env.reset(**kwargs)
        self._due = None
        return result

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Wait until the step is due, then step."""
        now = time.perf_counter()
        if self._due is None:
            self._due = now
        elif now <= self._due:
            time.sleep(self._due - now)
        else:
            self.overruns += 1
            self.worst_overrun_s = max(self.worst_overrun_s, now - self._due)
            self._due = now
        self._due += self.period_s
        return self.env.step(action)
