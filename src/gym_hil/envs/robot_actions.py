"""What the numbers of a robot's action mean: those of its end effectors, one after the other."""

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
    Numbers,
    RawTwist,
    clipped,
)
from gym_hil.envs.joint_actions import JointPositions
from gym_hil.robots import Robot
from gym_hil.robots.base import EndEffector
from gym_hil.robots.geometry import Box
from gym_hil.simulation.simulation import Simulation


class RobotAction:
    """The actions of a robot: one term per end effector.

    Args:
        robot: the robot.
        terms: what the numbers mean for each of its end effectors, in the robot's order.

    Raises:
        InvalidArgumentError: there are not as many terms as end effectors, or they control different things.

    Attributes:
        terms: one per end effector.
        entries: where the numbers of each of them are in an action.
        layout: where the named parts of an action are: ``motion`` and ``gripper``. With several end effectors the names
            begin with theirs, such as ``left_motion``.
        bounds: least and greatest values of all entries.
        control: what the simulation controls: ``"cartesian"`` or ``"joint"``.
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
            for ours, its in zip(self.bounds, term.bounds, strict=True):
                ours.extend(its)
            entries.append(slice(begin, len(self.bounds[0])))
        self.entries = tuple(entries)

    @property
    def space(self) -> spaces.Box:
        """The action space."""
        return spaces.Box(*np.array(self.bounds, np.float32))

    def bind(self, simulation: Simulation) -> None:
        """Command the end effectors of `simulation` from now on."""
        for index, term in enumerate(self.terms):
            term.bind(simulation, index)

    def clip(self, action: Any) -> Action:
        """Return an action as it will be executed: float32 and inside the space.

        Raises:
            InvalidActionError: wrong shape, or a value that is not a finite number.
        """
        return clipped(action, self.bounds)

    def apply(self, values: list[float], limits: Sequence[Box]) -> None:
        """Command the end effectors what an action's numbers stand for.

        Args:
            values: the numbers of an action inside the space.
            limits: per end effector, the box (world frame) that the TCP's target must not leave.
        """
        for term, entries, box in zip(self.terms, self.entries, limits, strict=True):
            term.apply(values[entries], box)

    def neutral(self) -> Action:
        """Return the action that moves nothing and leaves the grippers as they are."""
        return joined([term.neutral() for term in self.terms])

    def command(self, *commands: Command) -> Action:
        """Return the action that carries out a command for each end effector; those without one hold still."""
        actions = [term.command(command) for term, command in zip(self.terms, commands, strict=False)]
        return joined([*actions, *(term.neutral() for term in self.terms[len(actions) :])])

    def closes(self, action: Numbers) -> list[bool | None]:
        """Return for each gripper whether an action closes it, or None if it leaves it as it is."""
        return [term.closes(action[entries]) for term, entries in zip(self.terms, self.entries, strict=True)]


def joined(actions: Sequence[NDArray[np.float32]]) -> Action:
    """Return the action of a robot from those of its end effectors."""
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
        robot: the robot that acts.
        step_size: metres per unit of a term whose name begins with ``xyz``; None for 0.025 m.
        use_gripper: whether the action has a gripper entry per end effector.

    Raises:
        InvalidArgumentError: the name is not known.
    """
    require_one_of("action", name, ACTIONS)

    def term(effector: EndEffector) -> ActionTerm:
        if name == "twist":
            return RawTwist()
        if name == "joints":
            return JointPositions(effector, use_gripper=use_gripper)
        return EndEffectorStep(step_size, use_gripper=use_gripper, name=name)

    return RobotAction(robot, [term(effector) for effector in robot.end_effectors])
