"""The hands of a simulated human at a keyboard: which keys go down and up, and when."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.devices.controls import DIRECTIONS, Control
from gym_hil.devices.keyboard import Keyboard
from gym_hil.devices.speed import Speed
from gym_hil.intervention.limits import Limits
from gym_hil.intervention.sight import Glimpse

GAP_S = 0.1
"""Time between two presses of the same key (s), as long as a press."""
AXES = {(axis, sign): control for control, (axis, sign) in DIRECTIONS.items()}


class HandClock:
    """The time of the simulated human, which passes with the steps of the environment."""

    now = 0.0

    def monotonic(self) -> float:
        """Return the time since the episode began (s)."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Do nothing: the environment's steps let time pass."""


class KeyPresses:
    """Plans presses of a keyboard's keys, each with the errors that a hand makes, and carries them out in time.

    A movement is one press, as long as the person expects it to take. What is left is corrected by further presses,
    after a pause for looking, at a slower speed: distance and precision cost time together, as in Fitts's law.

    Args:
        keyboard: whose keys are pressed.
        clock: the keyboard's clock.
        limits: how fast and how exactly the hands move.
    """

    def __init__(self, keyboard: Keyboard, clock: HandClock, limits: Limits) -> None:
        self._keyboard, self._clock, self._limits = keyboard, clock, limits
        self._keys = {control: key for key, control in keyboard.keymap.items()}
        self._plan: list[tuple[float, int, bool, str]] = []
        self._down: dict[str, float] = {}
        self._count = 0
        self._free_at = np.zeros(4)

    def begin(self) -> None:
        """Take the hands off the keys and start the time of an episode."""
        self._keyboard.release_all()
        self._clock.now = 0.0
        self._plan, self._down, self._free_at = [], {}, np.zeros(4)

    def rest(self) -> None:
        """Lift the fingers from all keys, and forget what was planned."""
        self._plan = []
        for key in tuple(self._down):
            self._at(self._clock.now, False, key)

    def tap(self, control: Control, rng: np.random.Generator, after_s: float = 0.0) -> float:
        """Plan a short press, and return when it ends (s).

        Args:
            control: what the key means.
            rng: where its duration comes from.
            after_s: when it begins, from now (s).
        """
        begin = self._clock.now + after_s
        return self._press(self._keys[control], begin, self._varied(self._limits.press_s, rng))

    def steer(
        self,
        seen: Glimpse,
        way: NDArray[np.float64],
        metres_per_s: float,
        speed: Speed,
        rng: np.random.Generator,
    ) -> None:
        """Plan what brings the TCP nearer to its goal, with the fingers that have nothing to do.

        Args:
            seen: what is to be seen.
            way: how far it seems to be from the TCP to its goal (3, m, world axes).
            metres_per_s: the TCP's speed at `Speed.COARSE` (m/s).
            speed: the speed that is chosen now.
            rng: where the errors of the hands come from.
        """
        now, free = self._clock.now, self._free_at
        if free[3] <= now and seen.wants_closed is not None and seen.wants_closed != seen.closing:
            ends = self.tap(Control.CLOSE if seen.wants_closed else Control.OPEN, rng)
            free[:] = np.maximum(free, ends + self._look_s)
            return
        if (free[:3] <= now).all():
            wanted = self._speed_for(float(np.abs(way).max()), metres_per_s)
            speeds = tuple(Speed)
            times = (speeds.index(wanted) - speeds.index(speed)) % len(speeds)
            if times:
                begin = 0.0
                for _ in range(times):
                    begin = self.tap(Control.SPEED, rng, begin) + GAP_S - now
                free[:] = now + begin
                return
        rate = metres_per_s * speed.factor
        for axis in np.flatnonzero(free[:3] <= now).tolist():
            seconds = abs(float(way[axis])) / rate
            if seconds < 0.5 * self._limits.press_s:
                continue
            control = AXES[axis, 1.0 if way[axis] > 0.0 else -1.0]
            if rng.random() < self._limits.wrong_key:
                control = tuple(DIRECTIONS)[int(rng.integers(len(DIRECTIONS)))]
                seconds = self._limits.press_s
            begin = now + rng.uniform(0.0, 0.5 * self._limits.press_s)
            held = max(self._limits.press_s, self._varied(seconds, rng))
            ends = self._press(self._keys[control], begin, held)
            free[DIRECTIONS[control][0]] = free[axis] = ends + self._look_s

    def carry_out(self, until: float) -> None:
        """Press and release what is due before the time `until` (s), which is then."""
        self._clock.now = until
        while self._plan and self._plan[0][0] < until:
            at, _, down, key = heapq.heappop(self._plan)
            if down and key not in self._down:
                self._down[key] = at
                self._keyboard.press(key, at)
            elif not down and key in self._down:
                del self._down[key]
                self._keyboard.release(key, at)

    def get_state(self) -> Any:
        """Return the time, the plan, and the keys that are down."""
        return self._clock.now, list(self._plan), dict(self._down), self._count, self._free_at.copy()

    def set_state(self, state: Any) -> None:
        """Continue from what `get_state` returned."""
        self._keyboard.release_all()
        self._clock.now, plan, down, self._count, free_at = state
        self._plan, self._down, self._free_at = list(plan), dict(down), free_at.copy()
        for key, at in self._down.items():
            self._keyboard.press(key, at)
        self._keyboard.flush()

    @property
    def _look_s(self) -> float:
        return max(self._limits.pause_s, self._limits.sight_delay_s)

    def _speed_for(self, distance: float, metres_per_s: float) -> Speed:
        """Return the fastest speed at which the shortest press goes no farther than `distance` (m)."""
        for speed in Speed:
            if metres_per_s * speed.factor * self._limits.press_s <= distance:
                return speed
        return tuple(Speed)[-1]

    def _varied(self, seconds: float, rng: np.random.Generator) -> float:
        return seconds * max(0.3, 1.0 + self._limits.press_spread * rng.normal())

    def _press(self, key: str, begin: float, seconds: float) -> float:
        self._at(begin, True, key)
        self._at(begin + seconds, False, key)
        return begin + seconds

    def _at(self, time_s: float, down: bool, key: str) -> None:
        self._count += 1
        heapq.heappush(self._plan, (time_s, self._count, down, key))
