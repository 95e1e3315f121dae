"""Motion commands of a simulated human at a keyboard: directions are keys, and a motion lasts as long as its
press.
"""

from __future__ import annotations

import numpy as np

from gym_hil.devices.controls import DIRECTIONS, Control
from gym_hil.devices.speed import Speed
from gym_hil.intervention.button_presses import SLOW_S, Aim, ButtonPresses, Rates, main_part

AXES = {(axis, sign): control for control, (axis, sign) in DIRECTIONS.items()}
TURNS = ((1, -1.0), (0, 1.0), (2, 1.0))
"""Index and sign of the direction that turns the hand about x, y and z, see
`gym_hil.devices.controls.turned`."""


class KeyPresses(ButtonPresses):
    """Moves the robot by presses of the direction keys.

    A motion is one press of the duration that the person estimates. The remaining error is corrected by further presses
    at a slower speed, after a pause. The duration therefore depends on distance and precision, as in Fitts's law.
    """

    def steer(self, aim: Aim, rates: Rates, speed: Speed, rng: np.random.Generator) -> None:
        """Plan presses, see `ButtonPresses.steer`."""
        now, free = self.clock.now, self._free_at
        if self._grip(aim, rng):
            return
        turns = float(np.abs(aim.turn).max()) > self.least_turn
        if (free[:3] <= now).all():
            distance, per_s = (aim.turn, rates.radians_per_s) if turns else (aim.offset, rates.metres_per_s)
            if self._change_speed(self._speed_for(float(np.abs(distance).max()), per_s), speed, rng):
                return
            if turns:
                self._turn(aim, rates.radians_per_s * speed.factor, rng)
                return
        elif turns:
            return
        rate = rates.metres_per_s * speed.factor
        if float(np.abs(aim.offset).max()) > SLOW_S * rate and not (free[:3] <= now).all():
            return  # until a faster speed can be chosen
        offset = main_part(aim.offset)
        for axis in np.flatnonzero(free[:3] <= now).tolist():
            seconds = abs(float(offset[axis])) / rate
            if seconds < 0.5 * self._limits.press_s:
                continue
            control = AXES[axis, 1.0 if aim.offset[axis] > 0.0 else -1.0]
            if rng.random() < self._limits.wrong_key:
                control = tuple(DIRECTIONS)[int(rng.integers(len(DIRECTIONS)))]
                seconds = self._limits.press_s
            begin = now + rng.uniform(0.0, 0.5 * self._limits.press_s)
            duration = max(self._limits.press_s, self._varied(seconds, rng))
            ends = self._press(control, begin, duration)
            free[DIRECTIONS[control][0]] = free[axis] = ends + self._correction_delay_s

    def _turn(self, aim: Aim, radians_per_s: float, rng: np.random.Generator) -> None:
        """Hold the key for rotation and press the direction of the axis with the largest remaining rotation."""
        axis = int(np.argmax(np.abs(aim.turn)))
        direction, sign = TURNS[axis]
        control = AXES[direction, sign if aim.turn[axis] > 0.0 else -sign]
        begin = self.clock.now + 0.5 * self._limits.press_s
        seconds = max(self._limits.press_s, self._varied(abs(float(aim.turn[axis])) / radians_per_s, rng))
        ends = self._press(control, begin, seconds)
        self._press(Control.TURN, self.clock.now, ends - self.clock.now + 0.5 * self._limits.press_s)
        self._free_at[:] = ends + 0.5 * self._limits.press_s + self._correction_delay_s
