"""FlipObject: turn a tile over so that it lands on its other side.

A hand that holds the tile at one end cannot turn it by 180 degrees, because the hand would end below the tile. It has
to release the tile at the right moment and let it fall. Actions have all rotations (``xyz+rotation``).

Reset options: ``tile_pose`` (3: x and y in m, yaw in rad).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gym_hil.robots.base import Robot
from gym_hil.robots.geometry import rotation_between
from gym_hil.scenes.props import Prop, Rgb, add_block, add_free_body
from gym_hil.scenes.scene import FRICTION, MASS, Scene
from gym_hil.tasks.base import Array, Intent, Start, Task, finite_array
from gym_hil.tasks.grasping import approach, is_held, over, rotated, turned, yaw, yawed
from gym_hil.tasks.needs import Needs

if TYPE_CHECKING:
    import mujoco

    from gym_hil.simulation.simulation import Simulation

HALF = (0.05, 0.02, 0.012)
"""Half sizes of the tile (m)."""
TILE_MASS = 0.12
"""Mass of the tile (kg)."""
LOWER: Rgb = (0.15, 0.35, 0.80)
"""Colour of the side that faces down at the start."""
GRASP = (-0.035, 0.0, 0.009)
"""Point at which the expert grasps the tile (m, frame of the tile): the end near the robot."""
FLAT, RESTING = 0.98, 0.003
"""Least cosine of the tile's tilt and largest error of its height (m) at success."""
LIFT = 0.1
"""Height of the TCP while it turns the tile (m)."""
HOVER = 0.09
"""Height of the TCP above the point that it is about to grasp (m)."""
PARALLEL = 0.06
"""Difference of two yaws that are regarded as equal (rad)."""
CLEAR = 0.05
"""Distance by which the hand moves away from the falling tile per step (m)."""
DOWN = np.array([0.0, 1.0, 0.0, 0.0])
"""Orientation of a hand that points down, with no yaw (w x y z)."""
SWING = 0.02
"""Distance by which the tile is moved per step towards the place of its fall (m)."""
SWINGING = 0.3
"""Last part of the turn, during which the tile is moved towards the place of its fall (rad)."""
TILT = 1.7
"""Tilt of the tile at which the expert releases it (rad)."""
BEYOND = 0.1
"""Angle beyond `TILT` to which the hand is turned (rad)."""
AWAY = 0.2
"""Height of the TCP at which a tile that has not fallen is regarded as standing on an edge (m)."""
BEHIND = 0.06
"""Distance behind a standing tile at which the closed fingers are lowered (m)."""
BESIDE = 0.015
"""Largest lateral error of the fingers when they push (m)."""
ABOVE = 0.025
"""Height of the pushing fingers above the middle of the tile (m)."""
PUSH = 0.015
"""Distance per step of the push (m)."""


