"""Planning and execution of button presses, shared by all simulated humans with a device."""

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
from gym_hil.intervention.condition import FAR_M
from gym_hil.intervention.held_devices import Handle, HeldDevice
from gym_hil.intervention.limits import Limits

Array = NDArray[np.float64]
GAP_S = 0.1
"""Time between two presses of the same key (s). Assumed to be as long as a press."""
SLOW_S = 2.0
"""A faster speed is selected for motions that would take longer than this (s). Assumed."""
LEAST_TURN = 0.02
"""Remaining rotation that is not corrected (rad). Assumed: about a degree."""
POSTPONED_SHARE = 0.25
"""Near the goal, an axis is moved later if its remaining distance is at most this share of the largest one. Assumed:
people move axes with similar distances together, and those with small ones separately (Zhai and Milgram, CHI 1998)."""
PERCEIVED_TURN = 2.0
"""Remaining rotation that is not corrected, in standard deviations of its perception. Smaller ones are mostly errors
of perception."""


class HandClock:
    """The clock of a simulated human, which advances with the steps of the environment."""

    now = 0.0

    def monotonic(self) -> float:
        """Return the time since the start of the episode (s)."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Do nothing, because only the steps of the environment advance the time."""


@dataclass(frozen=True)
class Aim:
    """The remaining motion that a person perceives.

    Attributes:
        offset: vector from the TCP to its goal (3, m, world axes).
        turn: rotation to the goal (3, rotation vector, rad, world axes).
        grip: required gripper command, None for none.
        delay_s: age of this perception (s).
    """

    offset: Array
    turn: Array
    grip: Control | None = None
    delay_s: float = 0.0


@dataclass(frozen=True)
class Rates:
    """Speeds of the robot at full level and `Speed.COARSE`."""

    metres_per_s: float
    radians_per_s: float


def main_part(offset: Array) -> Array:
    """Return a remaining translation (3, m) with 0 for the axes that are moved later, see `POSTPONED_SHARE`."""
    size = np.abs(offset)
    largest = float(size.max())
    return offset if largest > FAR_M else offset * (size > POSTPONED_SHARE * largest)


class ButtonPresses(abc.ABC):
    """Plans presses of buttons with human errors, and executes them in time.

    Args:
        held: the device.
        limits: speed and accuracy of the person.
    """

    slowness = 1.0

    _STATE_NAMES: ClassVar[tuple[str, ...]] = ("_plan", "_pressed", "_sequence", "_free_at")

    def __init__(self, held: HeldDevice, limits: Limits) -> None:
        self.clock = HandClock()
        self.handle: Handle = held.hold(self.clock)
        self.held, self._limits = held, limits
        self._plan: list[tuple[float, int, bool, Control]] = []
        self._pressed: dict[Control, float] = {}
        self._sequence = 0
        self._free_at = np.zeros(4)
        """Time from which the next press for each axis and for the gripper can be planned (s)."""

    @property
    def least_turn(self) -> float:
        """Remaining rotation that is not corrected (rad)."""
        return max(LEAST_TURN, PERCEIVED_TURN * self._limits.perception_error_rad)

    @abc.abstractmethod
    def steer(self, aim: Aim, rates: Rates, speed: Speed, rng: np.random.Generator) -> None:
        """Plan presses that bring the TCP nearer to its goal, on axes without a pending press.

        Args:
            aim: the remaining motion.
            rates: speeds of the robot.
            speed: current speed setting.
            rng: random generator of the errors.
        """

    def begin(self, rng: np.random.Generator) -> None:
        """Release everything and start the time of an episode."""
        for control, at in self._pressed.items():
            self.handle.release(control, at)
        self.clock.now = 0.0
        self._plan, self._pressed, self._free_at = [], {}, np.zeros(4)

    def rest(self) -> None:
        """Release all keys and discard the plan."""
        self._plan = []
        for control in tuple(self._pressed):
            self._schedule(self.clock.now, False, control)

    def tap(self, control: Control, rng: np.random.Generator, after_s: float = 0.0) -> float:
        """Plan a short press and return its end (s).

        Args:
            control: control of the key.
            rng: random generator of the duration.
            after_s: time until it begins (s).
        """
        begin = self.clock.now + after_s
        return self._press(control, begin, self._varied(self._limits.press_s, rng))

    def engage(self, rng: np.random.Generator) -> None:
        """Plan the press that starts or ends a takeover. The first motion follows after a pause, like every press."""
        self._free_at[:] = self.tap(Control.ENGAGE, rng) + self._correction_delay_s

    def hold(self, control: Control) -> None:
        """Press a button and keep it pressed until `rest`."""
        self._schedule(self.clock.now, True, control)

    def carry_out(self, until: float, rng: np.random.Generator) -> None:
        """Execute all planned presses and releases up to the time `until` (s), which becomes the current
        time.
        """
        self.clock.now = until
        while self._plan and self._plan[0][0] < until:
            at, _, down, control = heapq.heappop(self._plan)
            if down and control not in self._pressed:
                self._pressed[control] = at
                self.handle.press(control, at)
            elif not down and control in self._pressed:
                del self._pressed[control]
                self.handle.release(control, at)

    def get_state(self) -> Any:
        """Return the time, the plan, and the pressed buttons."""
        return copy.deepcopy((self.clock.now, {name: getattr(self, name) for name in self._STATE_NAMES}))

    def set_state(self, state: Any) -> None:
        """Restore what `get_state` returned."""
        for control, at in self._pressed.items():
            self.handle.release(control, at)
        self.clock.now, memory = copy.deepcopy(state)
        for name, value in memory.items():
            setattr(self, name, value)
        for control, at in self._pressed.items():
            self.handle.press(control, at)
        self.handle.device.flush()

    @property
    def _correction_delay_s(self) -> float:
        return max(self.slowness * self._limits.pause_s, self._limits.perception_delay_s)

    def _grip(self, aim: Aim, rng: np.random.Generator) -> bool:
        """Plan the press for the required gripper command, and return whether there is one."""
        if aim.grip is None or self._free_at[3] > self.clock.now:
            return False
        ends = self.tap(aim.grip, rng)
        self._free_at[:] = np.maximum(self._free_at, ends + self._correction_delay_s)
        return True

    def _change_speed(self, target: Speed, speed: Speed, rng: np.random.Generator) -> bool:
        """Plan the presses that change to a speed, and return whether any are needed."""
        speeds = tuple(Speed)
        times = (speeds.index(target) - speeds.index(speed)) % len(speeds)
        begin = 0.0
        for _ in range(times):
            begin = self.tap(Control.SPEED, rng, begin) + GAP_S - self.clock.now
        if times:
            self._free_at[:] = self.clock.now + begin
        return times > 0

    def _speed_for(self, distance: float, per_s: float) -> Speed:
        """Return the fastest speed at which the shortest press moves at most `distance` (m or rad)."""
        for speed in Speed:
            if per_s * speed.factor * self._limits.press_s <= distance:
                return speed
        return tuple(Speed)[-1]

    def _varied(self, seconds: float, rng: np.random.Generator) -> float:
        return seconds * max(0.3, 1.0 + self.slowness * self._limits.press_spread * rng.normal())

    def _press(self, control: Control, begin: float, seconds: float) -> float:
        self._schedule(begin, True, control)
        self._schedule(begin + seconds, False, control)
        return begin + seconds

    def _schedule(self, time_s: float, down: bool, control: Control) -> None:
        self._sequence += 1
        heapq.heappush(self._plan, (time_s, self._sequence, down, control))
