"""The virtual arms, which are updated in real time and answer programs at their serial ports."""

from __future__ import annotations

import contextlib
import os
import select
from collections import deque
from collections.abc import Callable

import mujoco

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.integrations.lerobot.virtual_arm.line import ServoLine

LARGEST_DELAY = 0.1
"""Largest delay that is caught up (s). A larger one is lost time."""
STEPS_PER_CAMERA_STATE = 4
"""Number of physics steps between two states for the cameras."""


def answer_promptly() -> None:
    """Request real-time priority for this thread, if the system permits it.

    A servo answers within a millisecond, and LeRobot waits for 50 ms.
    """
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK  # threads that it starts are ordinary ones
            os.sched_setscheduler(0, policy, os.sched_param(1))


class Rig:
    """Keeps real time: between two physics steps it answers programs until the next step is due.

    Args:
        lines: the arms at their ports, by name.
        dt: duration of a physics step (s).
        clock: measures the time.

    Attributes:
        lines: the arms at their ports, by name.
        lost_s: time lost because the machine was too slow (s).
    """

    def __init__(self, lines: dict[str, ServoLine], dt: float, clock: Clock = SYSTEM_CLOCK) -> None:
        self.lines = lines
        self.lost_s = 0.0
        self._dt, self._clock = dt, clock
        self._due: float | None = None
        self._ticks = 0
        self._other_models: list[tuple[mujoco.MjModel, mujoco.MjData]] = []
        self._watchers: list[Callable[[], None]] = []
        self._calls: deque[Callable[[], None]] = deque()

    def simulate_together(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Simulate the model of a leader synchronously with the follower."""
        self._other_models.append((model, data))

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` several times per control step, between physics steps."""
        self._watchers.append(watcher)

    def call(self, function: Callable[[], None]) -> None:
        """Call `function` once between two physics steps. Can be called from any thread."""
        self._calls.append(function)

    def tick(self) -> None:
        """Answer programs until the next physics step is due, then update the servos for this step."""
        now = self._clock.monotonic()
        if self._due is None or now - self._due > LARGEST_DELAY:
            self.lost_s += 0.0 if self._due is None else now - self._due
            self._due = now
        while True:
            now = self._clock.monotonic()
            for line in self.lines.values():
                line.serve(now)
            if now >= self._due:
                break
            self._wait(now)
        self._due += self._dt
        while self._calls:
            self._calls.popleft()()
        for line in self.lines.values():
            line.tick(now, self._dt)
        for model, data in self._other_models:
            mujoco.mj_step(model, data)
        if self._ticks % STEPS_PER_CAMERA_STATE == 0:
            for watcher in self._watchers:
                watcher()
        self._ticks += 1

    def close(self) -> None:
        """Disconnect all cables."""
        for line in self.lines.values():
            line.unplug()

    def _wait(self, now: float) -> None:
        assert self._due is not None
        wake = [self._due, *(line.next_arrival or self._due for line in self.lines.values())]
        ports = [line.port.fd for line in self.lines.values() if line.port.plugged]
        select.select(ports, [], [], max(0.0, min(wake) - now))
