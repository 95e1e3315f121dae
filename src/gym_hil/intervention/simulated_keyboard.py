"""A simulated human at a keyboard: it presses keys, and everything behind the keys is what a person uses."""

from __future__ import annotations

from typing import Any

import numpy as np

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.devices.base import Engage
from gym_hil.devices.controls import Control
from gym_hil.devices.keyboard import Keyboard
from gym_hil.devices.speed import Speed
from gym_hil.intervention.human import Human
from gym_hil.intervention.key_presses import HandClock, KeyPresses
from gym_hil.intervention.limits import DEFAULT_PRESET, Limits
from gym_hil.intervention.operator import Decision, View
from gym_hil.intervention.sight import Glimpse, SeenEnvironment, Sight
from gym_hil.intervention.simulated_human import SimulatedHuman

METRES_PER_STEP = 0.025
"""Motion per step at full speed (m) where the environment does not say it by its attribute ``scale``."""


class SimulatedKeyboard(SimulatedHuman):
    """Watches with delay and errors, judges whether the robot makes progress, and acts by pressing keys.

    It presses the space bar to take over and once more to let go, steers with the keys for directions and the three
    speeds, and opens and closes the gripper. Every episode begins with the coarse speed. The same seed gives the same
    presses.

    Args:
        preset: a name in `gym_hil.intervention.limits.PRESETS`, or `Limits` of your own.
        seed: of its errors and attention, used where `reset` is given none.

    Attributes:
        human: the person with the keyboard. Its `device` may be wrapped, in order to record the presses.
    """

    name = "simulated-keyboard"

    def __init__(self, preset: str | Limits = DEFAULT_PRESET, seed: int | None = None) -> None:
        super().__init__(preset, seed)
        clock = HandClock()
        keyboard = Keyboard(clock=clock)
        self.human = Human(keyboard, Engage.TOGGLE)
        self._clock = clock
        self._sight = Sight(self.limits)
        self._hands = KeyPresses(keyboard, clock, self.limits)
        self._holds = False

    def reset(self, env: EnvironmentInterface, seed: int | None) -> None:
        """Begin an episode with the hands off the keys."""
        super().reset(env, seed)
        self._hands.begin()
        self._sight.begin(self._rng)
        self._holds = False
        self.human.reset(env, seed)
        self.human.speed = Speed.COARSE

    def decide(self, view: View) -> Decision:
        """Look, press and release keys until the step begins, and return what the person's device makes of it."""
        seen = self._sight.look(view.env, self._rng)
        wants = self.wants_control(View(SeenEnvironment(view.env, seen), view.policy_action))
        if wants != self._holds:
            self._hands.rest()
            self._hands.tap(Control.ENGAGE, self._rng)
            self._holds = wants
        elif wants:
            self._steer(view.env, seen)
        self._hands.carry_out(self._clock.now + float(view.env.control_dt))
        self.human.time_scale = self.time_scale
        return self.human.decide(view)

    def get_state(self) -> Any:
        """Return memory, budget, plan, keys that are down, and what the takeover depends on."""
        mind = super().get_state()
        return mind, self._holds, self._sight.get_state(), self._hands.get_state(), self.human.get_state()

    def set_state(self, state: Any) -> None:
        """Continue from what `get_state` returned."""
        mind, self._holds, sight, hands, human = state
        super().set_state(mind)
        self._sight.set_state(sight)
        self._hands.set_state(hands)
        self.human.set_state(human)

    def close(self) -> None:
        """Close the keyboard."""
        self.human.close()

    def _steer(self, env: EnvironmentInterface, seen: Glimpse) -> None:
        step = float(np.max(env.scale)) if env.offers("scale") else METRES_PER_STEP
        rate = step / float(env.control_dt)
        self._hands.steer(seen, self._sight.way(seen), rate, self.human.speed, self._rng)
