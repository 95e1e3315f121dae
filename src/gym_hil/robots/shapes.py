"""Primitive shapes as data, and the two roles a geom of a robot can have: seen, or touched."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco

from gym_hil.robots import collision

Vec3 = tuple[float, float, float]
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
    """A primitive in its body's frame; sizes as MuJoCo takes them (m)."""

    type: mujoco.mjtGeom
    size: tuple[float, ...]
    rgba: Rgba
    pos: Vec3 | None = None
    fromto: tuple[float, ...] | None = None

    @classmethod
    def capsule(cls, radius: float, start: Vec3, end: Vec3, rgba: Rgba) -> Shape:
        """Return a capsule between two points."""
        return cls(mujoco.mjtGeom.mjGEOM_CAPSULE, (radius, 0, 0), rgba, fromto=(*start, *end))

    @classmethod
    def cylinder(cls, radius: float, start: Vec3, end: Vec3, rgba: Rgba) -> Shape:
        """Return a cylinder between two points."""
        return cls(mujoco.mjtGeom.mjGEOM_CYLINDER, (radius, 0, 0), rgba, fromto=(*start, *end))

    @classmethod
    def box(cls, half_size: Vec3, pos: Vec3, rgba: Rgba) -> Shape:
        """Return a box about `pos`."""
        return cls(mujoco.mjtGeom.mjGEOM_BOX, half_size, rgba, pos=pos)

    @classmethod
    def ellipsoid(cls, radii: Vec3, pos: Vec3, rgba: Rgba) -> Shape:
        """Return an ellipsoid about `pos`."""
        return cls(mujoco.mjtGeom.mjGEOM_ELLIPSOID, radii, rgba, pos=pos)


def add_shape(body: mujoco.MjsBody, shape: Shape, role: Role, name: str = "") -> None:
    """Add `shape` to `body` as a massless geom; links carry their published inertia."""
    placed = {"pos": shape.pos} if shape.pos is not None else {"fromto": shape.fromto}
    body.add_geom(
        name=name,
        type=shape.type,
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
