"""Measures the latency from a key press to the motion of the arm."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.devices import Keyboard
from gym_hil.intervention import Engage, Human
from gym_hil.stacks.build import make_env
from gym_hil.wrappers.real_time import RealTimeWrapper


@dataclass(frozen=True)
class Latency:
    """Latency from a key press to the end of the step that it commands, in real time."""

    period_ms: float
    """Control period (ms). A press directly after the start of a step waits for the next one."""
    waits_ms: NDArray[np.float64]
    """Latency of every press (ms)."""

    @property
    def median_ms(self) -> float:
        """Median latency (ms)."""
        return float(np.median(self.waits_ms))

    @property
    def worst_ms(self) -> float:
        """Largest latency (ms)."""
        return float(self.waits_ms.max())


def measure(env_id: str, *, image_obs: bool, presses: int, seed: int) -> Latency:
    """Measure the latency of an environment that runs at its control rate.

    Args:
        env_id: id of the environment.
        image_obs: whether it observes images.
        presses: number of presses at random times.
        seed: seed of the times.
    """
    keyboard = Keyboard()
    operator = Human(keyboard, engage=Engage.MOTION, release_after_steps=0)
    base_id = gym.spec(env_id).kwargs.get("env_id", env_id)
    env = RealTimeWrapper(make_env(base_id, image_obs=image_obs, operator=operator))
    simulation = EnvironmentInterface(env).simulation
    simulate = simulation.step
    end_effector = simulation.end_effectors[0]
    command = end_effector.move
    pressed_s: list[float] = []
    moved_s: list[float] = []

    moving = False

    def record_command(translation: Any, *rest: Any) -> None:
        nonlocal moving
        moving = bool(np.any(translation))
        command(translation, *rest)

    def record_step() -> None:
        simulate()
        if moving:
            moved_s.append(time.perf_counter())

    def press() -> None:
        pressed_s.append(time.perf_counter())
        keyboard.press("up")

    end_effector.move, simulation.step = record_command, record_step
    rng = np.random.default_rng(seed)
    idle = np.array([0, 0, 0, 1], np.float32)
    env.reset(seed=seed)
    for number in range(presses):
        timer = threading.Timer(rng.uniform(0.5, 1.5) * env.period_s, press)
        timer.start()
        while len(moved_s) <= number:
            env.step(idle)
        timer.join()
        keyboard.release("up")
        del moved_s[number + 1 :]
        if number % 8 == 7:
            env.reset()
    env.close()
    waits_ms = 1e3 * (np.array(moved_s) - np.array(pressed_s))
    return Latency(1e3 * env.period_s, waits_ms)
