"""Random input for devices, and checks that it causes neither errors nor unwanted motion."""

from __future__ import annotations

from collections.abc import Callable

import gymnasium as gym
import numpy as np

from gym_hil.core import schema
from gym_hil.devices.controls import Control
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.testing.devices import DeviceRig, assert_valid_reading, tap

STILL_STEPS = 8
"""Number of steps after a release until the arm must not move any more."""
STILL_M = 0.0005
"""Largest motion of the TCP per step after these steps (m)."""


class RandomHand:
    """Operates a device at random: it presses, releases, moves, unplugs and plugs in.

    Args:
        rig: operates the device.
        seed: seed of the random actions.

    Attributes:
        events: number of actions so far.
        plugged: whether the device is plugged in.
        engaging: whether the intervention button is held, or was pressed since `polled` was called.
    """

    def __init__(self, rig: DeviceRig, seed: int) -> None:
        self.rig = rig
        self.events = 0
        self.plugged = True
        self._rng = np.random.default_rng(seed)
        self._can_be_plugged = type(rig).reconnect is not DeviceRig.reconnect
        self._held: set[Control] = set()
        self._tapped = False
        self._controls = sorted(rig.controls, key=str)

    @property
    def engaging(self) -> bool:
        """Whether the intervention button is held, or was pressed since `polled` was called."""
        return self._tapped or Control.ENGAGE in self._held

    def polled(self) -> None:
        """Remember that the device was read or flushed."""
        self._tapped = False

    def act(self) -> None:
        """Perform one random action."""
        self.events += 1
        kind = self._rng.random()
        if kind < 0.004 and self._can_be_plugged:
            self.toggle_plug()
        elif kind < 0.5 and self.rig.axes:
            self.rig.move(int(self._rng.choice(self.rig.axes)), float(self._rng.uniform(-1.0, 1.0)))
        elif kind < 0.52:
            self._all_together()
        elif self._controls:
            self._use(self._controls[int(self._rng.integers(len(self._controls)))])

    def act_repeatedly(self, most: int = 20) -> None:
        """Perform up to `most` random actions at once."""
        for _ in range(int(self._rng.integers(most + 1))):
            self.act()

    def chance(self, probability: float) -> bool:
        """Return True with `probability`."""
        return bool(self._rng.random() < probability)

    def _use(self, control: Control) -> None:
        if control in self._held:
            self._held.discard(control)
            self.rig.release(control)
        elif self._rng.random() < 0.5:
            self._held.add(control)
            self._tapped |= control is Control.ENGAGE
            self.rig.press(control)
        else:
            self._tapped |= control is Control.ENGAGE
            tap(self.rig, control)

    def _all_together(self) -> None:
        for control in self._controls:
            self._held.add(control)
            self.rig.press(control)
        self._tapped = True
        for control in self._controls:
            self._held.discard(control)
            self.rig.release(control)

    def toggle_plug(self) -> None:
        """Unplug the device, or plug it in again, if it supports this."""
        move: Callable[[], None] = self.rig.disconnect if self.plugged else self.rig.reconnect
        try:
            move()
        except NotImplementedError:
            return
        self.plugged = not self.plugged
        self._held.clear()
        self._tapped = False
        self.rig.settle()


def play_at_random(env: gym.Env, hand: RandomHand, events: int, *, strict: bool) -> tuple[int, int]:
    """Step an environment whose device is operated at random, and check that the human acts only while
    engaged, and that the robot does not move while nobody acts.

    Args:
        env: the environment.
        hand: operates the device of the environment's operator.
        events: number of random actions.
        strict: whether to check that the human does not act while the intervention button is released.

    Returns:
        The numbers of steps of the human and of the policy.
    """
    raw = env.unwrapped
    assert isinstance(raw, ManipulationEnv)
    idle = np.zeros(env.action_space.shape or (), np.float32)
    idle[3:] = schema.GripperCommand.STAY
    max_lead = raw.simulation.robot.end_effectors[0].impedance.max_lead
    steps = {True: 0, False: 0}
    quiet = 0
    env.reset(seed=0)
    hand.polled()
    while hand.events < events:
        hand.act_repeatedly()
        if not hand.plugged and hand.chance(0.3):
            hand.toggle_plug()
        tcp, target = raw.simulation.tcp_pos_w.copy(), raw.simulation.target_pos_w.copy()
        *_, terminated, truncated, info = env.step(idle)
        human = info[schema.IS_INTERVENTION]
        steps[human] += 1
        assert not human or hand.plugged, "an unplugged device acted"
        if strict and not hand.engaging:
            assert not human, "the human acted although the intervention button is not pressed"
        hand.polled()
        quiet = quiet + 1 if info[schema.PHASE] == "policy" else 0
        if not human:
            np.testing.assert_array_equal(info[schema.TELEOP_ACTION], idle)
        if quiet:
            # An arm that is released at full speed may overshoot so far that the target follows it.
            lead = float(np.linalg.norm(target - tcp))
            held = target if lead <= max_lead else tcp + (target - tcp) * max_lead / lead
            np.testing.assert_allclose(raw.simulation.target_pos_w, held, rtol=0.0, atol=1e-9)
        if quiet > STILL_STEPS:
            moved = float(np.linalg.norm(raw.simulation.tcp_pos_w - tcp))
            assert moved < STILL_M, f"the TCP moved {moved * 1e3:.2f} mm while nobody acted"
        if terminated or truncated:
            env.reset()
            hand.polled()
            quiet = 0
    return steps[True], steps[False]


def play_after_close(env: gym.Env, hand: RandomHand, events: int) -> None:
    """Close the device, operate it further, and check that this has no effect on the environment."""
    hand.rig.device.close()
    stop = hand.events + events
    env.reset(seed=1)
    while hand.events < stop:
        hand.act_repeatedly()
        assert_valid_reading(hand.rig.device.poll())
        *_, terminated, truncated, info = env.step(np.array([0, 0, 0, 1], np.float32))
        assert not info[schema.IS_INTERVENTION]
        if terminated or truncated:
            env.reset()
