"""What tasks require of robots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gym_hil.robots.base import Robot


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a task requires of robots.

    Attributes:
        end_effectors: required number of end effectors.
        aperture: width of the widest object, with a margin, that must fit between the fingers (m).
        axes: axes of the TCP that must be controllable independently, see `EndEffector.axes`.
        home: purpose of the home configuration at the start.
    """

    end_effectors: int = 1
    aperture: float = 0.0
    axes: tuple[str, ...] = ("x", "y", "z")
    home: str = "above_table"


class HasNeeds(Protocol):
    """A task or its class."""

    @property
    def needs(self) -> Needs:
        """The requirements of the task."""


@dataclass(frozen=True)
class RobotFit:
    """Whether a robot meets the requirements of a task; true if it does.

    Attributes:
        reason: why it does not; empty if it does.
    """

    reason: str = ""

    def __bool__(self) -> bool:
        """Return whether the robot meets the requirements."""
        return not self.reason


def fits(task: HasNeeds, robot: Robot) -> RobotFit:
    """Return whether a robot meets the requirements of a task or its class.

    Args:
        task: the task.
        robot: the robot.
    """
    needs = task.needs
    count = len(robot.end_effectors)
    if count != needs.end_effectors:
        return RobotFit(
            f"it has {count} end effector{'s' * (count > 1)}, but the task needs {needs.end_effectors}"
        )
    for effector in robot.end_effectors:
        owner = f" of {effector.name!r}" if effector.name else ""
        if effector.hand.max_aperture < needs.aperture:
            opens = f"{effector.hand.max_aperture:g} m"
            return RobotFit(f"the gripper{owner} opens by {opens}, but the task needs {needs.aperture:g} m")
        missing = [axis for axis in needs.axes if axis not in effector.axes]
        if missing:
            return RobotFit(
                f"the arm{owner} controls {', '.join(effector.axes)} independently of each other, but the task also "
                f"needs {', '.join(missing)}"
            )
        if needs.home not in effector.arm.homes:
            return RobotFit(f"the arm{owner} has no home for the purpose {needs.home!r}")
    return RobotFit()
