"""Waits until a person attends the web page."""

from __future__ import annotations

from collections.abc import Callable

import gymnasium as gym

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.viewers.attach import page_of, wants

LOOK_S = 0.05
"""Polling interval (s)."""


def await_person(env: gym.Env, say: Callable[[str], object], clock: Clock = SYSTEM_CLOCK) -> None:
    """If the operator drives from a web page, show the robot there and wait until a person has opened it.

    Args:
        env: the environment.
        say: called with instructions for the person.
        clock: clock of the polling.
    """
    page = page_of(env)
    if page is None or page.attended or not wants(env, "page"):
        return
    env.reset(seed=0)
    say("Open this address in a browser to start the first episode. Ctrl-C stops.")
    while not page.attended:
        clock.sleep(LOOK_S)