@dataclass(frozen=True)
class Tile(Prop):
    """A free box with two colours."""

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a free body with one block that collides and a thin one that is only visible."""
        body = add_free_body(spec, self.name, HALF[2])
        add_block(body, self.name, (0, 0, 0), HALF, self.rgb, mass=TILE_MASS)
        below = (HALF[0] + 0.0003, HALF[1] + 0.0003, HALF[2] / 2)
        add_block(body, f"{self.name}_below", (0, 0, -HALF[2] / 2 - 0.0003), below, LOWER, touches=False)


TILE = Tile("tile", (0.93, 0.75, 0.13))


class FlipObject(Task):
    """Turn the tile over."""

    name = "FlipObject"
    description = "Flip the tile onto its other side."
    action = "xyz+rotation"
    max_episode_steps = 100
    observation_size = 9
    needs = Needs(aperture=0.05, axes=("x", "y", "z", "rx", "ry", "rz"))
    reset_options = ("tile_pose",)
    largest_yaw: ClassVar[float] = 1.2
    """Largest turn of the tile at the start (rad)."""
    factors: ClassVar = (0.5, 0.7), (2.0, 1.3)
    """Smallest and largest factors on the tile's mass and friction."""

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        self.scene = Scene(home=self.needs.home, props=(TILE,), variable=(TILE.name,))
        self.workspace = robot.workspace.tcp
        self.area = robot.workspace.table.part((0.15, 0.0), (0.65, 1.0))

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Sample the pose of the tile. All options consume the same random numbers."""
        pose = np.array(
            [*rng.uniform(self.area.low, self.area.high), rng.uniform(-self.largest_yaw, self.largest_yaw)]
        )
        if not randomise:
            pose = np.array([*self.area.point(0.5, 0.5), 0.0])
        pose = finite_array("tile_pose", options.get("tile_pose", pose), (3,))
        factors = rng.uniform(*self.factors) if randomise else np.ones(2)
        return {
            TILE.name: np.array([*pose[:2], HALF[2], *yawed(pose[2])]),
            MASS.format(TILE.name): factors[:1],
            FRICTION.format(TILE.name): factors[1:],
        }

    def axis(self, sim: Simulation, direction: tuple[float, float, float]) -> Array:
        """Return an axis of the tile's frame (3, unit vector, world frame)."""
        return sim.point_pos_w(TILE.name, direction) - sim.body_pos_w(TILE.name)

    def observe(self, sim: Simulation) -> Array:
        """Return the tile's middle, the middle of the grasped end, and a point above its upper side (9, m,
        world frame).
        """
        points = (sim.point_pos_w(TILE.name, point) for point in ((-HALF[0], 0.0, 0.0), (0.0, 0.0, HALF[0])))
        return np.concatenate([sim.body_pos_w(TILE.name), *points])

    def tilt(self, sim: Simulation) -> float:
        """Return the angle between the normal of the tile's upper side and the vertical (rad): 0 at the
        start, pi when flipped.
        """
        return math.acos(min(1.0, max(-1.0, self.axis(sim, (0.0, 0.0, 1.0)).item(2))))

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return the terms: hand near the tile, tile turned."""
        near = math.exp(-10.0 * math.dist(sim.point_pos_w(TILE.name, GRASP).tolist(), sim.tcp_coordinates))
        turned_by = self.tilt(sim) / math.pi
        return {"near": (0.2, max(near, turned_by)), "turned": (0.8, turned_by)}

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether the tile lies flat on the floor on its other side."""
        resting = abs(sim.body_coordinates(TILE.name)[2] - HALF[2]) < RESTING
        return resting and self.axis(sim, (0.0, 0.0, 1.0)).item(2) < -FLAT

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Grasp the tile at its end, lift it, turn it past the vertical, release it and move away from it."""
        tilt, tcp, grasp = self.tilt(sim), sim.tcp_pos_w, sim.point_pos_w(TILE.name, GRASP)
        swing = SWING * self.axis(sim, (0.0, 0.0, 1.0)) * (1.0, 1.0, 0.0)
        if is_held(sim, grasp, HALF[1]):
            if tilt > TILT:
                return Intent(tcp + swing + np.array([0.0, 0.0, CLEAR]), opening=1.0)
            lift = np.array([tcp[0], tcp[1], LIFT])
            if tcp[2] < LIFT - 0.02:
                return Intent(lift, opening=0.0)
            if tilt > TILT - SWINGING:
                lift = np.array([*(sim.target_pos_w + swing)[:2], LIFT])
            turn = rotated(sim.target_quat_w, (TILT + BEYOND - tilt) * self.axis(sim, (0.0, 1.0, 0.0)))
            return Intent(lift, 0.0, turn)
        if tilt > 0.5 * TILT:
            if sim.gripper_closing or tcp[2] > AWAY:
                return self._topple(sim)
            return Intent(tcp + np.array([0.0, 0.0, CLEAR]), opening=1.0)
        down = turned(DOWN, yaw(sim, TILE.name))
        angle = float(np.linalg.norm(rotation_between(sim.tcp_quat_w, down)))
        fetch = approach(sim, grasp, HOVER) if angle < PARALLEL else over(sim, grasp, grasp[2] + HOVER, 1.0)
        return replace(fetch, tcp_quat_w=down)

    def _topple(self, sim: Simulation) -> Intent:
        """Push a tile that stands on an edge over with closed fingers, to the side that is to face down."""
        tcp, middle, normal = sim.tcp_pos_w, sim.body_pos_w(TILE.name), self.axis(sim, (0.0, 0.0, 1.0))
        normal = np.array([normal[0], normal[1], 0.0]) / math.hypot(normal[0], normal[1])
        offset, height = middle - tcp, middle.item(2) + ABOVE
        ahead, lateral = float(offset @ normal), float(offset[1] * normal[0] - offset[0] * normal[1])
        if abs(lateral) < BESIDE and ahead > 0.0 and tcp[2] < height + BESIDE:
            return Intent(np.array([*(tcp + PUSH * normal)[:2], height]), 0.0, DOWN)
        behind = middle - BEHIND * normal
        if math.dist(behind[:2], tcp[:2]) < 0.5 * BESIDE:
            return Intent(np.array([*behind[:2], height]), 0.0, DOWN)
        return replace(over(sim, behind, AWAY, opening=0.0), tcp_quat_w=DOWN)
