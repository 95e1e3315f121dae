"""Links of an arm as data, and functions that build the models of a robot's parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gym_hil.robots.geometry import Quat, Vec3
from gym_hil.robots.shapes import COLLISION, VISUAL, Shape, add_shape

if TYPE_CHECKING:
    import mujoco


@dataclass(frozen=True)
class Link:
    """One link of an arm.

    Attributes:
        name: name of its body.
        pos: its frame in the parent link (m).
        quat: the same frame's orientation (w x y z).
        mass: kg.
        com: its centre of mass in its own frame (m).
        inertia: about the centre of mass, in its own frame: xx yy zz xy xz yz (kg m^2).
        joint: name of the joint about its z axis; empty for none.
        joint_range: least and greatest angle of the joint (rad).
    """

    name: str
    pos: Vec3
    quat: Quat
    mass: float
    com: Vec3
    inertia: tuple[float, float, float, float, float, float]
    joint: str = ""
    joint_range: tuple[float, float] = (0.0, 0.0)


def new_spec(name: str) -> mujoco.MjSpec:
    """Return an empty model of a part of a robot, with angles in radians."""
    import mujoco

    spec = mujoco.MjSpec()
    spec.modelname = name
    spec.compiler.autolimits = True
    spec.compiler.degree = False
    return spec


def add_link(parent: mujoco.MjsBody, link: Link) -> mujoco.MjsBody:
    """Add the body of `link`, with gravity compensation and without joint and shapes, to its parent and return it."""
    return parent.add_body(
        name=link.name,
        pos=link.pos,
        quat=link.quat,
        mass=link.mass,
        ipos=link.com,
        fullinertia=link.inertia,
        explicitinertial=True,
        gravcomp=1,
    )


def add_shapes(body: mujoco.MjsBody, visible: Sequence[Shape], colliding: Sequence[Shape] = ()) -> None:
    """Add visible shapes, and shapes that can touch the scene."""
    for shapes, role in ((visible, VISUAL), (colliding, COLLISION)):
        for shape in shapes:
            add_shape(body, shape, role)
