"""A wrapped device gets the same input from its viewer as the device inside."""

from __future__ import annotations

import asyncio

import gymnasium as gym
import pytest

import gym_hil  # noqa: F401
from gym_hil.devices import CombinedDevice, Keyboard, PageDevice, RecordingDevice
from gym_hil.intervention.human import Engage, Human
from gym_hil.stacks.build import make_env
from gym_hil.viewers.attach import find_page

pytest.importorskip("aiohttp")


def test_keys_of_the_page_reach_a_wrapped_device(visitor, tmp_path):
    device = RecordingDevice(CombinedDevice(PageDevice(), Keyboard()), tmp_path / "log.jsonl")
    env = make_env("gym_hil/PandaPickCubeBase-v1", operator=Human(device, Engage.HOLD))
    env.reset(seed=0)

    async def take_over():
        async with visitor(find_page(env).url) as guest:
            await guest.until_told("role", "control")
            env.step(env.action_space.sample())
            await guest.tap("Space")
            return env.step(env.action_space.sample())[4]["phase"]

    assert asyncio.run(take_over()) == "takeover"
    env.close()


def test_a_wrapped_keyboard_without_a_window_is_unplugged(monkeypatch, tmp_path):
    from gym_hil.devices.keyboard import WindowKeyboard

    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    keyboard = WindowKeyboard()
    operator = Human(RecordingDevice(keyboard, tmp_path / "log.jsonl"))
    env = gym.make("gym_hil/PandaPickCubeBase-v1")
    from gym_hil.stacks.build import wrap_env

    env = wrap_env(env.unwrapped, operator=operator)
    assert not keyboard.connected
    env.close()
