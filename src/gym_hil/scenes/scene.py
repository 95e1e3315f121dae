"""The scene of a task as data, which does not depend on the simulator."""

from __future__ import annotations

from dataclasses import dataclass

from gym_hil.scenes.props import Cube as Cube
from gym_hil.scenes.props import Peg as Peg
from gym_hil.scenes.props import Prop as Prop
from gym_hil.scenes.props import Socket as Socket
from gym_hil.scenes.props import Target as Target

MASS, FRICTION = "mass of {}", "friction of {}"
"""What a start calls the factors of a body's mass, and of its friction with everything else."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The objects of a task, and the initial configuration of the robot.

    Attributes:
        home: purpose of the robot's home configuration, such as ``"above_table"``; see `Robot.home`.
        props: what moves freely; an episode fails where one is out of reach.
        fixtures: what stays where a start puts it, moving parts included.
        targets: what is only seen.
        variable: bodies whose mass and friction a start may scale by factors that it calls `MASS` and `FRICTION`.
    """

    home: str
    props: tuple[Prop, ...] = ()
    fixtures: tuple[Prop, ...] = ()
    targets: tuple[Prop, ...] = ()
    variable: tuple[str, ...] = ()
