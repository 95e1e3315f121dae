"""Wait until the person who drives from a web page is there."""

from __future__ import annotations

from collections.abc import Callable

import gymnasium as gym

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.viewers.attach import page_of, wants

LOOK_S = 0.05
"""Seconds between two looks at whether somebody has opened the page."""


def await_person(env: gym.Env, say: Callable[[str], object], clock: Clock = SYSTEM_CLOCK) -> None:
    """Show the robot on the page and wait until somebody has opened it, if a person drives from there.

    Args:
        env: the environment.
        say: told what the person should do.
        clock: what is used to wait.
    """
    page = page_of(env)
    if page is None or page.attended or not wants(env, "page"):
        return
    env.reset(seed=0)
    say("Open this address in a browser; the first episode begins then. Ctrl-C stops.")
    while not page.attended:
        clock.sleep(LOOK_S)
