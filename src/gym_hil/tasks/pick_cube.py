"""PickCube: grasp a cube on the table and lift it.

Reset options: ``cube_xy`` (2, m) is the cube's position.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gym_hil.robots.base import Robot
from gym_hil.scenes.scene import Cube, Scene
from gym_hil.tasks.base import Array, Intent, Start, Task, finite_array
from gym_hil.tasks.grasping import approach, is_held
from gym_hil.tasks.needs import Needs

if TYPE_CHECKING:
    from gym_hil.simulation.simulation import Simulation

HELD_DISTANCE = 0.05
"""Largest distance between cube and TCP at success (m), so that a falling cube does not count."""


class PickCube(Task):
    """Grasp the cube and lift it."""

    name = "PickCube"
    description = "Pick up the cube and lift it."
    max_episode_steps = 100
    observation_size = 3
    needs = Needs(aperture=0.05)
    reset_options = ("cube_xy",)

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        self.cube = Cube("cube", (0.85, 0.18, 0.15), half_size=robot.workspace.object_width / 2)
        self.lifted = robot.workspace.lift
        """Height above the initial position at success (m)."""
        self.scene = Scene(home=self.needs.home, props=(self.cube,))
        self.workspace = robot.workspace.tcp
        self.table = robot.workspace.table

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Sample the cube's position. The generator is used in the same way for all options."""
        drawn = rng.uniform(self.table.low, self.table.high)
        xy = drawn if randomise else np.array(self.table.point(1.0, 0.5))
        if "cube_xy" in options:
            xy = finite_array("cube_xy", options["cube_xy"], (2,))
        return {self.cube.name: np.array([*xy, self.cube.half_size])}

    def observe(self, sim: Simulation) -> Array:
        """Return the cube's position (3, m, world frame)."""
        return sim.body_pos_w(self.cube.name)

    def distance(self, sim: Simulation) -> float:
        """Return the distance of the cube from the TCP (m)."""
        return math.dist(sim.body_coordinates(self.cube.name), sim.tcp_coordinates)

    def lift(self, sim: Simulation, start: Start) -> float:
        """Return the height of the cube above its initial position (m)."""
        return sim.body_coordinates(self.cube.name)[2] - start[self.cube.name].item(2)

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return terms for the distance of the TCP from the cube and for the height of the cube."""
        lifted = min(1.0, max(0.0, self.lift(sim, start) / self.lifted))
        return {"near": (0.3, math.exp(-20.0 * self.distance(sim))), "lift": (0.7, lifted)}

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether the cube is lifted and still in the hand."""
        return self.lift(sim, start) > self.lifted and self.distance(sim) < HELD_DISTANCE

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Grasp the cube, then lift it."""
        cube = sim.body_pos_w(self.cube.name)
        if not is_held(sim, cube, self.cube.half_size):
            return approach(sim, cube)
        tcp = sim.tcp_pos_w
        return Intent(np.array([tcp[0], tcp[1], start[self.cube.name][2] + 1.5 * self.lifted]), opening=0.0)
