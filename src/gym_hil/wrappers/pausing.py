"""Pauses of an environment at the request of its operator."""

from __future__ import annotations

import gymnasium as gym

from gym_hil.core.clock import Clock
from gym_hil.core.observer import Observer

POLL_S = 0.02
"""Polling interval of the device during a pause (s)."""


def find_observers(env: gym.Env) -> list[Observer]:
    """Return the observers of an environment; none without a takeover wrapper."""
    return env.get_wrapper_attr("observers") if env.has_wrapper_attr("observers") else []


def wait_during_pause(env: gym.Env, clock: Clock) -> bool:
    """Wait while the operator has paused an environment, and read the operator's device meanwhile.

    Args:
        env: the environment.
        clock: the clock on which to wait.

    Returns:
        Whether there was a pause. It also ends when the person closes a viewer.
    """
    operator = env.get_wrapper_attr("operator") if env.has_wrapper_attr("operator") else None
    if operator is None or not operator.paused:
        return False
    observers = find_observers(env)
    for observer in observers:
        observer.on_pause()
    while operator.paused and not any(observer.closed for observer in observers):
        clock.sleep(POLL_S)
        for observer in observers:
            observer.on_poll()
        operator.poll_in_pause()
    return True
