"""Primitive shapes as data, and the two roles of a robot's geoms: visual or collision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gym_hil.robots import collision
from gym_hil.robots.geometry import Quat, Vec3

if TYPE_CHECKING:
    import mujoco

Rgba = tuple[float, float, float, float]


@dataclass(frozen=True)
class Role:
    """Group, contact bits and friction of a geom."""

    group: int
    contype: int
    conaffinity: int
    friction: Vec3 = (0.6, 0.005, 0.0001)
    priority: int = 0
    condim: int = 3
    solref: tuple[float, float] = (0.005, 1.0)


VISUAL = Role(group=collision.VISIBLE, contype=0, conaffinity=0)
COLLISION = Role(group=collision.HIDDEN, contype=collision.ROBOT, conaffinity=collision.WORLD)


@dataclass(frozen=True)
class Shape:
    """A primitive shape in the frame of its body.

    Attributes:
        kind: ``"capsule"``, ``"cylinder"``, ``"box"`` or ``"ellipsoid"``.
        size: size as defined by MuJoCo (m).
        rgba: its colour.
        pos: its centre (m), unless `fromto` is given.
        quat: its orientation (w x y z), unless `fromto` is given.
        fromto: both ends of a capsule or cylinder (m).
    """

    kind: str
    size: tuple[float, ...]
    rgba: Rgba
    pos: Vec3 | None = None
    quat: Quat = (1.0, 0.0, 0.0, 0.0)
    fromto: tuple[float, ...] | None = None

    @classmethod
    def capsule(cls, radius: float, start: Vec3, end: Vec3, rgba: Rgba) -> Shape:
        """Return a capsule between two points."""
        return cls("capsule", (radius, 0, 0), rgba, fromto=(*start, *end))

    @classmethod
    def cylinder(cls, radius: float, start: Vec3, end: Vec3, rgba: Rgba) -> Shape:
        """Return a cylinder between two points."""
        return cls("cylinder", (radius, 0, 0), rgba, fromto=(*start, *end))

    @classmethod
    def box(cls, half_size: Vec3, pos: Vec3, rgba: Rgba, quat: Quat = (1.0, 0.0, 0.0, 0.0)) -> Shape:
        """Return a box with its centre at `pos` and the orientation `quat` (w x y z)."""
        return cls("box", half_size, rgba, pos=pos, quat=quat)

    @classmethod
    def ellipsoid(cls, radii: Vec3, pos: Vec3, rgba: Rgba) -> Shape:
        """Return an ellipsoid with its centre at `pos`."""
        return cls("ellipsoid", radii, rgba, pos=pos)


def add_shape(body: mujoco.MjsBody, shape: Shape, role: Role, name: str = "") -> None:
    """Add `shape` to `body` as a massless geom, because links have their published inertia."""
    import mujoco

    placed = {"fromto": shape.fromto}
    if shape.pos is not None:
        placed = {"pos": shape.pos, "quat": shape.quat}
    body.add_geom(
        name=name,
        type=getattr(mujoco.mjtGeom, f"mjGEOM_{shape.kind.upper()}"),
        size=shape.size,
        rgba=shape.rgba,
        mass=0,
        group=role.group,
        contype=role.contype,
        conaffinity=role.conaffinity,
        friction=role.friction,
        priority=role.priority,
        condim=role.condim,
        solref=role.solref,
        **placed,
    )
