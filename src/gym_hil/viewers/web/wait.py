"""Waits until a person attends the web page."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from urllib.parse import urlsplit

import gymnasium as gym

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.devices.page import LOOPBACK
from gym_hil.viewers.attach import find_page, needs_viewer

POLL_S = 0.05
"""Polling interval (s)."""


def await_person(env: gym.Env, notify: Callable[[str], object], clock: Clock = SYSTEM_CLOCK) -> None:
    """If the operator drives from a web page that no person attends, show the robot there and wait for one.

    Args:
        env: the environment.
        notify: called with instructions for the person.
        clock: clock of the polling.
    """
    page = find_page(env)
    if page is None or page.attended or not needs_viewer(env, "page"):
        return
    env.reset(seed=0)
    for line in _instructions(page.url):
        notify(line)
    while not page.attended:
        clock.sleep(POLL_S)


def _instructions(url: str) -> list[str]:
    """Return what a person has to do to attend the page."""
    lines = ["Open the address above in a browser to start the next episode. Ctrl-C stops."]
    address, connection = urlsplit(url), os.environ.get("SSH_CONNECTION", "").split()
    if address.hostname == LOOPBACK and len(connection) == 4:
        server, port = connection[2], address.port
        lines += [
            "This is a remote machine; first run this command on yours:",
            f"  ssh -N -L {port}:{LOOPBACK}:{port} {getpass.getuser()}@{server}",
        ]
    return lines
