"""OpenDrawerAndPlace: pull a drawer open by its handle, put the cube into it and release it.

Reset options: ``cube_xy`` (2, m) sets the place of the cube, ``cabinet_pose`` (3: x and y in m, yaw in rad) the
cabinet's pose.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gym_hil.robots.base import Robot
from gym_hil.robots.geometry import Area
from gym_hil.scenes.scene import Cube, Scene
from gym_hil.tasks.base import Array, Intent, Pair, Start, Task, finite_array
from gym_hil.tasks.cabinet import INSIDE, LOOP, Cabinet
from gym_hil.tasks.grasping import approach, is_held, over, yawed
from gym_hil.tasks.needs import Needs

if TYPE_CHECKING:
    from gym_hil.simulation.simulation import Simulation

USUAL_WIDTH = 0.04
"""Width of a robot's objects for which the lengths of the cabinet and of its motion are given (m); they are
proportional to it."""
OPENED = 0.105
"""Opening of the drawer from which on the expert fetches the cube (m)."""
APART = 0.354
"""Smallest distance between cabinet and cube along y (m), which leaves room for the hand beside the open drawer."""
AJAR = 0.02
"""Largest opening at the start (m)."""
TOLERANCE = 0.03
"""Largest distance of the cube from its place in the drawer, for `pairs` (m)."""
YAW = 0.15
"""Largest turn of cabinet and cube at the start (rad)."""
HOVER = 0.12
"""Height of the TCP while it moves to the next object (m)."""
IN_HOLE = 0.008
"""Horizontal error below which the expert descends into the handle (m)."""
PULL = 0.02
"""Distance by which the expert pulls the drawer per step (m)."""


class OpenDrawerAndPlace(Task):
    """Open the drawer and put the cube into it."""

    name = "OpenDrawerAndPlace"
    description = "Open the drawer and put the cube into it."
    max_episode_steps = 200
    observation_size = 9
    needs = Needs(aperture=0.05)
    reset_options = ("cube_xy", "cabinet_pose")

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        width = robot.workspace.object_width
        self.scale = scale = width / USUAL_WIDTH
        self.cabinet, self.cube = (
            Cabinet("cabinet", (0.35, 0.40, 0.48), scale),
            Cube("cube", (0.85, 0.18, 0.15), width / 2),
        )
        self.place = (0.0, 0.0, self.cabinet.floor + self.cube.half_size)
        """Place of the cube in the drawer (m, frame of the drawer)."""
        self.ceiling = robot.workspace.ceiling
        self.pairs = (Pair(0, 1, (0.0, 0.0, 0.0), scale * TOLERANCE),)
        self.opened = scale * OPENED
        self.scene = Scene(
            home=self.needs.home, front_view="wide_table", props=(self.cube,), fixtures=(self.cabinet,)
        )
        self.workspace = robot.workspace.wide_tcp
        table = robot.workspace.wide_table
        self.cabinet_area = table.part((0.4, 0.96), (0.9, 1.05))
        self.cube_area = Area(table.low, (table.high[0], round(self.cabinet_area.low[1] - scale * APART, 6)))

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Sample both poses and the opening. All options consume the same random numbers."""
        cube, cabinet = (rng.uniform(area.low, area.high) for area in (self.cube_area, self.cabinet_area))
        (yaw, turn), ajar = rng.uniform(-YAW, YAW, 2), rng.uniform(0.0, self.scale * AJAR)
        pose = np.array([*cabinet, turn])
        if not randomise:
            cube = np.array(self.cube_area.point(0.5, 0.5))
            pose, yaw, ajar = np.array([*self.cabinet_area.point(0.5, 0.5), 0.0]), 0.0, 0.0
        cube = finite_array("cube_xy", options.get("cube_xy", cube), (2,))
        pose = finite_array("cabinet_pose", options.get("cabinet_pose", pose), (3,))
        return {
            self.cube.name: np.array([*cube, self.cube.half_size, *yawed(yaw)]),
            self.cabinet.name: np.array([*pose[:2], 0.0, *yawed(pose[2])]),
            self.cabinet.drawer: np.array([ajar]),
        }

    def observe(self, sim: Simulation) -> Array:
        """Return the cube, its place in the drawer, and the handle (9, m, world frame)."""
        points = (sim.point_pos_w(self.cabinet.drawer, point) for point in (self.place, self.cabinet.hook))
        return np.concatenate([sim.body_pos_w(self.cube.name), *points])

    def opening(self, sim: Simulation) -> float:
        """Return the opening of the drawer (m)."""
        return math.dist(sim.body_coordinates(self.cabinet.drawer), sim.body_coordinates(self.cabinet.name))

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return the terms: drawer open, cube near its place."""
        away = float(
            np.linalg.norm(sim.point_pos_w(self.cabinet.drawer, self.place) - sim.body_pos_w(self.cube.name))
        )
        opened = min(1.0, self.opening(sim) / self.opened)
        return {"open": (0.4, opened), "placed": (0.6, opened * math.exp(-10.0 * away))}

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether the cube lies in the drawer and the gripper is commanded to be open."""
        x, y, z = (sim.body_pos_w(self.cube.name) - sim.point_pos_w(self.cabinet.drawer, self.place)).tolist()
        inside = math.hypot(x, y) < self.scale * INSIDE[1] - 0.5 * self.cube.half_size
        return inside and abs(z) < 0.004 and not sim.gripper_closing

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Open the drawer, fetch the cube and lower it into the drawer."""
        cube, tcp, opened = sim.body_pos_w(self.cube.name), sim.tcp_pos_w, self.opening(sim) > self.opened
        held = is_held(sim, cube, self.cube.half_size)
        if held and opened:
            return self._deliver(sim, cube)
        if held:
            on_floor = cube[2] < 1.2 * self.cube.half_size
            return Intent(np.array([tcp[0], tcp[1], self.cube.half_size]), opening=float(on_floor))
        return approach(sim, cube, min(HOVER, self.ceiling - cube.item(2))) if opened else self._pull(sim)

    def _pull(self, sim: Simulation) -> Intent:
        drawer, hook = self.cabinet.drawer, self.cabinet.hook
        to_tcp = sim.grasp_offset(0.0) * (1.0, 1.0, 0.0)
        goal, tcp = sim.point_pos_w(drawer, hook) + to_tcp, sim.tcp_pos_w
        horizontal_error, low = math.hypot(goal[0] - tcp[0], goal[1] - tcp[1]), tcp[2] < hook[2] + 0.008
        if horizontal_error > (1.1 * self.scale * LOOP[1] if low else IN_HOLE):
            return over(sim, goal, min(HOVER, self.ceiling), opening=0.0)
        if not low:
            return Intent(goal, opening=0.0)
        outwards = goal - to_tcp - sim.point_pos_w(drawer, (0.0, 0.0, hook[2]))
        return Intent(
            goal + outwards * ((self.scale * LOOP[1] + PULL) / np.linalg.norm(outwards)), opening=0.0
        )

    def _deliver(self, sim: Simulation, cube: Array) -> Intent:
        offset, tcp = sim.point_pos_w(self.cabinet.drawer, self.place) - cube, sim.tcp_pos_w
        if math.hypot(offset[0], offset[1]) > IN_HOLE:
            return over(sim, tcp + offset, min(HOVER + self.cube.half_size, self.ceiling), opening=0.0)
        if offset[2] < -0.006:
            return Intent(tcp + offset, opening=0.0)
        return Intent(tcp, opening=1.0)
