"""What a simulated human sees: a moment ago, and not exactly."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.devices.controls import Control
from gym_hil.intervention.button_presses import Aim
from gym_hil.intervention.limits import Limits

Array = NDArray[np.float64]
STEADY_S = 0.5
"""Time over which an error of the eye stays about the same (s). Chosen: looking again helps, but not at once."""


@dataclass(frozen=True)
class Glimpse:
    """What was to be seen at one moment.

    Attributes:
        tcp_pos_w: where the TCP was (3, m, world frame).
        goal_w: where a person who knows the task wanted it (3, m, world frame).
        closing: whether the fingers were closing or closed.
        wants_closed: whether that person wanted them closed; None for either.
        turn: the rotation that was wanted (3, rotation vector, rad, world axes).
    """

    tcp_pos_w: Array
    goal_w: Array
    closing: bool
    wants_closed: bool | None
    turn: Array = field(default_factory=lambda: np.zeros(3))

    @classmethod
    def of(cls, env: EnvironmentInterface) -> Glimpse:
        """Return what is to be seen now."""
        return cls(
            np.array(env.tcp_pos_w),
            np.array(env.expert_goal()),
            bool(env.gripper_closing),
            env.gripper_closes(env.expert_action()),
            np.array(env.expert_turn()) if env.offers("expert_turn") else np.zeros(3),
        )


class SeenEnvironment(EnvironmentInterface):
    """An environment as somebody sees it: where the TCP and its goal were a moment ago.

    Args:
        env: the environment.
        seen: what was to be seen.
    """

    def __init__(self, env: EnvironmentInterface, seen: Glimpse) -> None:
        super().__init__(env.env, env.end_effector)
        self._seen = seen

    @property
    def tcp_pos_w(self) -> Array:
        """Where the TCP was (3, m, world frame)."""
        return self._seen.tcp_pos_w

    def expert_goal(self) -> Array:
        """Return where it was wanted (3, m, world frame)."""
        return self._seen.goal_w


class Sight:
    """The eyes of one human. Their error changes slowly, so that it cannot be averaged away by looking on.

    Args:
        limits: how late and how exactly they see.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._past: deque[Glimpse] = deque()
        self._error = np.zeros(6)
        self._delay_s = 0.0

    def begin(self, rng: np.random.Generator) -> None:
        """Forget the past and draw a new error."""
        self._past.clear()
        self._error = rng.normal(0.0, 1.0, 6)

    def look(self, env: EnvironmentInterface, rng: np.random.Generator) -> Glimpse:
        """Return what is seen in this step; called once per step.

        Args:
            env: the environment as it is.
            rng: where the error comes from.

        Returns:
            The glimpse of `Limits.sight_delay_s` ago, or the first one of the episode.
        """
        self._past.append(Glimpse.of(env))
        while len(self._past) > 1 + round(self._limits.sight_delay_s / env.control_dt):
            self._past.popleft()
        self._delay_s = (len(self._past) - 1) * float(env.control_dt)
        keep = math.exp(-float(env.control_dt) / STEADY_S)
        self._error = keep * self._error + math.sqrt(1.0 - keep**2) * rng.normal(0.0, 1.0, 6)
        return self._past[0]

    def way(self, seen: Glimpse) -> Array:
        """Return how far it seems to be from the TCP to its goal (3, m, world axes)."""
        way = seen.goal_w - seen.tcp_pos_w
        spread = self._limits.sight_error_m + self._limits.sight_error_share * float(np.linalg.norm(way))
        result: Array = way + spread * self._error[:3]
        return result

    def aim(self, seen: Glimpse, turnable: Array) -> Aim:
        """Return what there seems to be to do.

        Args:
            seen: what is seen.
            turnable: 1 for each axis (3) about which the hand can be turned, and 0 for the others.
        """
        turn = (seen.turn + self._limits.sight_error_rad * self._error[3:]) * turnable
        grip = None
        if seen.wants_closed is not None and seen.wants_closed != seen.closing:
            grip = Control.CLOSE if seen.wants_closed else Control.OPEN
        return Aim(self.way(seen), turn * (np.abs(seen.turn) > 0.0), grip, self._delay_s)

    def get_state(self) -> Any:
        """Return what is remembered, and the error of the eyes."""
        return tuple(self._past), self._error.copy(), self._delay_s

    def set_state(self, state: Any) -> None:
        """Continue from what `get_state` returned."""
        past, error, self._delay_s = state
        self._past, self._error = deque(past), error.copy()
