"""The scene of a task as data, which does not depend on the simulator."""

from __future__ import annotations

from dataclasses import dataclass

from gym_hil.scenes.props import Cube as Cube
from gym_hil.scenes.props import Peg as Peg
from gym_hil.scenes.props import Prop as Prop
from gym_hil.scenes.props import Socket as Socket
from gym_hil.scenes.props import Target as Target

MASS, FRICTION = "mass of {}", "friction of {}"
"""Names of the entries of an initial state that scale the mass of a body, and its friction with all other bodies."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The objects of a task, and the initial configuration of the robot.

    Attributes:
        home: purpose of the robot's home configuration, such as ``"above_table"``; see `Robot.home`.
        props: objects that move freely. An episode fails if one of them is out of reach.
        fixtures: objects at sampled positions, which may have moving parts.
        targets: objects that are only visible.
        front_view: purpose of the front camera, such as ``"wide_table"``; see `Robot.cameras_for`.
        variable: bodies whose mass and friction an initial state scales, by entries named after `MASS` and `FRICTION`.
    """

    home: str
    props: tuple[Prop, ...] = ()
    fixtures: tuple[Prop, ...] = ()
    targets: tuple[Prop, ...] = ()
    front_view: str = "table"
    variable: tuple[str, ...] = ()
