"""ArrangeBoxes: carry five coloured boxes to the squares of their colours.

Reset options: ``box_xy`` (5, 2, m, world frame) sets the places of the boxes, in the order of `COLOURS`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gym_hil.robots.base import Robot
from gym_hil.scenes.scene import Cube, Scene, Target
from gym_hil.tasks.base import Array, Intent, Pair, Start, Task, finite_array
from gym_hil.tasks.grasping import approach, is_held, over
from gym_hil.tasks.needs import Needs

if TYPE_CHECKING:
    from gym_hil.simulation.simulation import Simulation

COLOURS = {
    "red": (0.85, 0.18, 0.15),
    "green": (0.18, 0.62, 0.27),
    "blue": (0.15, 0.35, 0.80),
    "yellow": (0.93, 0.75, 0.13),
    "purple": (0.55, 0.25, 0.65),
}
TOLERANCE = 0.03
"""Largest distance from a box to its target, horizontal and vertical (m)."""


class ArrangeBoxes(Task):
    """Carry every box to its target."""

    name = "ArrangeBoxes"
    description = "Put each box on the square of its colour."
    max_episode_steps = 400
    observation_size = 30
    needs = Needs(aperture=0.05, home="upright")
    reset_options = ("box_xy",)

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        half_size = self.jitter = robot.workspace.object_width / 2
        """Half of the boxes' edge length, and largest offset of a random start from the row in x and y (m)."""
        self.boxes = tuple(Cube(f"box_{name}", rgb, half_size) for name, rgb in COLOURS.items())
        self.pairs = tuple(
            Pair(number, len(COLOURS) + number, offset=(0.0, 0.0, half_size), tolerance=0.8 * TOLERANCE)
            for number in range(len(COLOURS))
        )
        self.carry_height = robot.workspace.lift
        near, far = robot.workspace.wide_table.low, robot.workspace.wide_table.high
        self.start_x, target_x = near[0], far[0]
        self.row = np.linspace(near[1], far[1], len(self.boxes))
        self.targets = tuple(
            Target(f"target_{name}", rgb, (target_x, float(y), 0.0005), half_size=2.5 * half_size)
            for (name, rgb), y in zip(COLOURS.items(), self.row, strict=True)
        )
        self.scene = Scene(home=self.needs.home, props=self.boxes, targets=self.targets)
        self.workspace = robot.workspace.wide_tcp

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Sample the order of the boxes along the row. All options consume the same random numbers."""
        xy = np.column_stack([np.full(5, self.start_x), rng.permutation(self.row)])
        jitter = rng.uniform(-self.jitter, self.jitter, size=(5, 2))
        if randomise:
            xy += jitter
        if "box_xy" in options:
            xy = finite_array("box_xy", options["box_xy"], (5, 2))
        return {box.name: np.array([*pos, box.half_size]) for box, pos in zip(self.boxes, xy, strict=True)}

    def observe(self, sim: Simulation) -> Array:
        """Return the positions of all boxes, then of all targets (30, m, world frame)."""
        boxes = [number for box in self.boxes for number in sim.body_coordinates(box.name)]
        return np.array([*boxes, *(number for target in self.targets for number in target.pos)])

    def misplacement(self, sim: Simulation, index: int) -> tuple[float, float]:
        """Return the horizontal and the vertical distance (m) between box `index` and its place on the
        target.
        """
        x, y, z = sim.body_coordinates(self.boxes[index].name)
        goal_x, goal_y, _ = self.targets[index].pos
        return math.hypot(x - goal_x, y - goal_y), abs(z - self.boxes[index].half_size)

    def is_placed(self, sim: Simulation, index: int, tolerance: float = TOLERANCE) -> bool:
        """Return whether box `index` lies on its target."""
        return max(self.misplacement(sim, index)) < tolerance

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return one term per box, which grows as the box approaches its place on the target."""
        return {
            box.name: (0.2, math.exp(-20.0 * math.hypot(*self.misplacement(sim, index))))
            for index, box in enumerate(self.boxes)
        }

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether every box lies on its target."""
        return all(self.is_placed(sim, index) for index in range(len(self.boxes)))

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Bring the held box to its target, or fetch the first box that is not on its target."""
        for index, box in enumerate(self.boxes):
            if is_held(sim, sim.body_pos_w(box.name), box.half_size):
                return self._deliver(sim, index)
        for index, box in enumerate(self.boxes):
            if not self.is_placed(sim, index, 0.8 * TOLERANCE):
                return approach(sim, sim.body_pos_w(box.name))
        tcp = sim.tcp_pos_w
        return Intent(np.array([tcp[0], tcp[1], self.carry_height]), opening=1.0)

    def _deliver(self, sim: Simulation, index: int) -> Intent:
        box = self.boxes[index]
        pos, goal = sim.body_pos_w(box.name), np.array(self.targets[index].pos)
        horizontal_error = math.hypot(pos[0] - goal[0], pos[1] - goal[1])
        if horizontal_error > 0.012:
            return over(sim, goal, self.carry_height, opening=0.0)
        if pos[2] > box.half_size + 0.006:
            return Intent(np.array([goal[0], goal[1], box.half_size]), opening=0.0)
        return Intent(sim.tcp_pos_w.copy(), opening=1.0)
