"""Real time: the only place that sleeps."""

from __future__ import annotations

import time
from typing import Any

import gymnasium as gym
import numpy as np

from gym_hil.core import schema
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.intervention.operator import Operator
from gym_hil.viewers.base import Screen
from gym_hil.viewers.window import Window

LISTEN_S = 0.02
"""Seconds between two looks at the device while paused."""
PICTURES = 5
"""How many of a step's pictures a window may show while it waits for the next one."""


class RealTimeWrapper(gym.Wrapper):
    """Start steps no closer than `period_s` (s) apart, so that a person can follow, and wait while the person
    has pressed pause.

    A step that starts later than it should counts as an overrun and is not caught up.

    Args:
        env: the environment.
        period_s: seconds per step; None takes the environment's control period.
        slow_motion: how many times slower than that.
        human_slow_motion: how many times slower again while the human acts, for devices that are hard to
            drive with.
        takeover_pause_s: seconds that the world waits when the human has taken over, to look and to aim.
    """

    def __init__(
        self,
        env: gym.Env,
        period_s: float | None = None,
        slow_motion: float = 1.0,
        *,
        human_slow_motion: float = 1.0,
        takeover_pause_s: float = 0.0,
    ) -> None:
        super().__init__(env)
        period = env.unwrapped.control_dt if period_s is None else period_s  # type: ignore[attr-defined]
        factors = {"slow_motion": slow_motion, "human_slow_motion": human_slow_motion}
        for name, value in {"period_s": period, **factors}.items():
            if not (np.isfinite(value) and value > 0):
                raise InvalidArgumentError(f"{name}={value!r} must be a positive number")
        if not (np.isfinite(takeover_pause_s) and takeover_pause_s >= 0):
            raise InvalidArgumentError(f"takeover_pause_s={takeover_pause_s!r} must be at least 0 s")
        self.period_s = float(period) * float(slow_motion)
        self.human_slow_motion = float(human_slow_motion)
        self.takeover_pause_s = float(takeover_pause_s)
        self.overruns = 0
        self.worst_overrun_s = 0.0
        self._due: float | None = None
        self._began = 0.0
        self._period_s = self.period_s
        self._operator: Operator | None = None
        if env.has_wrapper_attr("operator"):
            self._operator = env.get_wrapper_attr("operator")

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset; the first step may start at once."""
        result = self.env.reset(**kwargs)
        self._due = None
        return result

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Wait until the step is due, then step."""
        self._wait_out_pause()
        now = time.perf_counter()
        if self._due is None:
            self._due = now
        elif now <= self._due:
            self._wait(self._due)
        else:
            self.overruns += 1
            self.worst_overrun_s = max(self.worst_overrun_s, now - self._due)
            self._due = now
        for screen in self._screens():
            screen.played = True
        result = self.env.step(action)
        info = result[4]
        slower = self.human_slow_motion if info.get(schema.IS_INTERVENTION) else 1.0
        slower *= max((screen.slow_motion for screen in self._screens()), default=1.0)
        pause_s = self.takeover_pause_s if info.get(schema.PHASE) == "takeover" else 0.0
        self._began, self._period_s = self._due, self.period_s * slower
        self._due += self._period_s + pause_s
        return result

    def _wait(self, due: float) -> None:
        """Let screens show how the last step went, until `due`."""
        for number in range(1, PICTURES):
            share = number / PICTURES
            time.sleep(max(0.0, self._began + share * self._period_s - time.perf_counter()))
            for screen in self._screens():
                screen.play(share, due)
        time.sleep(max(0.0, due - time.perf_counter()))

    def _wait_out_pause(self) -> None:
        operator = self._operator
        if operator is None or not operator.paused:
            return
        screens = self._screens()
        for screen in screens:
            screen.who = "PAUSED"
        while operator.paused and not any(isinstance(s, Window) and s.closed for s in screens):
            time.sleep(LISTEN_S)
            for screen in screens:
                screen.pump()
            operator.idle()
        self._due = None

    def _screens(self) -> list[Screen]:
        return getattr(self.env.unwrapped, "screens", [])
