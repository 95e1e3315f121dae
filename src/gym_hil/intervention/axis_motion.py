"""Motion commands of a simulated human at a device with axes: sticks, the cap of a SpaceMouse, a leader arm."""

from __future__ import annotations

import math
from collections import deque
from typing import ClassVar, cast

import numpy as np

from gym_hil.devices.base import STILL, Engage, Motion
from gym_hil.devices.controls import Control
from gym_hil.devices.speed import Speed
from gym_hil.intervention.button_presses import SLOW_S, Aim, Array, ButtonPresses, Rates, main_part
from gym_hil.intervention.held_devices import HeldDevice
from gym_hil.intervention.limits import Limits

TREMOR_HZ = (8.0, 12.0)
"""Frequencies of the tremor of a healthy hand (Elble and Randall, Electroencephalogr. Clin. Neurophysiol. 44,
1978)."""
NUDGE = 0.02
"""Level by which a person who takes over by motion stays engaged while nothing is to be moved. Assumed."""
AT_REST = 0.05
"""Level below which the hand presses the button for the next speed. At a higher level the robot would jump, because the
button selects the coarse speed after the fine one. Assumed."""
PRECISE_M, PRECISE_FACTOR = 0.003, 2.0
"""Remaining translation below which a goal is approached more slowly (m), and factor on `Limits.approach_s`. Slow
movements are more accurate (Woodworth, Psychol. Rev. Monogr. 3, 1899; Fitts, J. Exp. Psychol. 47, 1954). Both values
are assumed."""
LONGEST_DELAY_S = 1.0
"""Time for which the person remembers their own motion (s); longer than any delay of perception."""


