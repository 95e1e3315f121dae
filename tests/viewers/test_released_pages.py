"""Pages that nobody can reach any more are released, for example after running a notebook's cell again."""

from __future__ import annotations

import gc
import threading

import gymnasium as gym
import pytest

import gym_hil  # noqa: F401

pytest.importorskip("aiohttp")


def pages() -> int:
    return sum(thread.name == "gym-hil page" for thread in threading.enumerate())


def test_replacing_an_environment_closes_its_page():
    before = pages()
    for _ in range(3):
        env = gym.make("gym_hil/PandaPickCubeBrowser-v1")
        env.reset(seed=0)
    gc.collect()
    assert pages() == before + 1
    env.close()
    assert pages() == before
