"""Time to get ready."""

from __future__ import annotations

import logging
import time
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from gym_hil.core.errors import InvalidArgumentError

log = logging.getLogger(__name__)


class ResetDelayWrapper(gym.Wrapper, RecordConstructorArgs):
    """Wait before every reset, so that a person can get ready."""

    def __init__(self, env: gym.Env, delay_seconds: float = 1.0) -> None:
        RecordConstructorArgs.__init__(self, delay_seconds=delay_seconds)
        gym.Wrapper.__init__(self, env)
        if not (np.isfinite(delay_seconds) and delay_seconds >= 0):
            raise InvalidArgumentError(f"reset_delay_seconds={delay_seconds!r} must be at least 0 s")
        self.delay_seconds = float(delay_seconds)

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Wait, then reset."""
        if self.delay_seconds:
            log.info("resetting in %g s", self.delay_seconds)
            time.sleep(self.delay_seconds)
        return self.env.reset(**kwargs)
