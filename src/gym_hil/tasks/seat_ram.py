"""SeatRAM: put a memory module into its slot and press both ends down until the latches click.

The module first rests on the latches. It tilts while one end is pressed and the other end is still up. Actions have the
type ``xyz+yaw``.

Reset options: ``tray_pose`` and ``slot_pose`` (3: x and y in m, yaw in rad).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from gym_hil.robots.base import Robot
from gym_hil.robots.geometry import Vec3
from gym_hil.scenes.props import Prop, Rgb, add_block, add_free_body, add_rod, add_slider
from gym_hil.scenes.scene import Scene
from gym_hil.tasks.base import Array, Intent, Pair, Start, Task
from gym_hil.tasks.grasping import hand_yaw, is_held, over, turned, yaw, yawed
from gym_hil.tasks.inserting import draw_poses, fetch, insert
from gym_hil.tasks.needs import Needs

if TYPE_CHECKING:
    import mujoco

    from gym_hil.simulation.simulation import Simulation

HALF = (0.05, 0.004, 0.015)
"""Half sizes of the module, which stands on its long edge (m)."""
STRIP, NOTCH = 0.006, 0.003
"""Height of the module's lower part, and length by which the upper part is shorter at each end (m)."""
GRASP, ENDS_X = (0.0, 0.0, 0.014), (-0.04, 0.04)
"""Point at which the expert grasps the module, and positions along x at which the ends are pressed (m, frame of the
module)."""
ENDS = tuple((x, 0.0, HALF[2]) for x in ENDS_X)
FLOOR, GUIDE, TRAY = 0.006, 0.028, 0.008
"""Heights of the slot's floor, of the slot's walls, and of the tray's walls (m)."""
CLEARANCE, WALL = 0.0006, 0.004
"""Room on each side of the module, and half the thickness of the walls (m)."""
NOSE, OVERLAP = 0.006, 0.002
"""Radius of a latch's nose, and its overlap with the end of the strip (m)."""
LATCH = {"stiffness": 20000.0, "damping": 100.0, "armature": 0.5}
"""Spring of a latch (N/m, N s/m, kg). Both latches together resist more than the 80 N that the hand exerts."""
IN_SLOT, SEATED = 0.008, 0.0015
"""Largest horizontal error in the slot, and largest height of the ends above their places at success (m)."""
YAW = 0.3
"""Largest yaw of tray and slot at the start (rad)."""
RELEASE = 0.0055
"""Depth in the slot at which the expert releases the module (m)."""
ALIGNED, DESCENT = 0.0006, 0.005
"""Horizontal error below which the expert lowers the module, and length of such a step (m)."""
ON_END, ABOVE = 0.006, 0.035
"""Largest horizontal error of the fingers that press an end, and height above the module at which they close (m)."""
WHITE: Rgb = (0.92, 0.92, 0.9)


