"""What a task puts around a robot, as data. Nothing here needs a simulator."""

from __future__ import annotations

from dataclasses import dataclass

from gym_hil.robots.geometry import Vec3

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Cube:
    """A cube that moves freely. `half_size` in m."""

    name: str
    rgb: Rgb
    half_size: float = 0.02

    @property
    def mass(self) -> float:
        """Its mass (kg): 0.1 with edges of 4 cm, else as much in proportion to its volume."""
        return 0.1 * (self.half_size / 0.02) ** 3

    @property
    def half_sizes(self) -> Vec3:
        """Half its edges (m)."""
        return (self.half_size,) * 3


@dataclass(frozen=True)
class Peg:
    """A square peg that moves freely. `half_width` and `half_length` in m, `mass` in kg."""

    name: str
    rgb: Rgb
    half_width: float
    half_length: float
    mass: float = 0.1

    @property
    def half_sizes(self) -> Vec3:
        """Half its edges (m); it is long along z."""
        return (self.half_width, self.half_width, self.half_length)


@dataclass(frozen=True)
class Socket:
    """A block on the floor with a square hole. It stays where a start puts it.

    Its frame lies on the floor below the hole's middle; lengths in m.
    """

    name: str
    rgb: Rgb
    half_opening: float
    wall: float
    height: float


@dataclass(frozen=True)
class Target:
    """A flat coloured square on the floor; it touches nothing."""

    name: str
    rgb: Rgb
    pos: Vec3
    half_size: float = 0.05


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a task puts on the table, and how the robot stands there at the start.

    Attributes:
        home: purpose of the robot's home configuration, such as ``"above_table"``; see `Robot.home`.
        props: what moves freely.
        sockets: blocks with a hole that stay where a start puts them.
        targets: flat squares that touch nothing.
    """

    home: str
    props: tuple[Cube | Peg, ...] = ()
    sockets: tuple[Socket, ...] = ()
    targets: tuple[Target, ...] = ()