class AxisMotion(ButtonPresses):
    """Moves the robot by levels of the axes, which the person corrects after each look.

    The hand follows the intended motion like a critically damped second-order system, with noise proportional to the
    level and with tremor. The person perceives a delayed state, and takes into account how the hand has moved since.
    """

    _STATE_NAMES: ClassVar[tuple[str, ...]] = (
        *ButtonPresses._STATE_NAMES,
        *("_target_levels", "_level", "_velocity", "_scale", "_position", "_reported"),
        *("_recent_motion", "_phase", "_hz", "_turning", "_motion"),
    )

    def __init__(self, held: HeldDevice, limits: Limits) -> None:
        super().__init__(held, limits)
        self._recent_motion: deque[tuple[float, Array]] = deque()
        self._turning = False
        self._hz = 0.5 * sum(TREMOR_HZ)
        self._phase: Array = np.zeros(6)
        self._level: Array = np.zeros(6)
        self._velocity: Array = np.zeros(6)
        self._target_levels: Array = np.zeros(6)
        self._position: Array = np.zeros(6)
        self._reported: Array = np.zeros(6)
        self._motion: Motion = STILL
        self._release_axes()

    def begin(self, rng: np.random.Generator) -> None:
        """Release everything and start the time of an episode."""
        super().begin(rng)
        self._phase, self._hz = rng.uniform(0.0, 2.0 * math.pi, 6), rng.uniform(*TREMOR_HZ)
        self._release_axes()

    def rest(self) -> None:
        """Release everything; axes return to 0."""
        super().rest()
        self._release_axes()

    def steer(self, aim: Aim, rates: Rates, speed: Speed, rng: np.random.Generator) -> None:
        """Choose new levels if a correction is due; see `ButtonPresses.steer`."""
        now = self.clock.now
        if self._grip(aim, rng):
            self._target_levels = np.zeros(6)
            if self.held.engage is Engage.MOTION:
                self._target_levels[2] = NUDGE
            return
        if (self._free_at > now).any():
            return
        self._free_at[:] = now + self._varied(self.slowness * self._limits.pause_s, rng)
        executed = sum((moved for at, moved in self._recent_motion if at > now - aim.delay_s), np.zeros(6))
        offset, turn = aim.offset - executed[:3], aim.turn - executed[3:]
        turns = float(np.abs(turn).max()) > self.least_turn
        distance, per_s = (turn, rates.radians_per_s) if turns else (offset, rates.metres_per_s)
        if self.held.changes_speed:
            next_speed = self._next_speed(float(np.abs(distance).max()), per_s, speed)
            if next_speed is not speed:
                self._target_levels = np.zeros(6)
                if float(np.abs(self._level).max()) < AT_REST:
                    self._change_speed(next_speed, speed, rng)
                return
        near = not turns and float(np.abs(offset).max()) < PRECISE_M
        seconds = self._limits.approach_s * speed.factor * (PRECISE_FACTOR if near else 1.0)
        levels = (
            np.concatenate([main_part(offset) / rates.metres_per_s, turn / rates.radians_per_s]) / seconds
        )
        levels[3:] *= np.abs(turn) > self.least_turn
        if self.held.changes_speed:  # as with keys, offsets below half a short press are not corrected
            levels[:3] *= np.abs(offset) > 0.5 * self._limits.press_s * rates.metres_per_s * speed.factor
        if self.held.engage is Engage.MOTION and not levels.any():
            levels[2] = NUDGE
        if self.held.turns_with_button:
            levels[slice(0, 3) if turns else slice(3, 6)] = 0.0
            self._hold_turning(turns)
        if rng.random() < self._limits.wrong_key:
            levels = np.roll(levels, 1)
        self._target_levels = np.clip(levels, -1.0, 1.0)
        self._scale = np.repeat([rates.metres_per_s, rates.radians_per_s], 3) * speed.factor

    def carry_out(self, until: float, rng: np.random.Generator) -> None:
        """Execute all planned presses, releases and levels up to the time `until` (s), which becomes the
        current time.
        """
        seconds = until - self.clock.now
        super().carry_out(until, rng)
        omega = 2.0 * math.pi * self._limits.bandwidth_hz
        # The exact solution of the critically damped second-order system.
        error, decay = self._level - self._target_levels, math.exp(-omega * seconds)
        rate = self._velocity + omega * error
        self._level = self._target_levels + (error + rate * seconds) * decay
        self._velocity = (self._velocity - omega * rate * seconds) * decay
        level = self._level * (1.0 + self.slowness * self._limits.noise * rng.normal(0.0, 1.0, 6))
        tremor = self._limits.tremor * np.sin(2.0 * math.pi * self._hz * until + self._phase)
        self._motion = (
            self._displacement(level, tremor) if self.held.pulls else self._deflections(level, tremor)
        )
        self._recent_motion.append((until, level * self._scale * seconds))
        while self._recent_motion[0][0] < until - LONGEST_DELAY_S:
            self._recent_motion.popleft()
        self.handle.move(self._motion, turning=Control.TURN in self._pressed)

    def set_state(self, state: object) -> None:
        """Restore what `get_state` returned."""
        super().set_state(state)
        self.handle.move(self._motion, turning=Control.TURN in self._pressed)

    def _next_speed(self, distance: float, per_s: float, speed: Speed) -> Speed:
        """Return the speed for a remaining distance (m or rad): the current one, unless that is too coarse or slow."""
        # Unlike presses of a key, levels can be small, so that a coarser speed is suitable for the same distance.
        suitable = self._speed_for(2.5 * distance, per_s)
        slow = distance > SLOW_S * per_s * speed.factor
        return suitable if suitable.factor < speed.factor or slow else speed

    def _release_axes(self) -> None:
        self._target_levels, self._level, self._velocity = np.zeros(6), np.zeros(6), np.zeros(6)
        self._position, self._reported, self._scale = np.zeros(6), np.zeros(6), np.zeros(6)
        self._recent_motion.clear()
        self._motion = STILL
        self._turning = False
        self.handle.move(STILL, turning=False)

    def _hold_turning(self, turns: bool) -> None:
        if turns != self._turning:
            self._schedule(self.clock.now, turns, Control.TURN)
            self._turning = turns

    def _deflections(self, level: Array, tremor: Array) -> Motion:
        """Return the deflections for which the device reports `level`; those within its dead zone are reported as 0."""
        size, deadzone = np.abs(level), self.held.deadzone
        deflected = np.where(size > 1e-3, np.sign(level) * (deadzone + (1.0 - deadzone) * size), 0.0)
        return self._rounded(deflected + tremor)

    def _displacement(self, level: Array, tremor: Array) -> Motion:
        """Return the change of the position that the device reports since the last call."""
        self._position = self._position + level
        reported = np.array(self._rounded(self._position + tremor, most=math.inf))
        motion, self._reported = np.clip(reported - self._reported, -1.0, 1.0), reported
        return cast(Motion, tuple(motion.tolist()))

    def _rounded(self, levels: Array, most: float = 1.0) -> Motion:
        step = cast(float, self.held.resolution)
        return cast(Motion, tuple((np.clip(np.round(levels / step) * step, -most, most) + 0.0).tolist()))
