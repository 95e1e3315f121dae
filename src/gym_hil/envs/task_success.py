"""Success of an environment's task, which the task itself determines, or a detector such as a learned reward."""

from __future__ import annotations

from typing import Any, cast

import gymnasium as gym

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.core.schema import TerminationReason
from gym_hil.core.success import SuccessDetector
from gym_hil.tasks import Task


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
            InvalidArgumentError: the detector was made for another environment, or rewards are dense.
        """
        if self.reward_type != "sparse":
            raise InvalidArgumentError(
                f"reward_type={self.reward_type!r} is computed from the simulator's state; "
                "with a detector of success, it must be 'sparse'"
            )
        detector.attach(EnvironmentInterface(cast(gym.Env, self)))
        self.success_detector = detector

    def _success(self) -> tuple[bool, TerminationReason]:
        """Return whether the task is done, and the reason of the episode's end if it is."""
        if self.success_detector is None:
            return self.task_success(), TerminationReason.SUCCESS
        return self.success_detector.detects(), TerminationReason.LEARNED_SUCCESS
