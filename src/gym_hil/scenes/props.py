"""Props: objects around a robot that add themselves to a MuJoCo model.

A prop is data, so that tasks of other packages can define their own. Importing this module does not import
MuJoCo.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gym_hil.robots import collision
from gym_hil.robots.geometry import Vec3

if TYPE_CHECKING:
    import mujoco

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Prop(abc.ABC):
    """An object around a robot.

    Attributes:
        name: name of its body.
        rgb: its colour.
    """

    name: str
    rgb: Rgb

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the bodies whose initial positions a task samples.

        Each of them is either a mocap body with a pose (x y z [and quaternion]), or has a joint of the same
        name with a joint position: a pose for a free joint, or one number (m or rad) for a slide or hinge.
        """
        return (self.name,)

    @abc.abstractmethod
    def build(self, spec: mujoco.MjSpec) -> None:
        """Add the prop's bodies to `spec`. `add_block` adds a box with the usual contact settings."""


@dataclass(frozen=True)
class Cube(Prop):
    """A cube that moves freely.

    Attributes:
        half_size: half of the edge length (m).
    """

    half_size: float = 0.02

    @property
    def mass(self) -> float:
        """Mass (kg): 0.1 for edges of 4 cm, and proportional to the volume otherwise."""
        return 0.1 * (self.half_size / 0.02) ** 3

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a free body with one block."""
        body = add_free_body(spec, self.name, self.half_size)
        add_block(body, self.name, (0, 0, 0), (self.half_size,) * 3, self.rgb, mass=self.mass)


@dataclass(frozen=True)
class Peg(Prop):
    """A square peg that moves freely, with its long axis along z.

    Attributes:
        half_width: half of the width (m).
        half_length: half of the length (m).
        mass: mass (kg).
    """

    half_width: float
    half_length: float
    mass: float = 0.1

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a free body with one block."""
        body = add_free_body(spec, self.name, self.half_length)
        half_sizes = (self.half_width, self.half_width, self.half_length)
        add_block(body, self.name, (0, 0, 0), half_sizes, self.rgb, mass=self.mass)


@dataclass(frozen=True)
class Socket(Prop):
    """A block on the floor with a square hole, at a sampled position.

    Its frame is on the floor below the centre of the hole.

    Attributes:
        half_opening: half of the width of the hole (m).
        wall: thickness of the walls (m).
        height: height of the block (m).
    """

    half_opening: float
    wall: float
    height: float

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a mocap body with four walls."""
        body = spec.worldbody.add_body(name=self.name, mocap=True)
        middle, half_wall, half_height = self.half_opening + self.wall / 2, self.wall / 2, self.height / 2
        long, short = self.half_opening + self.wall, self.half_opening
        for side, sign in (("front", 1), ("back", -1)):
            size = (half_wall, long, half_height)
            add_block(body, f"{self.name}_{side}", (sign * middle, 0, half_height), size, self.rgb)
        for side, sign in (("left", 1), ("right", -1)):
            size = (short, half_wall, half_height)
            add_block(body, f"{self.name}_{side}", (0, sign * middle, half_height), size, self.rgb)


@dataclass(frozen=True)
class Target(Prop):
    """A flat coloured square on the floor without contacts.

    Attributes:
        pos: its fixed position (m, world frame).
        half_size: half of the edge length (m).
    """

    pos: Vec3
    half_size: float = 0.05

    @property
    def parts(self) -> tuple[str, ...]:
        """Empty, because its position is not sampled."""
        return ()

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add one geom to the world."""
        size = (self.half_size, self.half_size, 0.0005)
        add_block(spec.worldbody, self.name, self.pos, size, self.rgb, touches=False)


def add_free_body(spec: mujoco.MjSpec, name: str, height: float) -> mujoco.MjsBody:
    """Add a body that moves freely, and return it.

    Args:
        spec: the model.
        name: name of the body and of its joint.
        height: height of its frame above the floor in the initial model (m).
    """
    body = spec.worldbody.add_body(name=name, pos=(0.5, 0, height))
    body.add_freejoint(name=name)
    return body


def add_block(
    body: mujoco.MjsBody,
    name: str,
    pos: Vec3,
    half_sizes: Vec3,
    rgb: Rgb,
    *,
    mass: float = 0,
    touches: bool = True,
    friction: float = 0.8,
) -> None:
    """Add a box to a body.

    Args:
        body: the body.
        name: name of the geom.
        pos: its centre (m, frame of the body).
        half_sizes: half of the edge lengths (m).
        rgb: its colour.
        mass: its mass (kg).
        touches: whether it has contacts with robots and props.
        friction: coefficient of sliding friction.
    """
    import mujoco

    _add_geom(
        body, name, rgb, mass, touches, friction, type=mujoco.mjtGeom.mjGEOM_BOX, pos=pos, size=half_sizes
    )


def add_rod(
    body: mujoco.MjsBody,
    name: str,
    ends: tuple[Vec3, Vec3],
    radius: float,
    rgb: Rgb,
    *,
    mass: float = 0,
    friction: float = 0.8,
    priority: int = 0,
    condim: int = 3,
) -> None:
    """Add a rod with a hemisphere at each end (a capsule) to a body.

    Args:
        body: the body.
        name: name of the geom.
        ends: centres of both hemispheres (m, frame of the body).
        radius: radius (m).
        rgb: its colour.
        mass: mass (kg).
        friction: coefficient of sliding friction.
        priority: the geom with the higher priority determines friction and `condim` of a contact.
        condim: 1 for no friction, 3 for sliding friction.
    """
    import mujoco

    shape = {"type": mujoco.mjtGeom.mjGEOM_CAPSULE, "fromto": (*ends[0], *ends[1]), "size": (radius, 0, 0)}
    _add_geom(body, name, rgb, mass, True, friction, priority=priority, condim=condim, **shape)


def _add_geom(
    body: mujoco.MjsBody, name: str, rgb: Rgb, mass: float, touches: bool, friction: float, **shape: Any
) -> None:
    body.add_geom(
        name=name,
        mass=mass,
        rgba=(*rgb, 1.0),
        contype=collision.WORLD if touches else 0,
        conaffinity=collision.WORLD | collision.ROBOT if touches else 0,
        friction=(friction, 0.005, 0.0001),
        solref=(0.005, 1.0),
        group=collision.VISIBLE,
        **shape,
    )


def add_slider(
    body: mujoco.MjsBody, name: str, pos: Vec3, axis: Vec3, travel: float, **resistance: float
) -> mujoco.MjsBody:
    """Add a body with a slide joint to another body, and return it.

    Args:
        body: the other body.
        name: name of the new body and of its joint.
        pos: its position at a joint position of 0 (m, frame of `body`).
        axis: direction of the joint.
        travel: range of the joint (m).
        resistance: MuJoCo's ``stiffness`` (N/m), ``damping`` (N s/m), ``frictionloss`` (N), ``armature``
            (kg).
    """
    import mujoco

    part = body.add_body(name=name, pos=pos)
    part.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis, range=(0, travel), **resistance)
    return part
