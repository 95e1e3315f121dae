"""What a person or a script commands, whatever the action space of the environment is."""

from __future__ import annotations

from dataclasses import dataclass

from gym_hil.core.schema import GripperCommand

Twist = tuple[float, float, float, float, float, float]
"""Motion along x, y, z and rotation about x, y, z of the world frame, each in [-1, 1] of full speed."""
STILL: Twist = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Command:
    """A motion and a gripper command for one control step.

    Attributes:
        twist: see `Twist`.
        gripper: what the fingers should do.
    """

    twist: Twist = STILL
    gripper: GripperCommand = GripperCommand.STAY
