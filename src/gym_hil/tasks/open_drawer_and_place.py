"""OpenDrawerAndPlace: pull a drawer open by its handle, put the cube into it and release it.

Reset options: ``cube_xy`` (2, m) sets the place of the cube, ``cabinet_pose`` (3: x and y in m, yaw in rad) the
cabinet's pose.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gym_hil.robots.base import Robot
from gym_hil.robots.geometry import Vec3
from gym_hil.scenes.props import Prop, add_block, add_slider
from gym_hil.scenes.scene import Cube, Scene
from gym_hil.tasks.base import Array, Intent, Pair, Start, Task, finite_array
from gym_hil.tasks.grasping import approach, is_held, over, yawed
from gym_hil.tasks.needs import Needs

if TYPE_CHECKING:
    import mujoco

    from gym_hil.simulation.simulation import Simulation

INSIDE = (0.06, 0.055)
"""Half sizes of the drawer's inside along x and y (m); it opens towards -y."""
PLATE = 0.003
"""Half the thickness of walls and floor (m)."""
FLOOR, WALL, TOP = 0.01, 0.04, 0.05
"""Heights of the drawer's inner floor, of its walls, and of the lower side of the cabinet's top (m)."""
FRONT = INSIDE[1] + 2 * PLATE
RECESS = 0.02
"""Distance from the front of the sides to the front of the top (m), which leaves room for a hand at the
handle."""
LOOP = (0.04, 0.03)
"""Half sizes of the handle's hole along x and y (m)."""
HOOK = (0.0, -FRONT - LOOP[1], 0.036)
"""Middle of the handle's hole (m, frame of the drawer)."""
LENGTH, FRICTION, DAMPING, MASS = 0.13, 0.8, 4.0, 0.3
"""Travel of the drawer (m), its friction (N), damping (N s/m) and mass (kg)."""
OPENED = 0.105
"""Opening of the drawer from which on the expert fetches the cube (m)."""
AJAR = 0.02
"""Largest opening at the start (m)."""
LIGHT = (0.70, 0.72, 0.75)
"""Colour of the drawer."""
YAW = 0.15
"""Largest turn of cabinet and cube at the start (rad)."""
HOVER = 0.12
"""Height of the TCP while it moves to the next object (m)."""
IN_HOLE = 0.008
"""Horizontal error below which the expert descends into the handle (m)."""
PULL = 0.02
"""Distance by which the expert pulls the drawer per step (m)."""


@dataclass(frozen=True)
class Cabinet(Prop):
    """A cabinet on the floor with one drawer; the drawer's body and slide joint are both named ``drawer``.

    The frames of cabinet and closed drawer lie on the floor, below the middle of the drawer's inside.
    """

    drawer: str = "drawer"

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the cabinet, which has a pose, and of the drawer, whose opening is in metres."""
        return self.name, self.drawer

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a mocap body for the cabinet and a sliding body for the drawer."""
        half_x, half_y = INSIDE
        body = spec.worldbody.add_body(name=self.name, mocap=True)
        side, back = half_x + 4 * PLATE, half_y + 4 * PLATE
        cabinet: list[tuple[str, Vec3, Vec3]] = [
            ("left", (side, 0, TOP / 2), (PLATE, back, TOP / 2)),
            ("right", (-side, 0, TOP / 2), (PLATE, back, TOP / 2)),
            ("back", (0, back + PLATE, TOP / 2), (side, PLATE, TOP / 2)),
            ("top", (0, RECESS / 2, TOP + PLATE), (side + PLATE, back - RECESS / 2, PLATE)),
        ]
        for name, pos, half_sizes in cabinet:
            add_block(body, f"{self.name}_{name}", pos, half_sizes, self.rgb)
        drawer = add_slider(
            body, self.drawer, (0, 0, 0), (0, -1, 0), LENGTH, frictionloss=FRICTION, damping=DAMPING
        )
        spec.add_exclude(bodyname1=self.name, bodyname2=self.drawer)
        middle, half_wall = (FLOOR + WALL) / 2, (WALL - FLOOR) / 2
        bar_y, arm_y = -FRONT - 2 * LOOP[1] - PLATE, -FRONT - LOOP[1]
        for name, pos, half_sizes in (
            ("floor", (0, 0, FLOOR - PLATE), (half_x, half_y, PLATE)),
            ("left", (half_x + PLATE, 0, middle), (PLATE, half_y, half_wall)),
            ("right", (-half_x - PLATE, 0, middle), (PLATE, half_y, half_wall)),
            ("back", (0, half_y + PLATE, middle), (half_x, PLATE, half_wall)),
            ("front", (0, -half_y - PLATE, middle), (half_x + 2 * PLATE, PLATE, half_wall)),
            ("handle", (0, bar_y, HOOK[2]), (LOOP[0] + 2 * PLATE, PLATE, PLATE)),
            ("handle_left", (LOOP[0] + PLATE, arm_y, HOOK[2]), (PLATE, LOOP[1], PLATE)),
            ("handle_right", (-LOOP[0] - PLATE, arm_y, HOOK[2]), (PLATE, LOOP[1], PLATE)),
        ):
            add_block(drawer, f"{self.drawer}_{name}", pos, half_sizes, LIGHT, mass=MASS / 8)


