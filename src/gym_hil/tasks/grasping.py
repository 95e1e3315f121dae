"""Functions for tasks with grasps: whether an object is held, and how an expert grasps it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Union

import numpy as np
from numpy.typing import NDArray

from gym_hil.robots.geometry import Area
from gym_hil.tasks.base import Intent

if TYPE_CHECKING:
    from gym_hil.simulation.end_effector import SimulatedEndEffector
    from gym_hil.simulation.simulation import Simulation

Array = NDArray[np.float64]

HOVER = 0.08
"""Height of the TCP above an object while it approaches (m)."""
ALIGNED = 0.006
"""Largest horizontal error for lowering and closing the gripper (m)."""
CENTRED = 0.006
"""Largest vertical error for closing the gripper (m)."""


Hand = Union["Simulation", "SimulatedEndEffector"]
"""An end effector; a simulation stands for its first one."""


def is_held(sim: Hand, grasp: Array, half_width: float) -> bool:
    """Return whether the gripper holds an object.

    Args:
        sim: the end effector, or a simulation for its first one.
        grasp: position of the grasp on the object (3, m, world frame).
        half_width: half of the object's width (m).
    """
    near = float(np.linalg.norm(grasp - sim.tcp_pos_w)) < 0.02
    stopped_by_object = abs(sim.aperture - 2 * half_width) < 0.4 * half_width
    return near and sim.gripper_closing and stopped_by_object


def approach(sim: Hand, grasp: Array, hover: float = HOVER) -> Intent:
    """Return the expert's next goal for grasping an object: move above it, lower the gripper, close it.

    Until the jaws close, the object is in the middle between them.

    Args:
        sim: the end effector, or a simulation for its first one.
        grasp: position of the grasp on the object (3, m, world frame).
        hover: height above the object while approaching (m).
    """
    grasp = grasp + sim.grasp_offset()
    offset = grasp - sim.tcp_pos_w
    horizontal_error = float(np.hypot(offset[0], offset[1]))
    if horizontal_error < 2 * ALIGNED and abs(offset[2]) < CENTRED and sim.gripper_closing:
        return Intent(grasp, opening=0.0)
    if horizontal_error < ALIGNED and abs(offset[2]) < CENTRED:
        return Intent(grasp, opening=0.0)
    if horizontal_error < ALIGNED or (horizontal_error < 2 * ALIGNED and offset[2] > -0.03):
        return Intent(grasp, opening=1.0)
    return over(sim, grasp, grasp[2] + hover, opening=1.0)


def over(sim: Hand, goal: Array, height: float, opening: float) -> Intent:
    """Return the expert's next goal for moving above a position: first up, then sideways.

    Args:
        sim: the end effector, or a simulation for its first one.
        goal: the position (3, m, world frame).
        height: height of the TCP (m).
        opening: opening of the fingers, see `Intent`.
    """
    tcp = sim.tcp_pos_w
    if tcp[2] < height - 0.025:
        return Intent(np.array([tcp[0], tcp[1], height]), opening)
    return Intent(np.array([goal[0], goal[1], height]), opening)


def sample_apart(rng: np.random.Generator, area: Area, count: int, apart: float) -> Array:
    """Sample positions with a minimum distance.

    Args:
        rng: the random generator.
        area: area of the positions.
        count: number of positions.
        apart: minimum distance between two positions (m).

    Returns:
        x and y of the positions (count, 2, m).
    """
    while True:
        xy = rng.uniform(area.low, area.high, size=(count, 2))
        gaps = np.linalg.norm(xy[:, None] - xy[None], axis=2) + apart * np.eye(count)
        if gaps.min() >= apart:
            return xy


def yawed(yaw: float) -> tuple[float, float, float, float]:
    """Return the orientation (w x y z) with the given yaw (rad)."""
    return math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)


def yaw(sim: Simulation, name: str) -> float:
    """Return the yaw of a part of a prop (rad).

    Args:
        sim: the simulation.
        name: name of the part.
    """
    x, y, _ = sim.point_pos_w(name, (1.0, 0.0, 0.0)) - sim.body_pos_w(name)
    return math.atan2(y, x)


def hand_yaw(sim: Simulation) -> float:
    """Return the yaw of the TCP (rad).

    Args:
        sim: the simulation.
    """
    w, x, y, z = sim.tcp_quat_w.tolist()
    return math.atan2(2 * (x * y + w * z), 1 - 2 * (y * y + z * z))


def rotated(quat: Array, rotation: Array) -> Array:
    """Return the orientation `quat` (4, w x y z), turned by a rotation vector (3, rad, world frame)."""
    angle = float(np.linalg.norm(rotation))
    w, x, y, z = quat.tolist()
    a, b, c = (math.sin(angle / 2) / max(angle, 1e-12) * rotation).tolist()
    d = math.cos(angle / 2)
    return np.array(
        [
            d * w - a * x - b * y - c * z,
            d * x + a * w + b * z - c * y,
            d * y - a * z + b * w + c * x,
            d * z + a * y - b * x + c * w,
        ]
    )


def turned(quat: Array, angle: float) -> Array:
    """Return the orientation `quat` (4, w x y z) rotated by `angle` (rad) about the vertical."""
    return rotated(quat, np.array([0.0, 0.0, angle]))
