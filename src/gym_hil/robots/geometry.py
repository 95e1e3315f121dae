"""Positions, boxes and cameras as data. Nothing here needs a simulator."""

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
    """An axis-aligned box, in m.

    Attributes:
        low: its lower corner (x, y, z).
        high: its upper corner (x, y, z).
    """

    low: Vec3
    high: Vec3

    def end_of(self, start: Numbers, way: Numbers) -> list[float]:
        """Return where a displacement `way` (3, m) from `start` (3, m) ends: in the box, or, from outside, at most
        as far away as it began.
        """
        x, y, z = goal = [pos + delta for pos, delta in zip(start, way, strict=True)]
        (low_x, low_y, low_z), (high_x, high_y, high_z) = self.low, self.high
        if low_x <= x <= high_x and low_y <= y <= high_y and low_z <= z <= high_z:
            return goal
        each = zip(goal, start, self.low, self.high, strict=True)
        return [min(max(end, min(low, pos)), max(high, pos)) for end, pos, low, high in each]


@dataclass(frozen=True)
class Area:
    """A rectangle on the table whose sides are parallel to x and y, in m.

    Attributes:
        low: its corner with the least x and y.
        high: its corner with the greatest x and y.
    """

    low: tuple[float, float]
    high: tuple[float, float]

    def point(self, forward: float, left: float) -> tuple[float, float]:
        """Return a point (x, y) of the area.

        Args:
            forward: 0 at the edge with the least x, 1 at the opposite one.
            left: 0 at the edge with the least y, 1 at the opposite one.

        Returns:
            x and y in m, rounded to a micrometre so that they do not depend on the order of operations.
        """
        (low_x, low_y), (high_x, high_y) = self.low, self.high
        return round(low_x + forward * (high_x - low_x), 6), round(low_y + left * (high_y - low_y), 6)

    def part(self, low: tuple[float, float], high: tuple[float, float]) -> Area:
        """Return a part of the area; its corners are given as for `point`."""
        return Area(self.point(*low), self.point(*high))


@dataclass(frozen=True)
class Workspace:
    """Where a robot can work, in the world frame. Tasks place their objects in it and keep the TCP in it.

    Attributes:
        tcp: box that the commanded TCP is kept in.
        table: area in which objects can be grasped from above.
        wide_tcp: the same as `tcp`, for tasks that need more room to the sides.
        wide_table: the same as `table`, for such tasks.
        object_width: width of the objects that it handles (m), for tasks that do not need a certain one.
        lift: how high it lifts an object from anywhere on the table (m).
    """

    tcp: Box
    table: Area
    wide_tcp: Box
    wide_table: Area
    object_width: float = 0.04
    lift: float = 0.1


@dataclass(frozen=True)
class Camera:
    """A camera.

    Attributes:
        name: what observations call it.
        pos: its position in the frame of what it is fixed to (m).
        quat: its orientation (w x y z); it looks along its -z axis, and its y axis points up in the image.
        fovy: its vertical field of view (degrees).
    """

    name: str
    pos: Vec3
    quat: Quat
    fovy: float


def common(first: Box, second: Box) -> Box:
    """Return the box of all points that two boxes share."""
    low = tuple(map(max, first.low, second.low))
    high = tuple(map(min, first.high, second.high))
    return Box(low, high)  # type: ignore[arg-type]


def reaches(box: Box, pos: Sequence[float], margin: float) -> bool:
    """Return whether what lies at `pos` (3, m) is within `margin` (m) of `box`, seen from above."""
    x, y = pos[0], pos[1]
    (low_x, low_y, _), (high_x, high_y, _) = box.low, box.high
    return low_x - margin <= x <= high_x + margin and low_y - margin <= y <= high_y + margin


def rotation_between(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation vector (3, rad, world axes) that turns one orientation into another.

    Args:
        start: the first orientation (w x y z).
        end: the other one.
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
