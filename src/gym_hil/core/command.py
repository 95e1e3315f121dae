"""Commands of persons and scripts, independent of the action space of an environment."""

from __future__ import annotations

from dataclasses import dataclass

from gym_hil.core.schema import GripperCommand

Twist = tuple[float, float, float, float, float, float]
"""Translation along and rotation about x, y and z of the world frame, each in [-1, 1] of full speed."""
STILL: Twist = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Command:
    """A motion and a gripper command for one control step.

    Attributes:
        twist: the motion, see `Twist`.
        gripper: the gripper command.
    """

    twist: Twist = STILL
    gripper: GripperCommand = GripperCommand.STAY
