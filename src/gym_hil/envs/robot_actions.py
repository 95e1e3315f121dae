"""Actions of a robot, which consist of those of its end effectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from gym_hil.core.command import Command
from gym_hil.core.errors import InvalidArgumentError, require_one_of
from gym_hil.core.layout import Layout
from gym_hil.core.step_record import Action
from gym_hil.envs.actions import (
    ACTIONS,
    ActionTerm,
    Bounds,
    EndEffectorStep,
    RawTwist,
    clipped,
)
from gym_hil.envs.joint_actions import JointPositions
from gym_hil.robots import Robot
from gym_hil.robots.base import EndEffector
from gym_hil.robots.geometry import Box
from gym_hil.simulation.simulation import Simulation


class RobotAction:
    """The actions of a robot, with one term per end effector.

    Args:
        robot: the robot.
        terms: the terms of its end effectors, in the robot's order.

    Raises:
        InvalidArgumentError: the number of terms is wrong, or they have different kinds of control.

    Attributes:
        terms: one term per end effector.
        entries: slice of the entries of each end effector in an action.
        layout: slices of the named parts of an action, ``motion`` and ``gripper``. With several end
            effectors, names begin with theirs, such as ``left_motion``.
        bounds: lower and upper bounds of all entries.
        control: the kind of control, ``"cartesian"`` or ``"joint"``.
    """

    def __init__(self, robot: Robot, terms: Sequence[ActionTerm]) -> None:
        count, controls = len(robot.end_effectors), {term.control for term in terms}
        if len(terms) != count or len(controls) != 1:
            raise InvalidArgumentError(
                f"robot={robot.name!r} needs {count} action terms of one kind of control, "
                f"not {[term.name for term in terms]}"
            )
        self.terms = tuple(terms)
        self.control: Literal["cartesian", "joint"] = terms[0].control
        sizes: dict[str, int] = {}
        for effector, term in zip(robot.end_effectors, terms, strict=True):
            fingers = len(term.bounds[0]) - term.motion_size
            sizes |= {f"{effector.prefix}motion": term.motion_size, f"{effector.prefix}gripper": fingers}
        self.layout = Layout(sizes)
        self.bounds: Bounds = [], []
        entries = []
        for term in terms:
            begin = len(self.bounds[0])
            for all_bounds, term_bounds in zip(self.bounds, term.bounds, strict=True):
                all_bounds.extend(term_bounds)
            entries.append(slice(begin, len(self.bounds[0])))
        self.entries = tuple(entries)

    @property
    def space(self) -> spaces.Box:
        """The action space."""
        return spaces.Box(*np.array(self.bounds, np.float32))

    def bind(self, simulation: Simulation) -> None:
        """Let the terms command the end effectors of `simulation`."""
        for index, term in enumerate(self.terms):
            term.bind(simulation, index)

    def clip(self, action: Any) -> Action:
        """Return an action as float32, clipped to the space.

        Raises:
            InvalidActionError: the action has the wrong shape, or a value that is not a finite number.
        """
        return clipped(action, self.bounds)

    def apply(self, values: list[float], limits: Sequence[Box]) -> int:
        """Command the end effectors.

        Args:
            values: numbers of an action within the bounds.
            limits: for each end effector, the box to which the target of the TCP is limited (world frame).

        Returns:
            The number of grippers whose last command is reversed.
        """
        switches = 0
        for term, entries, box in zip(self.terms, self.entries, limits, strict=True):
            term_values = values[entries]
            switches += term.switches(term_values)
            term.apply(term_values, box)
        return switches

    def neutral(self) -> Action:
        """Return the action that causes no motion and keeps the grippers as they are."""
        return joined([term.neutral() for term in self.terms])

    def command(self, *commands: Command) -> Action:
        """Return the action that executes one command per end effector; those without a command do not move."""
        actions = [term.command(command) for term, command in zip(self.terms, commands, strict=False)]
        return joined([*actions, *(term.neutral() for term in self.terms[len(actions) :])])


def joined(actions: Sequence[NDArray[np.float32]]) -> Action:
    """Return the action of a robot from the actions of its end effectors."""
    return actions[0] if len(actions) == 1 else np.concatenate(actions)


def make_robot_action(
    name: str,
    robot: Robot,
    *,
    step_size: Mapping[str, float] | None = None,
    use_gripper: bool = True,
) -> RobotAction:
    """Return the actions of a robot, with the same term for each of its end effectors.

    Args:
        name: one of `gym_hil.envs.actions.ACTIONS`.
        robot: the robot.
        step_size: distance per unit of action (m) for terms whose names begin with ``xyz``; None for 0.025 m.
        use_gripper: whether the action has a gripper entry per end effector.

    Raises:
        InvalidArgumentError: the name is unknown.
    """
    require_one_of("action", name, ACTIONS)

    def term(effector: EndEffector) -> ActionTerm:
        if name == "twist":
            return RawTwist()
        if name == "joints":
            return JointPositions(effector, use_gripper=use_gripper)
        return EndEffectorStep(step_size, use_gripper=use_gripper, name=name)

    return RobotAction(robot, [term(effector) for effector in robot.end_effectors])
