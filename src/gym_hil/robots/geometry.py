"""Positions, boxes and cameras as data, which does not depend on the simulator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vec3 = tuple[float, float, float]
Quat = tuple[float, float, float, float]
Numbers = Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True)
class Box:
    """An axis-aligned box (m).

    Attributes:
        low: its lower corner (x, y, z).
        high: its upper corner (x, y, z).
    """

    low: Vec3
    high: Vec3

    def clipped_end(self, start: Numbers, displacement: Numbers) -> list[float]:
        """Return the end of a `displacement` (3, m) from `start` (3, m), limited to the box. If `start` is outside
        the box, the end is at most as far outside.
        """
        (at_x, at_y, at_z), (by_x, by_y, by_z) = start, displacement
        x, y, z = goal = [at_x + by_x, at_y + by_y, at_z + by_z]
        (low_x, low_y, low_z), (high_x, high_y, high_z) = self.low, self.high
        if low_x <= x <= high_x and low_y <= y <= high_y and low_z <= z <= high_z:
            return goal
        axes = zip(goal, start, self.low, self.high, strict=True)
        return [min(max(end, min(low, pos)), max(high, pos)) for end, pos, low, high in axes]

    def beyond(self, axis: int, least: float) -> Box:
        """Return the part of the box with coordinates of at least `least` (m) along an axis (0 to 2)."""
        x, y, z = (least if number == axis else value for number, value in enumerate(self.low))
        return Box((x, y, z), self.high)

    def up_to(self, axis: int, most: float) -> Box:
        """Return the part of the box with coordinates of at most `most` (m) along an axis (0 to 2)."""
        x, y, z = (most if number == axis else value for number, value in enumerate(self.high))
        return Box(self.low, (x, y, z))


@dataclass(frozen=True)
class Area:
    """An axis-aligned rectangle on the table (m).

    Attributes:
        low: its corner with the smallest x and y.
        high: its corner with the largest x and y.
    """

    low: tuple[float, float]
    high: tuple[float, float]

    def point(self, forward: float, left: float) -> tuple[float, float]:
        """Return a point of the area.

        Args:
            forward: 0 at the edge with the smallest x, 1 at the opposite one.
            left: 0 at the edge with the smallest y, 1 at the opposite one.

        Returns:
            x and y in m, rounded to 1 um so that they do not depend on the order of operations.
        """
        (low_x, low_y), (high_x, high_y) = self.low, self.high
        return round(low_x + forward * (high_x - low_x), 6), round(low_y + left * (high_y - low_y), 6)

    def part(self, low: tuple[float, float], high: tuple[float, float]) -> Area:
        """Return a part of the area, whose corners are given as in `point`."""
        return Area(self.point(*low), self.point(*high))


@dataclass(frozen=True)
class Workspace:
    """The workspace of a robot in the world frame, in which tasks place objects and keep the TCP.

    Attributes:
        tcp: box to which the commanded TCP is limited.
        table: area in which objects can be grasped from above.
        wide_tcp: box for tasks that need more space to the sides.
        wide_table: area for tasks that need more space to the sides.
        object_width: width of objects in tasks that do not need a certain one (m).
        lift: height to which objects can be lifted from anywhere on the table (m).
        ceiling: height that the TCP reaches above every point of the wide table with fingers that point down (m);
            infinite if the task's box is the only limit.
        pushing: area in which the fingers reach all sides of an object with a radius of up to two object widths; None
            if every place on the wide table is such a place.
        meeting: where two end effectors can hand something over (m); None if there is only one.
    """

    tcp: Box
    table: Area
    wide_tcp: Box
    wide_table: Area
    object_width: float = 0.04
    lift: float = 0.1
    ceiling: float = math.inf
    pushing: Area | None = None
    meeting: Vec3 | None = None


@dataclass(frozen=True)
class Camera:
    """A camera.

    Attributes:
        name: its name in observations.
        pos: its position in the frame of its parent (m).
        quat: its orientation (w x y z). It looks along its -z axis, and its y axis points up in the image.
        fovy: its vertical field of view (degrees).
    """

    name: str
    pos: Vec3
    quat: Quat
    fovy: float


def common(first: Box, second: Box) -> Box:
    """Return the intersection of two boxes.

    Args:
        first: the first box.
        second: the second box.
    """
    low_x, low_y, low_z = map(max, first.low, second.low)
    high_x, high_y, high_z = map(min, first.high, second.high)
    return Box((low_x, low_y, low_z), (high_x, high_y, high_z))


def reaches(box: Box, pos: Sequence[float], margin: float) -> bool:
    """Return whether a position is within a margin of a box, seen from above.

    Args:
        box: the box.
        pos: the position (3, m).
        margin: the margin (m).
    """
    x, y = pos[0], pos[1]
    (low_x, low_y, _), (high_x, high_y, _) = box.low, box.high
    return low_x - margin <= x <= high_x + margin and low_y - margin <= y <= high_y + margin


def rotation_between(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation vector (3, rad, world axes) from one orientation to another.

    Args:
        start: the first orientation (w x y z).
        end: the second orientation (w x y z).
    """
    w0, x0, y0, z0 = start
    w1, x1, y1, z1 = end
    # The product of `end` and the conjugate of `start`.
    w = w1 * w0 + x1 * x0 + y1 * y0 + z1 * z0
    x = -w1 * x0 + x1 * w0 - y1 * z0 + z1 * y0
    y = -w1 * y0 + x1 * z0 + y1 * w0 - z1 * x0
    z = -w1 * z0 - x1 * y0 + y1 * x0 + z1 * w0
    axis = np.array([x, y, z]) if w >= 0 else -np.array([x, y, z])
    sine = float(np.linalg.norm(axis))
    return axis * (2.0 * math.atan2(sine, abs(w)) / sine) if sine > 1e-12 else np.zeros(3)