@dataclass(frozen=True)
class Module(Prop):
    """A free memory module."""

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a free body with a board, a longer strip below it, and chips without contacts."""
        body = add_free_body(spec, self.name, HALF[2])
        board = (HALF[0] - NOTCH, HALF[1], HALF[2] - STRIP / 2)
        add_block(body, f"{self.name}_board", (0, 0, STRIP / 2), board, self.rgb, mass=0.032)
        strip = (HALF[0], HALF[1], STRIP / 2)
        below = (0, 0, STRIP / 2 - HALF[2])
        add_block(body, f"{self.name}_strip", below, strip, (0.85, 0.7, 0.25), mass=0.008)
        for x in (-0.036, -0.02, 0.02, 0.036):
            chip = (0.006, HALF[1] + 0.0004, 0.006)
            add_block(body, f"{self.name}_chip{x}", (x, 0, 0.002), chip, (0.1, 0.1, 0.11), touches=False)


@dataclass(frozen=True)
class Holder(Prop):
    """A channel for a module. It does not move during an episode; its frame lies on the floor."""

    latches: tuple[str, ...] = ()
    """Names of the spring-loaded parts at both ends and of their slide joints; empty for a tray."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the channel, which has a pose, and of the latches, whose openings are in metres."""
        return (self.name, *self.latches)

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a mocap body with a wall on each side, and the latches."""
        body = spec.worldbody.add_body(name=self.name, mocap=True)
        low, high, half = (FLOOR, GUIDE, 0.042) if self.latches else (0.0, TRAY, 0.008)
        for sign, x in product((-1, 1), (0.0,) if self.latches else ENDS_X):
            pos = (x, sign * (HALF[1] + CLEARANCE + WALL), (low + high) / 2)
            add_block(body, f"{self.name}_{x}_{sign}", pos, (half, WALL, (high - low) / 2), self.rgb)
        if self.latches:
            plate = (HALF[0] + 0.016, 0.012, FLOOR / 2)
            add_block(body, f"{self.name}_floor", (0, 0, FLOOR / 2), plate, self.rgb)
        middle = FLOOR + STRIP + math.sqrt(NOSE**2 - (NOSE - OVERLAP) ** 2)
        for sign, name in zip((-1, 1), self.latches, strict=False):
            at = (sign * (HALF[0] + NOSE - OVERLAP), 0, 0)
            latch = add_slider(body, name, at, (sign, 0, 0), 0.01, **LATCH)
            post, size = (sign * NOSE, 0.0, middle / 2 + 0.006), (0.003, 0.007, middle / 2)
            add_block(latch, f"{name}_post", post, size, WHITE, mass=0.01, touches=False)
            ends = (0, -0.007, middle), (0, 0.007, middle)
            add_rod(latch, f"{name}_nose", ends, NOSE, WHITE, mass=0.01, friction=0.1, priority=2)
            spec.add_exclude(bodyname1=self.name, bodyname2=name)


MODULE = Module("module", (0.10, 0.45, 0.25))
STAND = Holder("tray", (0.55, 0.55, 0.58))
SLOT = Holder("slot", (0.2, 0.22, 0.26), latches=("latch_near", "latch_far"))


class SeatRAM(Task):
    """Press the module into its slot."""

    name = "SeatRAM"
    description = "Put the memory module into its slot and press both ends until the latches click."
    action = "xyz+yaw"
    max_episode_steps = 250
    observation_size = 15
    needs = Needs(aperture=0.035, axes=("x", "y", "z", "rz"))
    reset_options = ("tray_pose", "slot_pose")
    further_terms = ("tcp_wrench",)
    pairs = (Pair(0, 1),)

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        self.scene = Scene(home=self.needs.home, props=(MODULE,), fixtures=(STAND, SLOT))
        self.workspace = robot.workspace.tcp
        table = robot.workspace.table
        self.places = {
            "tray_pose": (table.part((0.2, 0.0), (0.9, 0.3)), YAW),
            "slot_pose": (table.part((0.2, 0.7), (0.9, 1.0)), YAW),
        }

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Sample both poses. All options consume the same random numbers."""
        tray, slot = draw_poses(rng, self.places, options, randomise=randomise)
        return {
            MODULE.name: np.array([*tray[:2], HALF[2], *yawed(tray[2])]),
            STAND.name: np.array([*tray[:2], 0.0, *yawed(tray[2])]),
            SLOT.name: np.array([*slot[:2], 0.0, *yawed(slot[2])]),
            **dict.fromkeys(SLOT.latches, np.zeros(1)),
        }

    def seated_pos_w(self, sim: Simulation, point: Vec3 = (0.0, 0.0, 0.0)) -> Array:
        """Return where a point of the module (m, in its frame) is once it is seated (3, m, world frame)."""
        x, y, z = point
        return sim.point_pos_w(SLOT.name, (x, y, z + FLOOR + HALF[2]))

    def observe(self, sim: Simulation) -> Array:
        """Return the module's middle, its place, both ends, and the place of one end (15, m, world frame)."""
        ends = (sim.point_pos_w(MODULE.name, end) for end in ENDS)
        return np.concatenate(
            [sim.body_pos_w(MODULE.name), self.seated_pos_w(sim), *ends, self.seated_pos_w(sim, ENDS[1])]
        )

    def heights(self, sim: Simulation) -> list[float]:
        """Return the height of each end of the module above its place (m); infinite outside the slot."""
        x, y, _ = (sim.body_pos_w(MODULE.name) - self.seated_pos_w(sim)).tolist()
        top = self.seated_pos_w(sim, ENDS[0]).item(2) if math.hypot(x, y) < IN_SLOT else -math.inf
        return [sim.point_pos_w(MODULE.name, end).item(2) - top for end in ENDS]

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return the terms: module near its place, and one for each end near its place."""
        module, place = sim.body_coordinates(MODULE.name), self.seated_pos_w(sim).tolist()
        near = math.exp(-10.0 * math.dist(module, place))
        first, second = (math.exp(-100.0 * max(0.0, height)) for height in self.heights(sim))
        return {"near": (0.4, near), "first_end": (0.3, first), "second_end": (0.3, second)}

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether both ends are in their places, where the latches hold them."""
        return max(self.heights(sim)) < SEATED

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Put the module into the slot, release it, press one end and then the other."""
        grasp, tip = (sim.point_pos_w(MODULE.name, point) for point in (GRASP, (0.0, 0.0, -HALF[2])))
        offset = sim.point_pos_w(SLOT.name, (0.0, 0.0, GUIDE)) - tip
        heights = self.heights(sim)
        depth = offset.item(2) if max(heights) < GUIDE - FLOOR else 0.0
        if is_held(sim, grasp, HALF[1]):
            if depth > RELEASE:
                return Intent(sim.tcp_pos_w, opening=1.0)
            turn = math.remainder(yaw(sim, SLOT.name) - yaw(sim, MODULE.name), math.pi)
            return insert(sim, offset, turn, max(0.0, depth), ALIGNED, DESCENT)
        turn = math.remainder(yaw(sim, MODULE.name) - hand_yaw(sim), math.pi)
        if depth <= 0.0:
            return fetch(sim, grasp, turn)
        end = sim.point_pos_w(MODULE.name, ENDS[0 if heights[0] > SEATED else 1])
        tcp, top = sim.tcp_pos_w, self.seated_pos_w(sim, ENDS[0]).item(2) + max(heights)
        tcp_quat_w = turned(sim.target_quat_w, turn)
        if math.dist(end[:2].tolist(), tcp[:2].tolist()) > ON_END:
            travel = over(sim, end, top + 2 * ABOVE, opening=float(tcp[2] < top + ABOVE))
            return replace(travel, tcp_quat_w=tcp_quat_w)
        return Intent(np.array([end[0], end[1], sim.target_pos_w[2] - 2 * DESCENT]), 0.0, tcp_quat_w)
