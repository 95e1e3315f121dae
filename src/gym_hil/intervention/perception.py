"""Perception of a simulated human: delayed, inexact, and limited to what the page shows."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.devices.controls import Control
from gym_hil.intervention.button_presses import Aim
from gym_hil.intervention.condition import FAR_M
from gym_hil.intervention.limits import Limits
from gym_hil.intervention.visual_precision import VisualPrecision

Array = NDArray[np.float64]
STEADY_S = 0.5
"""Correlation time of an error of perception (s). Assumed: looking again reduces an error, but not at once."""
HIDDEN_M_PER_S = 0.005
"""Growth of the error of an object's remembered position while the object is hidden (m/s). Assumed."""
IN_HAND_M = 0.03
"""An object nearer to the TCP than this is taken to move with the closed fingers (m)."""


@dataclass(frozen=True)
class PerceivedState:
    """The visible state of the scene at one time.

    Attributes:
        tcp_pos_w: position of the TCP (3, m, world frame).
        goal_w: goal of the TCP, from what the pictures have shown so far (3, m, world frame).
        closing: whether the fingers were closing or closed.
        wants_closed: whether the fingers should be closed; None if it does not matter.
        turn: rotation to the goal (3, rotation vector, rad, world axes).
        error_root: square root of the covariance matrix of the error of `goal_w`, for an acuity of one pixel (3, 3, m,
            world axes).
        hidden: whether no picture showed the object that determines the goal.
    """

    tcp_pos_w: Array
    goal_w: Array
    closing: bool
    wants_closed: bool | None
    turn: Array = field(default_factory=lambda: np.zeros(3))
    error_root: Array = field(default_factory=lambda: np.zeros((3, 3)))
    hidden: bool = False

    @classmethod
    def of(cls, env: EnvironmentInterface) -> PerceivedState:
        """Return the current state of an environment in which nothing is hidden."""
        return cls(
            np.array(env.tcp_pos_w),
            np.array(env.expert_goal()),
            bool(env.gripper_closing),
            env.gripper_closes(env.expert_action()),
            np.array(env.expert_turn()) if env.offers("expert_turn") else np.zeros(3),
        )


class PerceivedEnvironment(EnvironmentInterface):
    """An environment whose TCP and goal are those of an earlier time.

    Args:
        env: the environment.
        seen: the state at that time.
    """

    def __init__(self, env: EnvironmentInterface, seen: PerceivedState) -> None:
        super().__init__(env.env, env.end_effector)
        self._seen = seen

    @property
    def tcp_pos_w(self) -> Array:
        """Earlier position of the TCP (3, m, world frame)."""
        return self._seen.tcp_pos_w

    def expert_goal(self) -> Array:
        """Return the earlier goal of the TCP (3, m, world frame)."""
        return self._seen.goal_w


class Perception:
    """Perception and memory of one human who looks at the pictures of the page.

    The error of perception changes slowly, so that averaging over steps does not remove it. A hidden object is assumed
    to be where it was last visible, unless it is in the closed fingers. In environments that do not report their
    objects, nothing is hidden.

    Args:
        limits: delay and accuracy of perception.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._visual_precision: VisualPrecision | None = None
        self._past: deque[PerceivedState] = deque()
        self._error: Array = np.zeros(6)
        self._delay_s = 0.0
        self._known: dict[int, tuple[Array, Array, float]] = {}
        """By the index of the object: position when it was last visible (3, m), root of the covariance of its error
        (3, 3, m), and time since then (s)."""

    def begin(self, rng: np.random.Generator) -> None:
        """Clear the memory and sample a new error."""
        self._past.clear()
        self._known.clear()
        self._error = rng.normal(0.0, 1.0, 6)

    def look(self, env: EnvironmentInterface, rng: np.random.Generator) -> PerceivedState:
        """Return what is perceived in this step; call it once per step.

        Args:
            env: the environment.
            rng: random generator of the error.

        Returns:
            The state `Limits.perception_delay_s` ago, or the first one of the episode.
        """
        self._past.append(self._on_screen(env))
        while len(self._past) > 1 + round(self._limits.perception_delay_s / env.control_dt):
            self._past.popleft()
        self._delay_s = (len(self._past) - 1) * float(env.control_dt)
        keep = math.exp(-float(env.control_dt) / STEADY_S)
        self._error = keep * self._error + math.sqrt(1.0 - keep**2) * rng.normal(0.0, 1.0, 6)
        return self._past[0]

    def offset(self, seen: PerceivedState) -> Array:
        """Return the perceived vector from the TCP to its goal (3, m, world axes)."""
        offset = seen.goal_w - seen.tcp_pos_w
        share = self._limits.perception_error_ratio * float(np.linalg.norm(offset))
        result: Array = offset + (self._limits.acuity * seen.error_root + share * np.eye(3)) @ self._error[:3]
        return result

    def aim(self, seen: PerceivedState, turnable: Array) -> Aim:
        """Return the perceived remaining motion.

        Args:
            seen: the perceived state.
            turnable: 1 for each axis (3) about which the hand can be turned, 0 for the others.
        """
        offset = self.offset(seen)
        turn = (
            (seen.turn + self._limits.perception_error_rad * self._error[3:])
            * turnable
            * (np.abs(seen.turn) > 0.0)
        )
        if float(np.abs(offset).max()) > FAR_M:
            turn = np.zeros(3)  # Far from the goal, the hand does not turn yet.
        grip = None
        if seen.wants_closed is not None and seen.wants_closed != seen.closing:
            grip = Control.CLOSE if seen.wants_closed else Control.OPEN
        return Aim(offset, turn, grip, self._delay_s)

    def _on_screen(self, env: EnvironmentInterface) -> PerceivedState:
        """Return the state that the pictures show now, completed from memory."""
        now = PerceivedState.of(env)
        if not (self._limits.acuity and env.offers("task") and env.offers("simulation")):
            return now
        data, objects = env.data, np.reshape(env.task.observe(env.simulation), (-1, 3))
        if self._visual_precision is None or self._visual_precision.model is not env.model:
            self._visual_precision = VisualPrecision(env.model)
        number = int(np.argmin(np.linalg.norm(objects - now.goal_w, axis=1)))
        here = objects[number]
        precision = self._visual_precision.precision(data, here)
        where, root, age_s = self._known.get(number, (here, np.zeros((3, 3)), 0.0))
        if precision is not None:
            where, root, age_s = here, np.linalg.cholesky(np.linalg.inv(precision)), 0.0
        elif now.closing and np.linalg.norm(here - now.tcp_pos_w) < IN_HAND_M:
            where = here
        else:
            age_s += float(env.control_dt)
        self._known[number] = where, root, age_s
        return replace(
            now,
            goal_w=now.goal_w + (where - here),
            error_root=root + HIDDEN_M_PER_S * age_s * np.eye(3),
            hidden=precision is None,
        )

    def get_state(self) -> Any:
        """Return memory and error."""
        return tuple(self._past), self._error.copy(), self._delay_s, dict(self._known)

    def set_state(self, state: Any) -> None:
        """Restore what `get_state` returned."""
        past, error, self._delay_s, known = state
        self._known = dict(known)
        self._past, self._error = deque(past), error.copy()
