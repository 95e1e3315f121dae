"""StackCubes: build a tower of three cubes in the order of their colours, and release it.

Reset options: ``cube_xy`` (3, 2, m, world frame) sets the places of the cubes, in the order of `COLOURS`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gym_hil.robots.base import Robot
from gym_hil.scenes.scene import Cube, Scene
from gym_hil.tasks.base import Array, Intent, Pair, Start, Task, finite_array
from gym_hil.tasks.grasping import approach, is_held, over, sample_apart, yawed
from gym_hil.tasks.needs import Needs

if TYPE_CHECKING:
    from gym_hil.simulation.simulation import Simulation

COLOURS = {"red": (0.85, 0.18, 0.15), "green": (0.18, 0.62, 0.27), "blue": (0.15, 0.35, 0.80)}
"""Colours of the cubes, from the lowest to the highest."""
APART = 3.3
"""Least distance of two cubes at the start, in widths of a cube: the palm of the Franka Hand (0.2 m wide)
fits beside a tower."""
GRASP = (0.0, 0.0, 0.004)
"""Point at which the expert grasps a cube (m, relative to its middle); no finger touches the cube below."""
YAW = 0.2
"""Largest yaw of a cube at the start (rad)."""
ASIDE = 0.5
"""Largest horizontal distance between a stacked cube and the one below it, in half widths."""
LEVEL = 0.004
"""Largest error of a cube's height in the tower (m)."""
ALIGNED = 0.003
"""Horizontal error below which a cube is lowered (m)."""
SEATED = 0.002, 0.0045
"""Height above the cube below at which the hand releases the cube (m): for arms that keep it upright, and for arms with
few joints, which tilt it, so that its lower edge touches the cube below earlier."""
HOVER = 0.1
"""Height of the TCP above the cube to grasp, and of a carried cube above the tower (m), where the robot reaches it."""
CLEAR = 1.5
"""Height of the TCP above the middle of the highest cube at success, in half widths."""


class StackCubes(Task):
    """Stack three cubes."""

    name = "StackCubes"
    description = "Stack the cubes: red, green on it, blue on top."
    max_episode_steps = 250
    observation_size = 9
    needs = Needs(aperture=0.05)
    reset_options = ("cube_xy",)

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        self.half_size = half_size = robot.workspace.object_width / 2
        self.cubes = tuple(Cube(f"cube_{name}", rgb, half_size) for name, rgb in COLOURS.items())
        self.pairs = tuple(
            Pair(upper, upper - 1, offset=(0.0, 0.0, 2 * half_size), tolerance=LEVEL) for upper in (1, 2)
        )
        self.scene = Scene(home=self.needs.home, front_view="wide_table", props=self.cubes)
        self.workspace = robot.workspace.wide_tcp
        self.table = robot.workspace.wide_table
        self.ceiling = robot.workspace.ceiling
        tilts = bool(robot.end_effectors[0].rotations)
        self.seated = SEATED[tilts]
        self.foot = (0.0, 0.0, -half_size if tilts else 0.0)
        """Point of a carried cube that is moved over its place (m, frame of the cube). A tilted cube turns about its
        lower edge when it is released, and the middle of its lower face then hardly moves."""
        self.fixed_xy = np.array([self.table.point(0.5, left) for left in (0.5, 0.3, 0.7)])

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Sample the places and yaws of the cubes. All options consume the same random numbers."""
        xy = sample_apart(rng, self.table, len(self.cubes), APART * 2 * self.half_size)
        yaws = rng.uniform(-YAW, YAW, len(self.cubes))
        if not randomise:
            xy, yaws = self.fixed_xy, np.zeros(len(self.cubes))
        if "cube_xy" in options:
            xy = finite_array("cube_xy", options["cube_xy"], (len(self.cubes), 2))
        return {
            cube.name: np.array([*place, cube.half_size, *yawed(yaw)])
            for cube, place, yaw in zip(self.cubes, xy, yaws, strict=True)
        }

    def observe(self, sim: Simulation) -> Array:
        """Return the positions of all cubes (9, m, world frame)."""
        return np.concatenate([sim.body_pos_w(cube.name) for cube in self.cubes])

    def offset(self, sim: Simulation, index: int) -> Array:
        """Return the vector from cube `index` to its place on the cube below it (3, m, world frame)."""
        upper, lower = (sim.body_pos_w(self.cubes[number].name) for number in (index, index - 1))
        offset: Array = lower - upper
        offset[2] += 2 * self.half_size
        return offset

    def is_stacked(self, sim: Simulation, index: int) -> bool:
        """Return whether cube `index` lies on the one below it."""
        x, y, z = self.offset(sim, index).tolist()
        return math.hypot(x, y) < ASIDE * self.half_size and abs(z) < LEVEL

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return one term per upper cube, which grows as the cube approaches its place."""
        return {
            self.cubes[index].name: (0.5, math.exp(-20.0 * math.hypot(*self.offset(sim, index))))
            for index in (1, 2)
        }

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether all cubes are stacked and the hand is clear of the tower."""
        above = sim.tcp_coordinates[2] - sim.body_coordinates(self.cubes[2].name)[2]
        return above > CLEAR * self.half_size and self.is_stacked(sim, 1) and self.is_stacked(sim, 2)

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Stack the lowest cube that is not in its place, or move the hand up from the finished tower."""
        tcp = sim.tcp_pos_w
        for index in (1, 2):
            cube = sim.body_pos_w(self.cubes[index].name)
            if is_held(sim, cube + GRASP, self.half_size):
                return self._deliver(sim, index)
            if not self.is_stacked(sim, index):
                return approach(sim, cube + GRASP, self._hover(cube))
        return Intent(tcp + np.array([0.0, 0.0, HOVER]), opening=1.0)

    def _hover(self, pos: Array) -> float:
        """Return the height above a position of the TCP at which the hand moves sideways (m)."""
        return min(HOVER, self.ceiling - float(pos[2]))

    def _deliver(self, sim: Simulation, index: int) -> Intent:
        cube, tcp = self.cubes[index].name, sim.tcp_pos_w
        lean = sim.point_pos_w(cube, self.foot) - sim.body_pos_w(cube) - self.foot
        offset = self.offset(sim, index) - lean
        horizontal_error = math.hypot(offset[0], offset[1])
        goal = tcp + offset
        if horizontal_error > 2 * ALIGNED and offset[2] > -HOVER:
            return over(sim, goal, float(goal[2]) + self._hover(goal), opening=0.0)
        if horizontal_error > ALIGNED:
            return Intent(np.array([goal[0], goal[1], tcp[2]]), opening=0.0)
        if offset[2] < -self.seated:
            return Intent(goal, opening=0.0)
        return Intent(tcp, opening=1.0)
