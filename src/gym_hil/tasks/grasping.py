"""What picking tasks share: is a cube held, and how an expert comes to hold it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gym_hil.scenes.base import Cube
from gym_hil.sim.simulation import Simulation
from gym_hil.tasks.base import Intent

Array = NDArray[np.float64]

HOVER = 0.08
"""Height of the TCP above a cube's centre while travelling to it (m)."""
ALIGNED = 0.006
"""Largest horizontal error to come down with, and to close at (m)."""
CENTRED = 0.006
"""Largest vertical error to close at (m)."""


def offset(sim: Simulation, cube: Cube) -> Array:
    """Return the way from TCP to `cube` (3, m, world frame)."""
    return sim.body_pos_w(cube.name) - sim.tcp_pos_w


def is_held(sim: Simulation, cube: Cube) -> bool:
    """Return whether the closing fingers have `cube` between them."""
    near = float(np.linalg.norm(offset(sim, cube))) < cube.half_size
    stopped_by_it = abs(sim.aperture - 2 * cube.half_size) < 0.4 * cube.half_size
    return near and sim.gripper_closing and stopped_by_it


def approach(sim: Simulation, cube: Cube) -> Intent:
    """Return how to come to hold `cube` from anywhere: over it, down, close."""
    way = offset(sim, cube)
    pos = sim.body_pos_w(cube.name)
    aside = float(np.hypot(way[0], way[1]))
    if aside < 2 * ALIGNED and abs(way[2]) < CENTRED and sim.gripper_closing:
        return Intent(pos.copy(), opening=0.0)
    if aside < ALIGNED and abs(way[2]) < CENTRED:
        return Intent(pos.copy(), opening=0.0)
    if aside < ALIGNED or (aside < 2 * ALIGNED and way[2] > -0.03):
        return Intent(pos.copy(), opening=1.0)
    return over(sim, pos, pos[2] + HOVER, opening=1.0)


def over(sim: Simulation, goal: Array, height: float, opening: float) -> Intent:
    """Return how to travel above `goal` at `height` (m): up first, then across."""
    tcp = sim.tcp_pos_w
    if tcp[2] < height - 0.025:
        return Intent(np.array([tcp[0], tcp[1], height]), opening)
    return Intent(np.array([goal[0], goal[1], height]), opening)
