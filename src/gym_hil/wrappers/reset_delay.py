"""A delay before every reset, so that a person can prepare."""

from __future__ import annotations

import logging
from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from gym_hil.core.arguments import require_number
from gym_hil.core.clock import SYSTEM_CLOCK, Clock

log = logging.getLogger(__name__)


class ResetDelayWrapper(gym.Wrapper, RecordConstructorArgs):
    """Waits before every reset, so that a person can prepare.

    Args:
        env: the environment.
        delay_seconds: duration of the delay (s).
        clock: clock that waits.

    Raises:
        InvalidArgumentError: the delay is negative or not a number.
    """

    def __init__(self, env: gym.Env, delay_seconds: float = 1.0, *, clock: Clock = SYSTEM_CLOCK) -> None:
        RecordConstructorArgs.__init__(self, delay_seconds=delay_seconds)
        gym.Wrapper.__init__(self, env)
        self.delay_seconds = require_number("reset_delay_seconds", delay_seconds, at_least=0, unit="seconds")
        self._clock = clock

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Wait, and reset the environment."""
        if self.delay_seconds:
            log.info("resetting in %g s", self.delay_seconds)
            self._clock.sleep(self.delay_seconds)
        return self.env.reset(**kwargs)
