"""The interface of what decides whether a task is done, in place of the task itself."""

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
    """Leaves the decision to others: no state counts as success."""

    def attach(self, env: EnvironmentInterface) -> None:
        """Do nothing."""

    def detects(self) -> bool:
        """Return False."""
        return False

    def close(self) -> None:
        """Do nothing."""
