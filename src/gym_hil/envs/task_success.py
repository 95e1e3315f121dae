"""Success of an environment's task, which the task itself determines, or a detector such as a learned reward."""

from __future__ import annotations

from typing import Any, cast
from weakref import WeakSet

import gymnasium as gym

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import TerminationReason
from gym_hil.core.success import SuccessDetector
from gym_hil.tasks import Task

_WITH_DETECTOR: WeakSet[TaskSuccess] = WeakSet()
"""Environments with a detector that are not closed."""


class TaskSuccess:
    """The part of an environment that determines success."""

    task: Task
    simulation: Any
    reward_type: str
    _start: dict[str, Any]
    success_detector: SuccessDetector | None = None
    """Decides whether the task is done; None for the task itself."""

    def task_success(self) -> bool:
        """Return whether the task is done in the current state according to the task itself."""
        return bool(self.task.success(self.simulation.world, self._start))

    def set_success_detector(self, detector: SuccessDetector) -> None:
        """Let a detector determine success instead of the task itself.

        Raises:
            InvalidArgumentError: the detector was made for another environment, belongs to another one that is
                not closed, or rewards are dense.
        """
        if self.reward_type != "sparse":
            raise InvalidArgumentError(
                f"reward_type={self.reward_type!r} is computed from the simulator's state; "
                "with a detector of success, it must be 'sparse'"
            )
        if any(env.success_detector is detector for env in _WITH_DETECTOR if env is not self):
            raise InvalidArgumentError(
                f"reward={detector!r} already judges another environment; give each environment, also in a vector, "
                "a detector of its own, or the path of a learned reward"
            )
        detector.attach(EnvironmentInterface(cast(gym.Env, self)))
        self.success_detector = detector
        _WITH_DETECTOR.add(self)

    def close_success_detector(self) -> None:
        """Free the detector's resources. Afterwards, it may be given to another environment."""
        _WITH_DETECTOR.discard(self)
        if self.success_detector is not None:
            self.success_detector.close()

    def _success(self) -> tuple[bool, TerminationReason]:
        """Return whether the task is done, and the reason of the episode's end if it is."""
        if self.success_detector is None:
            return self.task_success(), TerminationReason.SUCCESS
        return self.success_detector.detects(), TerminationReason.LEARNED_SUCCESS
