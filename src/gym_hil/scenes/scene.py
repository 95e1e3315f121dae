"""What a task puts around a robot, as data. Nothing here needs a simulator."""

from __future__ import annotations

from dataclasses import dataclass

from gym_hil.scenes.props import Cube as Cube
from gym_hil.scenes.props import Peg as Peg
from gym_hil.scenes.props import Prop as Prop
from gym_hil.scenes.props import Socket as Socket
from gym_hil.scenes.props import Target as Target


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a task puts on the table, and how the robot stands there at the start.

    Attributes:
        home: purpose of the robot's home configuration, such as ``"above_table"``; see `Robot.home`.
        props: what moves freely; an episode fails where one is out of reach.
        fixtures: what stays where a start puts it, moving parts included.
        targets: what is only seen.
    """

    home: str
    props: tuple[Prop, ...] = ()
    fixtures: tuple[Prop, ...] = ()
    targets: tuple[Prop, ...] = ()
