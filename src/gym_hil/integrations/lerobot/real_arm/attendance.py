"""Stops an arm while its operator is absent."""

from __future__ import annotations

import logging
from typing import Any

import gymnasium as gym

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.schema import EpisodeEvent
from gym_hil.devices.base import STILL, Device, DeviceReading, Engage
from gym_hil.devices.device_wrapper import DeviceWrapper
from gym_hil.intervention.human import Human
from gym_hil.intervention.operator import Decision, Operator, View
from gym_hil.wrappers.pausing import wait_during_pause

log = logging.getLogger(__name__)
AWAY = "The operator's device is unplugged, or nobody attends its page: the arm does not move until you take over."


class Presence(DeviceWrapper):
    """Detects whether the person at a device is absent.

    Args:
        device: the device.
        by_motion: whether the person takes over by moving the device.

    Attributes:
        away: whether the device was unplugged, or its page was left, and the person has not taken over since.
    """

    def __init__(self, device: Device, *, by_motion: bool) -> None:
        super().__init__(device)
        self.away = False
        self._by_motion = by_motion

    def keep(self, reading: DeviceReading) -> None:
        """Update `away`."""
        if not reading.connected:
            self.away = True
        elif self._takes_over(reading):
            self.away = False

    def _takes_over(self, reading: DeviceReading) -> bool:
        toggles = reading.engage_presses > 0 or EpisodeEvent.TOGGLE_INTERVENTION in reading.events
        return toggles or reading.engage or (self._by_motion and reading.motion != STILL)


class AttendingHuman(Operator):
    """A person during whose absence the environment is paused.

    The pause ends when the device is connected again and the person takes over with it, because this shows that they
    are watching the robot.

    Args:
        human: the person.
    """

    def __init__(self, human: Human) -> None:
        self._human, self.name = human, human.name
        self._presence = Presence(human.device, by_motion=human.engage is Engage.MOTION)
        self.device = human.device = self._presence

    @property
    def away(self) -> bool:
        """Whether the person is away."""
        return self._presence.away

    @property
    def paused(self) -> bool:
        """Whether the person is away or has paused the environment."""
        return self.away or self._human.paused

    def decide(self, view: View) -> Decision:
        """Return the person's decision, or no motion in the step in which an absence is detected."""
        self._human.time_scale = self.time_scale
        decision = self._human.decide(view)
        if self.away:
            return Decision(view.env.neutral_action(), decision.events, decision.reading)
        return decision

    def poll_in_pause(self) -> None:
        """Read the device during a pause."""
        self._human.poll_in_pause()

    def reset(self, env: EnvironmentInterface, seed: int | None) -> None:
        """Begin an episode. A person who was absent counts as absent until they take over."""
        self._human.reset(env, seed)

    def get_state(self) -> Any:
        """Return the state of the person."""
        return self._human.get_state()

    def set_state(self, state: Any) -> None:
        """Restore the result of `get_state`."""
        self._human.set_state(state)

    def help(self) -> str:
        """Return the help of the device."""
        return self._human.help()

    def close(self) -> None:
        """Close the device."""
        self._human.close()


def pause_while_away(operator: Operator | None) -> Operator | None:
    """Return `operator`, or if it is a person, an operator during whose absence the environment is paused."""
    return AttendingHuman(operator) if isinstance(operator, Human) else operator


class HoldWhilePaused(gym.Wrapper):
    """Delays a step while the operator is absent or has paused the arm. The servos hold their positions meanwhile.

    Args:
        env: the environment of an arm with all other layers.
        clock: clock that waits.
    """

    def __init__(self, env: gym.Env, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(env)
        self._clock = clock

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Wait until the operator is present and has not paused the arm, and execute a step."""
        away = getattr(self.env.get_wrapper_attr("operator"), "away", False)
        if away:
            log.warning(AWAY)
            self.env.get_wrapper_attr("note")(AWAY)
        if wait_during_pause(self.env, self._clock):
            self.env.get_wrapper_attr("twin").restart_timing()
        if away:
            self.env.get_wrapper_attr("note")("")
        return self.env.step(action)