CABINET = Cabinet("cabinet", (0.35, 0.40, 0.48))
CUBE = Cube("cube", (0.85, 0.18, 0.15))
PLACE = (0.0, 0.0, FLOOR + CUBE.half_size)
"""Place of the cube in the drawer (m, frame of the drawer)."""


class OpenDrawerAndPlace(Task):
    """Open the drawer and put the cube into it."""

    name = "OpenDrawerAndPlace"
    description = "Open the drawer and put the cube into it."
    max_episode_steps = 200
    observation_size = 9
    needs = Needs(aperture=0.05, gripper="parallel")
    reset_options = ("cube_xy", "cabinet_pose")
    pairs = (Pair(0, 1, (0.0, 0.0, 0.0), 0.03),)

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        self.scene = Scene(home=self.needs.home, props=(CUBE,), fixtures=(CABINET,))
        self.workspace = robot.workspace.wide_tcp
        table = robot.workspace.wide_table
        self.cube_area = table.part((0.0, 0.0), (1.0, 0.37))
        self.cabinet_area = table.part((0.4, 0.96), (0.9, 1.05))

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Sample both poses and the opening. All options consume the same random numbers."""
        cube, cabinet = (rng.uniform(area.low, area.high) for area in (self.cube_area, self.cabinet_area))
        (yaw, turn), ajar = rng.uniform(-YAW, YAW, 2), rng.uniform(0.0, AJAR)
        pose = np.array([*cabinet, turn])
        if not randomise:
            cube = np.array(self.cube_area.point(0.5, 0.5))
            pose, yaw, ajar = np.array([*self.cabinet_area.point(0.5, 0.5), 0.0]), 0.0, 0.0
        cube = finite_array("cube_xy", options.get("cube_xy", cube), (2,))
        pose = finite_array("cabinet_pose", options.get("cabinet_pose", pose), (3,))
        return {
            CUBE.name: np.array([*cube, CUBE.half_size, *yawed(yaw)]),
            CABINET.name: np.array([*pose[:2], 0.0, *yawed(pose[2])]),
            CABINET.drawer: np.array([ajar]),
        }

    def observe(self, sim: Simulation) -> Array:
        """Return the cube, its place in the drawer, and the handle (9, m, world frame)."""
        points = (sim.point_pos_w(CABINET.drawer, point) for point in (PLACE, HOOK))
        return np.concatenate([sim.body_pos_w(CUBE.name), *points])

    def opening(self, sim: Simulation) -> float:
        """Return the opening of the drawer (m)."""
        return math.dist(sim.body_pos_w(CABINET.drawer).tolist(), sim.body_pos_w(CABINET.name).tolist())

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return the terms: drawer open, cube near its place."""
        away = float(np.linalg.norm(sim.point_pos_w(CABINET.drawer, PLACE) - sim.body_pos_w(CUBE.name)))
        opened = min(1.0, self.opening(sim) / OPENED)
        return {"open": (0.4, opened), "placed": (0.6, opened * math.exp(-10.0 * away))}

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether the cube lies in the drawer and the gripper is commanded to be open."""
        x, y, z = (sim.body_pos_w(CUBE.name) - sim.point_pos_w(CABINET.drawer, PLACE)).tolist()
        inside = math.hypot(x, y) < INSIDE[1] - 0.5 * CUBE.half_size
        return inside and abs(z) < 0.004 and not sim.gripper_closing

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Open the drawer, fetch the cube and lower it into the drawer."""
        cube, tcp, opened = sim.body_pos_w(CUBE.name), sim.tcp_pos_w, self.opening(sim) > OPENED
        held = is_held(sim, cube, CUBE.half_size)
        if held and opened:
            return self._deliver(sim, cube)
        if held:
            on_floor = cube[2] < 1.2 * CUBE.half_size
            return Intent(np.array([tcp[0], tcp[1], CUBE.half_size]), opening=float(on_floor))
        return approach(sim, cube, HOVER) if opened else self._pull(sim)

    def _pull(self, sim: Simulation) -> Intent:
        hook, tcp = sim.point_pos_w(CABINET.drawer, HOOK), sim.tcp_pos_w
        horizontal_error, low = math.hypot(hook[0] - tcp[0], hook[1] - tcp[1]), tcp[2] < HOOK[2] + 0.008
        if horizontal_error > (1.1 * LOOP[1] if low else IN_HOLE):
            return over(sim, hook, HOVER, opening=0.0)
        if not low:
            return Intent(hook, opening=0.0)
        outwards = hook - sim.point_pos_w(CABINET.drawer, (0.0, 0.0, HOOK[2]))
        return Intent(hook + outwards * ((LOOP[1] + PULL) / np.linalg.norm(outwards)), opening=0.0)

    def _deliver(self, sim: Simulation, cube: Array) -> Intent:
        offset, tcp = sim.point_pos_w(CABINET.drawer, PLACE) - cube, sim.tcp_pos_w
        if math.hypot(offset[0], offset[1]) > IN_HOLE:
            return over(sim, tcp + offset, HOVER + CUBE.half_size, opening=0.0)
        if offset[2] < -0.006:
            return Intent(tcp + offset, opening=0.0)
        return Intent(tcp, opening=1.0)
