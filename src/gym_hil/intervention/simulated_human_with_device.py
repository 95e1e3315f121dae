"""A simulated human who operates a device through the same code as a person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gym_hil.core.command import Command
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.devices.base import Device, Engage
from gym_hil.devices.controls import Control
from gym_hil.devices.speed import Speed
from gym_hil.intervention.axis_motion import AxisMotion
from gym_hil.intervention.button_presses import Aim, ButtonPresses, Rates
from gym_hil.intervention.end_effector_operators import EndEffectorOperators
from gym_hil.intervention.held_devices import KEYBOARD, HeldDevice
from gym_hil.intervention.human import Human
from gym_hil.intervention.key_presses import KeyPresses
from gym_hil.intervention.limits import DEFAULT_PRESET, Limits
from gym_hil.intervention.operator import Decision, Operator, View
from gym_hil.intervention.perception import PerceivedEnvironment, Perception
from gym_hil.intervention.simulated_human import SimulatedHuman

METRES_PER_STEP = 0.025
"""Motion per step at full speed (m) if the environment has no attribute ``scale``."""
RADIANS_PER_STEP = 0.1
"""Rotation per step at full speed (rad)."""


class SimulatedHumanWithDevice(SimulatedHuman):
    """Watches with delay and errors, judges the robot's progress, and acts through a device.

    It takes over as people do with the device: by a key, by holding a button, or by moving. Every episode begins with
    the coarse speed. The same seed gives the same presses.

    Args:
        preset: a name in `gym_hil.intervention.limits.PRESETS`, or `Limits`.
        seed: seed of the errors and of the attention, used if `reset` gets none.
        held: the device.

    Attributes:
        human: the person with the device. Its `device` may be wrapped, for example to record the presses.
    """

    simulated = True

    def __init__(
        self,
        preset: str | Limits = DEFAULT_PRESET,
        seed: int | None = None,
        *,
        held: HeldDevice = KEYBOARD,
    ) -> None:
        super().__init__(preset, seed)
        self.name = held.name
        make = KeyPresses if held.resolution is None else AxisMotion
        self._hands: ButtonPresses = make(held, self.limits)
        self.human = Human(self._hands.handle.device, held.engage)
        self._perception = Perception(self.limits)
        self._in_control = False
        self._turnable = np.zeros(3)

    @property
    def device(self) -> Device:
        """The device that the person holds."""
        return self.human.device

    def for_end_effectors(self, count: int) -> Operator:
        """Return a human with one device per end effector."""
        others = (SimulatedHumanWithDevice(self.limits, held=self._hands.held) for _ in range(count - 1))
        return EndEffectorOperators([self, *others])

    def reset(self, env: EnvironmentInterface, seed: int | None) -> None:
        """Begin an episode with all controls released."""
        super().reset(env, seed)
        self._hands.begin(self._rng)
        self._perception.begin(self._rng)
        self._in_control = False
        self._turnable = _turnable(env)
        self.human.reset(env, seed)
        self.human.speed = Speed.COARSE

    def decide(self, view: View) -> Decision:
        """Look, operate the device until the step begins, and return the decision of the device."""
        hands, env = self._hands, view.env
        seen = self._perception.look(env, self._rng)
        wants = self.wants_control(View(PerceivedEnvironment(env, seen), view.policy_action))
        if wants != self._in_control:
            hands.rest()
            self._in_control = wants
            if hands.held.engage is Engage.TOGGLE:
                hands.engage(self._rng)
            elif wants and hands.held.engage is Engage.HOLD:
                hands.hold(Control.ENGAGE)
        elif wants:
            dt = float(env.control_dt)
            metres = float(np.max(env.scale)) if env.offers("scale") else METRES_PER_STEP
            aim = self._slip(self._perception.aim(seen, self._turnable), seen.closing, dt)
            aim = replace(aim, offset=self._condition.route.part(aim.offset))
            hands.slowness = self._condition.slowness
            hands.steer(aim, Rates(metres / dt, RADIANS_PER_STEP / dt), self.human.speed, self._rng)
        hands.carry_out(hands.clock.now + float(env.control_dt), self._rng)
        self.human.time_scale = self.time_scale
        return self.human.decide(view)

    def _slip(self, aim: Aim, closing: bool, seconds: float) -> Aim:
        """Return the aim, or at random times a wrong one: to open closed fingers, or to close open ones."""
        slips = self.limits.slips_per_min
        if aim.grip is not None or not slips or self._rng.random() >= slips * seconds / 60.0:
            return aim
        return replace(aim, grip=Control.OPEN if closing else Control.CLOSE)

    def get_state(self) -> Any:
        """Return memory, budget, plan, pressed keys, and the state of the takeover."""
        human_state = super().get_state()
        return (
            human_state,
            self._in_control,
            self._turnable.copy(),
            self._perception.get_state(),
            self._hands.get_state(),
            self.human.get_state(),
        )

    def set_state(self, state: Any) -> None:
        """Restore what `get_state` returned."""
        human_state, self._in_control, turnable, perception, hands, device_state = state
        super().set_state(human_state)
        self._turnable = turnable.copy()
        self._perception.set_state(perception)
        self._hands.set_state(hands)
        self.human.set_state(device_state)

    def close(self) -> None:
        """Close the device."""
        self.human.close()


def _turnable(env: EnvironmentInterface) -> np.ndarray:
    """Return 1 for each axis (3) about which actions turn the hand, 0 for the others."""
    neutral = env.neutral_action()
    twists = np.eye(6)[3:].tolist()
    commands = (env.command_action(Command((x, y, z, rx, ry, rz))) for x, y, z, rx, ry, rz in twists)
    return np.array([float(not np.array_equal(command, neutral)) for command in commands])
