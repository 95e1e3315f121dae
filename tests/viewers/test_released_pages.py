"""Pages that nobody can reach any more are released, for example after running a notebook's cell again."""

from __future__ import annotations

import gc
import threading

import gymnasium as gym
import pytest

import gym_hil  # noqa: F401

pytest.importorskip("aiohttp")


def threads_of_pages() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "gym-hil page"}


def make() -> tuple[gym.Env, threading.Thread]:
    """Return an environment with a page, and the thread of the page."""
    before = threads_of_pages()
    env = gym.make("gym_hil/PandaPickCubeBrowser-v1")
    env.reset(seed=0)
    (thread,) = threads_of_pages() - before
    return env, thread


def test_replacing_an_environment_closes_its_page():
    threads = []
    for _ in range(3):
        env, thread = make()
        threads.append(thread)
    gc.collect()
    for thread in threads[:2]:
        thread.join(30.0)
    assert [thread.is_alive() for thread in threads] == [False, False, True]
    env.close()
    assert not threads[-1].is_alive()


def test_the_garbage_collector_may_run_in_the_thread_of_the_page(monkeypatch):
    ignored: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", ignored.append)
    gc.collect()
    gc.disable()
    try:
        env, thread = make()
        loop = env.get_wrapper_attr("observers")[0]._server._loop
        del env
        loop.call_soon_threadsafe(gc.collect)
        thread.join(30.0)
    finally:
        gc.enable()
    assert not thread.is_alive() and not ignored
