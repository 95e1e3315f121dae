"""No episode runs without the person who is to drive it."""

from __future__ import annotations

import time
from collections.abc import Callable

import gymnasium as gym

from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.intervention.human import Human

LOOK_S = 0.05
"""Seconds between two looks at whether somebody came."""


def await_person(env: gym.Env, say: Callable[[str], object]) -> None:
    """Where a person drives from a page, show the robot there and wait until somebody has opened it; `say` is
    told how.
    """
    raw = env.unwrapped
    assert isinstance(raw, ManipulationEnv)
    operator = env.get_wrapper_attr("operator") if env.has_wrapper_attr("operator") else None
    if raw.page is None or not isinstance(operator, Human):
        return
    if raw.page.attended or all(device.fed_by != "page" for device in operator.device.leaves()):
        return
    raw.reset(seed=0)
    say("Open this address in a browser; the first episode begins then. Ctrl-C stops.")
    while not raw.page.attended:
        time.sleep(LOOK_S)
