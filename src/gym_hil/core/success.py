"""The interface of success detectors, which decide instead of a task whether it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gym_hil.core.environment import EnvironmentInterface


class SuccessDetector(Protocol):
    """Decides after every step whether the task is done."""

    def attach(self, env: EnvironmentInterface) -> None:
        """Prepare for an environment.

        Raises:
            InvalidArgumentError: the detector was made for another environment.
        """

    def detects(self) -> bool:
        """Return whether the task is done in the current state of the environment."""

    def close(self) -> None:
        """Free all resources. It may be called more than once."""


class NeverDone:
    """Never reports a success, so that only a human's verdict or the time limit ends an episode."""

    def attach(self, env: EnvironmentInterface) -> None:
        """Do nothing."""

    def detects(self) -> bool:
        """Return False."""
        return False

    def close(self) -> None:
        """Do nothing."""
