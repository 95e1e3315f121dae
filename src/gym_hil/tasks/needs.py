"""What a task asks of a robot, and whether a robot has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gym_hil.robots.base import Robot


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a task asks of a robot.

    Attributes:
        end_effectors: how many it uses; a robot must have exactly as many.
        aperture: width of the widest object that must fit between the fingers, with room to spare (m).
        axes: axes of the TCP that must be controllable, as `EndEffector.axes` names them.
        home: purpose of the home configuration that it begins with.
        gripper: kind of gripper that it asks for, as `Hand.kind` names it; None for any.
    """

    end_effectors: int = 1
    aperture: float = 0.0
    axes: tuple[str, ...] = ("x", "y", "z")
    home: str = "above_table"
    gripper: str | None = None


class HasNeeds(Protocol):
    """A task, or the class of one."""

    @property
    def needs(self) -> Needs:
        """What it asks of a robot."""


@dataclass(frozen=True)
class Fit:
    """Whether a robot can do a task; true where it can.

    Attributes:
        reason: why it cannot; empty where it can.
    """

    reason: str = ""

    def __bool__(self) -> bool:
        """Return whether the robot can do the task."""
        return not self.reason


def fits(task: HasNeeds, robot: Robot) -> Fit:
    """Return whether `robot` has what `task`, a task or its class, needs, and otherwise why not."""
    needs = task.needs
    count = len(robot.end_effectors)
    if count != needs.end_effectors:
        return Fit(f"it has {count} end effector{'s' * (count > 1)}, the task needs {needs.end_effectors}")
    for effector in robot.end_effectors:
        of = f" of {effector.name!r}" if effector.name else ""
        if effector.hand.max_aperture < needs.aperture:
            opens = f"{effector.hand.max_aperture:g} m"
            return Fit(f"the gripper{of} opens by {opens}, the task needs {needs.aperture:g} m")
        missing = [axis for axis in needs.axes if axis not in effector.axes]
        if missing:
            return Fit(f"the arm{of} does not control {', '.join(missing)}")
        if needs.home not in effector.arm.homes:
            return Fit(f"the arm{of} has no home for the purpose {needs.home!r}")
        if needs.gripper not in (None, effector.hand.kind):
            return Fit(f"the gripper{of} is {effector.hand.kind}, the task needs a {needs.gripper} one")
    return Fit()
