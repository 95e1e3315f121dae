"""What the hands of simulated people share, whatever they hold: a plan of presses, and the time that passes."""

from __future__ import annotations

import abc
import copy
import heapq
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gym_hil.devices.controls import Control
from gym_hil.devices.speed import Speed
from gym_hil.intervention.held_devices import Handle, HeldDevice
from gym_hil.intervention.limits import Limits

Array = NDArray[np.float64]
GAP_S = 0.1
"""Time between two presses of the same key (s), as long as a press."""
LEAST_TURN = 0.02
"""Rotation that is left as it is (rad). Chosen: about a degree."""


class HandClock:
    """The time of the simulated human, which passes with the steps of the environment."""

    now = 0.0

    def monotonic(self) -> float:
        """Return the time since the episode began (s)."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Do nothing: the environment's steps let time pass."""


@dataclass(frozen=True)
class Aim:
    """What a person wants to do next, as it seems to them.

    Attributes:
        way: from the TCP to its goal (3, m, world axes).
        turn: to the orientation that is wanted (3, rotation vector, rad, world axes).
        grip: what the fingers have to be told; None for nothing.
        delay_s: how old this view is (s).
    """

    way: Array
    turn: Array
    grip: Control | None = None
    delay_s: float = 0.0


@dataclass(frozen=True)
class Rates:
    """How fast the robot moves at full level and `Speed.COARSE`."""

    metres_per_s: float
    radians_per_s: float


class ButtonPresses(abc.ABC):
    """Plans presses of buttons, each with the errors that a hand makes, and carries them out in time.

    Args:
        held: what is held.
        limits: how fast and how exactly the hands move.

    Attributes:
        slowness: how many times slower and less exact than these limits say.
    """

    slowness = 1.0

    _MEMORY: ClassVar[tuple[str, ...]] = ("_plan", "_down", "_count", "_free_at")

    def __init__(self, held: HeldDevice, limits: Limits) -> None:
        self.clock = HandClock()
        self.handle: Handle = held.hold(self.clock)
        self.held, self._limits = held, limits
        self._plan: list[tuple[float, int, bool, Control]] = []
        self._down: dict[Control, float] = {}
        self._count = 0
        self._free_at = np.zeros(4)
        """When the hands have time for each axis, and for the gripper (s)."""

    @abc.abstractmethod
    def steer(self, aim: Aim, rates: Rates, speed: Speed, rng: np.random.Generator) -> None:
        """Plan what brings the TCP nearer to its goal, with the fingers that have nothing to do.

        Args:
            aim: what has to be done.
            rates: how fast the robot moves.
            speed: the speed that is chosen now.
            rng: where the errors of the hands come from.
        """

    def begin(self, rng: np.random.Generator) -> None:
        """Take the hands off the device and start the time of an episode."""
        for control, at in self._down.items():
            self.handle.release(control, at)
        self.clock.now = 0.0
        self._plan, self._down, self._free_at = [], {}, np.zeros(4)

    def rest(self) -> None:
        """Lift the fingers from all keys, and forget what was planned."""
        self._plan = []
        for control in tuple(self._down):
            self._at(self.clock.now, False, control)

    def tap(self, control: Control, rng: np.random.Generator, after_s: float = 0.0) -> float:
        """Plan a short press, and return when it ends (s).

        Args:
            control: what the key means.
            rng: where its duration comes from.
            after_s: when it begins, from now (s).
        """
        begin = self.clock.now + after_s
        return self._press(control, begin, self._varied(self._limits.press_s, rng))

    def hold(self, control: Control) -> None:
        """Press a button, and keep it down until `rest`."""
        self._at(self.clock.now, True, control)

    def carry_out(self, until: float, rng: np.random.Generator) -> None:
        """Press and release what is due before the time `until` (s), which is then."""
        self.clock.now = until
        while self._plan and self._plan[0][0] < until:
            at, _, down, control = heapq.heappop(self._plan)
            if down and control not in self._down:
                self._down[control] = at
                self.handle.press(control, at)
            elif not down and control in self._down:
                del self._down[control]
                self.handle.release(control, at)

    def get_state(self) -> Any:
        """Return the time, the plan, and the buttons that are down."""
        return copy.deepcopy((self.clock.now, {name: getattr(self, name) for name in self._MEMORY}))

    def set_state(self, state: Any) -> None:
        """Continue from what `get_state` returned."""
        for control, at in self._down.items():
            self.handle.release(control, at)
        self.clock.now, memory = copy.deepcopy(state)
        for name, value in memory.items():
            setattr(self, name, value)
        for control, at in self._down.items():
            self.handle.press(control, at)
        self.handle.device.flush()

    @property
    def _look_s(self) -> float:
        return max(self.slowness * self._limits.pause_s, self._limits.sight_delay_s)

    def _grip(self, aim: Aim, rng: np.random.Generator) -> bool:
        """Plan the press that the fingers need, if there is one, and return whether there is."""
        if aim.grip is None or self._free_at[3] > self.clock.now:
            return False
        ends = self.tap(aim.grip, rng)
        self._free_at[:] = np.maximum(self._free_at, ends + self._look_s)
        return True

    def _change_speed(self, wanted: Speed, speed: Speed, rng: np.random.Generator) -> bool:
        """Plan the presses that lead to a speed, and return whether there are any."""
        speeds = tuple(Speed)
        times = (speeds.index(wanted) - speeds.index(speed)) % len(speeds)
        begin = 0.0
        for _ in range(times):
            begin = self.tap(Control.SPEED, rng, begin) + GAP_S - self.clock.now
        if times:
            self._free_at[:] = self.clock.now + begin
        return times > 0

    def _speed_for(self, distance: float, per_s: float) -> Speed:
        """Return the fastest speed at which the shortest press goes no farther than `distance` (m or rad)."""
        for speed in Speed:
            if per_s * speed.factor * self._limits.press_s <= distance:
                return speed
        return tuple(Speed)[-1]

    def _varied(self, seconds: float, rng: np.random.Generator) -> float:
        return seconds * max(0.3, 1.0 + self.slowness * self._limits.press_spread * rng.normal())

    def _press(self, control: Control, begin: float, seconds: float) -> float:
        self._at(begin, True, control)
        self._at(begin + seconds, False, control)
        return begin + seconds

    def _at(self, time_s: float, down: bool, control: Control) -> None:
        self._count += 1
        heapq.heappush(self._plan, (time_s, self._count, down, control))
