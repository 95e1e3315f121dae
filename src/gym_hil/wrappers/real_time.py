"""Pacing of an environment in real time."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from gym_hil.core import schema
from gym_hil.core.arguments import require_number
from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.core.observer import Observer
from gym_hil.core.step_record import StepRecord
from gym_hil.wrappers.pausing import find_observers, wait_during_pause

FRAMES_PER_STEP = 5
"""Number of frames per step that a viewer may show until the next step."""


class RealTimeWrapper(gym.Wrapper):
    """Starts steps at the control rate, and waits while the person has paused the environment.

    A step that starts late counts as an overrun, and the delay is not compensated. A program that paces itself at the
    control rate is therefore not slowed down.

    Args:
        env: the environment.
        period_s: duration of a step (s); None for the environment's control period.
        slow_motion: factor by which everything runs slower.
        human_slow_motion: additional factor while the human acts, for devices with which precise control is
            difficult.
        takeover_pause_s: additional time after a takeover (s).
        clock: clock that measures the time and waits.

    Attributes:
        overruns: number of late steps.
        worst_overrun_s: largest delay of a step (s).

    Raises:
        InvalidArgumentError: a duration or factor is out of range.
    """

    def __init__(
        self,
        env: gym.Env,
        period_s: float | None = None,
        slow_motion: float = 1.0,
        *,
        human_slow_motion: float = 1.0,
        takeover_pause_s: float = 0.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(env)
        period = env.get_wrapper_attr("control_dt") if period_s is None else period_s
        self.period_s = require_number("period_s", period, above=0, unit="seconds")
        self.period_s *= require_number("slow_motion", slow_motion, above=0)
        self.human_slow_motion = require_number("human_slow_motion", human_slow_motion, above=0)
        self.takeover_pause_s = require_number(
            "takeover_pause_s", takeover_pause_s, at_least=0, unit="seconds"
        )
        self.overruns = 0
        self.worst_overrun_s = 0.0
        self._clock = clock
        self._due: float | None = None
        self._began = 0.0
        self._period_s = self.period_s

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset the environment. The first step may start at once."""
        result = self.env.reset(**kwargs)
        self._due = None
        return result

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Wait until the step is due, and execute it."""
        if wait_during_pause(self.env, self._clock):
            self._due = None
        now = self._clock.monotonic()
        if self._due is None:
            self._due = now
        elif now <= self._due:
            self._wait(self._due)
        else:
            self.overruns += 1
            self.worst_overrun_s = max(self.worst_overrun_s, now - self._due)
            self._due = now
        for observer in self._observers:
            observer.paced = True
        result = self.env.step(action)
        record: StepRecord = result[4][schema.STEP]
        slower = self.human_slow_motion if record.is_intervention else 1.0
        slower *= max((observer.time_scale for observer in self._observers), default=1.0)
        pause_s = self.takeover_pause_s if record.phase == "takeover" else 0.0
        self._began, self._period_s = self._due, self.period_s * slower
        self._due += self._period_s + pause_s
        return result

    def _wait(self, due: float) -> None:
        """Let observers show the motion within the last step, until `due`."""
        clock = self._clock
        if self._observers:
            for number in range(1, FRAMES_PER_STEP):
                fraction = number / FRAMES_PER_STEP
                clock.sleep(self._began + fraction * self._period_s - clock.monotonic())
                for observer in self._observers:
                    observer.on_wait(fraction, due)
        clock.sleep(due - clock.monotonic())

    @property
    def _observers(self) -> list[Observer]:
        return find_observers(self.env)
