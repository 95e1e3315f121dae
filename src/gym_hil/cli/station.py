"""What commands do for a person at a web page."""

from __future__ import annotations

import time

import gymnasium as gym
from rich.console import Console

from gym_hil.devices.page import PageDevice
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.operators.human import Human

LOOK_S = 0.05
"""Seconds between two looks at whether somebody came."""


def await_person(env: gym.Env, console: Console) -> None:
    """Where a person drives from a page, show the robot there and wait until somebody has opened it, so that
    no episode runs without them.
    """
    raw = env.unwrapped
    assert isinstance(raw, ManipulationEnv)
    operator = env.get_wrapper_attr("operator") if env.has_wrapper_attr("operator") else None
    if raw.page is None or not isinstance(operator, Human) or not isinstance(operator.device, PageDevice):
        return
    raw.reset(seed=0)
    console.print("Open this address in a browser; the first episode begins then. Ctrl-C stops.")
    while not raw.page.attended:
        time.sleep(LOOK_S)
