"""ClipCable: grasp a cable near its end, pull it straight over a clip, and press it in until the clip closes.

The cable is a chain of links that bends sideways. Actions have the type ``xyz+yaw``.

Reset options: ``cable_pose`` and ``clip_pose`` (3: x and y in m, yaw in rad).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gym_hil.robots.base import Robot
from gym_hil.scenes.props import Prop, add_block, add_rod, add_slider
from gym_hil.scenes.scene import Scene
from gym_hil.tasks.base import Array, Intent, Pair, Start, Task, finite_array
from gym_hil.tasks.grasping import hand_yaw, is_held, turned, yaw, yawed
from gym_hil.tasks.inserting import CORRECTED_SHARE, draw_poses, fetch
from gym_hil.tasks.needs import Needs

if TYPE_CHECKING:
    import mujoco

    from gym_hil.simulation.simulation import Simulation

NAMES = tuple(f"link_{number}" for number in range(7))
"""Names of the cable's links, beginning at the anchor."""
LENGTH, RADIUS, LINK_MASS = 0.028, 0.004, 0.015
"""Length (m), radius (m) and mass (kg) of a link."""
HEIGHT, SEAT = 0.055, 0.04
"""Heights of the cable's middle line at its anchor and in the clip (m)."""
END, SEAT_POINT = (LENGTH, 0.0, 0.0), (0.0, 0.0, SEAT)
"""End of a link (m, frame of the link), and middle of the cable in the clip (m, frame of the clip)."""
BENDING = {"stiffness": 0.01, "damping": 0.004, "armature": 1e-4}
LIFTING = {"stiffness": 1.5, "damping": 0.1}
"""Resistance to bends between links, and to lifting the cable at its anchor (N m/rad, N m s/rad, kg m^2)."""
LIP, GAP = 0.003, 0.005
"""Radius of the clip's lips and distance between them (m)."""
SPRING = {"stiffness": 8000.0, "damping": 40.0, "armature": 0.2}
"""Spring of a lip (N/m, N s/m, kg)."""
HELD = 5
"""Index of the link that the expert grasps."""
TAUT, DESCENT = 0.002, 0.006
"""Distances by which the expert pulls beyond the reach of the cable, and lowers it per step (m)."""
LATERAL_ERROR, VERTICAL_ERROR = 0.002, 0.0015
"""Largest errors of the cable in the clip at success (m)."""


@dataclass(frozen=True)
class Cable(Prop):
    """Links that bend sideways, along x from an anchor whose frame lies on the floor; the first can also be lifted."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the anchor, which has a pose, and of the links, whose bends are in radians."""
        return (self.name, *NAMES)

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a mocap body, and one body per link."""
        body = spec.worldbody.add_body(name=self.name, mocap=True)
        add_block(body, self.name, (-0.012, 0, 0.033), (0.01, 0.012, 0.033), (0.3, 0.3, 0.33), touches=False)
        for number, part in enumerate(NAMES):
            body = body.add_body(name=part, pos=(LENGTH if number else 0.0, 0, 0 if number else HEIGHT))
            body.add_joint(name=part, axis=(0, 0, 1), range=(-0.7, 0.7), **BENDING)
            if number == 0:
                body.add_joint(name=f"{part}_up", axis=(0, 1, 0), range=(-0.7, 0.7), **LIFTING)
            ends = (0.0, 0.0, 0.0), END
            add_rod(body, part, ends, RADIUS, self.rgb, mass=LINK_MASS, priority=1, condim=1)
            for other in NAMES[:number]:
                spec.add_exclude(bodyname1=other, bodyname2=part)


@dataclass(frozen=True)
class Clip(Prop):
    """A post with two spring-loaded lips. It does not move during an episode; its frame lies on the floor."""

    lips: tuple[str, str] = ("lip_left", "lip_right")

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the post, which has a pose, and of the lips, whose openings are in metres."""
        return (self.name, *self.lips)

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a mocap body, and two sliding bodies in it."""
        body = spec.worldbody.add_body(name=self.name, mocap=True)
        half, white = (SEAT - RADIUS) / 2, (0.92, 0.92, 0.9)
        add_block(body, self.name, (0, 0, half), (0.01, 0.013, half), self.rgb)
        z = SEAT + math.sqrt((LIP + RADIUS) ** 2 - (LIP + GAP / 2) ** 2)
        for sign, name in zip((1, -1), self.lips, strict=True):
            lip = add_slider(body, name, (0, sign * (LIP + GAP / 2), 0), (0, sign, 0), 0.006, **SPRING)
            wall, size = (0, sign * LIP, z / 2 + half), (0.01, 0.002, z / 2 - half)
            add_block(lip, f"{name}_wall", wall, size, white, mass=0.005, touches=False)
            add_rod(lip, name, ((-0.007, 0, z), (0.007, 0, z)), LIP, white, mass=0.005, friction=0.1)


CABLE, CLIP = Cable("cable", (0.93, 0.45, 0.13)), Clip("clip", (0.25, 0.35, 0.50))


class ClipCable(Task):
    """Press the cable into the clip."""

    name = "ClipCable"
    description = "Pull the cable over the clip and press it in."
    action = "xyz+yaw"
    max_episode_steps = 200
    observation_size = 21
    needs = Needs(aperture=0.035, axes=("x", "y", "z", "rz"))
    reset_options = ("cable_pose", "clip_pose")
    further_terms = ("tcp_wrench",)
    pairs = (Pair(0, 1),)
    anchor_part: ClassVar = (0.0, 0.1), (0.4, 0.9)
    """Corners of the anchor's area at the start, as the two arguments of `Area.point` for the table."""
    largest_yaw, largest_bend = 1.8, 0.5
    """Largest yaw of the cable and largest bend between its links at the start (rad)."""
    clip_places: ClassVar = (-0.7, -0.33, 0.075), (0.7, 0.33, 0.13)
    """Least and largest values at the start: direction from the anchor to the clip relative to the cable's yaw (rad),
    yaw of the clip relative to this direction (rad), and distance of the clip from the anchor (m)."""

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        self.scene = Scene(home=self.needs.home, fixtures=(CABLE, CLIP))
        self.workspace, self.area = robot.workspace.tcp, robot.workspace.table.part(*self.anchor_part)

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Sample both poses and the bends of the cable. All options consume the same random numbers."""
        places = {"cable_pose": (self.area, self.largest_yaw)}
        (cable,) = draw_poses(rng, places, options, randomise=randomise)
        bends = rng.uniform(-self.largest_bend, self.largest_bend, len(NAMES))
        direction, turn, distance = rng.uniform(*self.clip_places)
        if not randomise:
            bends, (direction, turn, distance) = 0.0 * bends, np.mean(self.clip_places, axis=0)
        ray = cable[2] + direction
        clip_xy = cable[0] + distance * math.cos(ray), cable[1] + distance * math.sin(ray)
        clip = np.array([*clip_xy, ray + turn])
        clip = finite_array("clip_pose", options.get("clip_pose", clip), (3,))
        return {
            CABLE.name: np.array([*cable[:2], 0.0, *yawed(cable[2])]),
            **{part: bends[number : number + 1] for number, part in enumerate(NAMES)},
            CLIP.name: np.array([*clip[:2], 0.0, *yawed(clip[2])]),
            **dict.fromkeys(CLIP.lips, np.zeros(1)),
        }

    def crossing(self, sim: Simulation) -> tuple[float, float, float]:
        """Return the cable's point in the clip's middle plane, or the nearest end (3, m, from the clip's seat)."""
        x, y, z = sim.point_pos_w(CLIP.name, SEAT_POINT).tolist()
        angle = yaw(sim, CLIP.name)
        c, s = math.cos(angle), math.sin(angle)
        line = []
        for point in (*map(sim.body_pos_w, NAMES), sim.point_pos_w(NAMES[-1], END)):
            px, py, pz = point.tolist()
            line.append((c * (px - x) + s * (py - y), c * (py - y) - s * (px - x), pz - z))
        beyond = next((number for number, point in enumerate(line) if point[0] > 0.0), 0)
        if beyond == 0:
            return line[0] if line[0][0] > 0.0 else line[-1]
        (x0, y0, z0), (x1, y1, z1) = line[beyond - 1 : beyond + 1]
        return 0.0, y0 + x0 / (x0 - x1) * (y1 - y0), z0 + x0 / (x0 - x1) * (z1 - z0)

    def observe(self, sim: Simulation) -> Array:
        """Return the cable's point at the clip, its place there, a clip's point, four of the cable (21, m, world)."""
        x, y, z = self.crossing(sim)
        points = (x, y, SEAT + z), SEAT_POINT, (LENGTH, 0.0, SEAT)
        clip = [sim.point_pos_w(CLIP.name, point) for point in points]
        cable = [sim.body_pos_w(NAMES[number]) for number in (0, 3, HELD)]
        return np.concatenate([*clip, *cable, sim.point_pos_w(NAMES[-1], END)])

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return the terms: hand near the cable's end, cable over the clip, cable in the clip."""
        near = math.exp(-10.0 * math.dist(self.grasp(sim).tolist(), sim.tcp_coordinates))
        x, y, z = self.crossing(sim)
        over, inside = math.exp(-20.0 * math.hypot(x, y)), math.exp(-50.0 * math.hypot(x, y, z))
        return {"near": (0.2, near), "over": (0.4, over), "in": (0.4, inside)}

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether the cable is below the clip's lips."""
        x, y, z = self.crossing(sim)
        return math.hypot(x, y) < LATERAL_ERROR and abs(z) < VERTICAL_ERROR

    def grasp(self, sim: Simulation) -> Array:
        """Return the point at which the expert grasps the cable (3, m, world frame)."""
        return sim.point_pos_w(NAMES[HELD], (LENGTH / 2, 0.0, 0.0))

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Grasp the cable, pull it straight over the clip, and press it down."""
        grasp, link = self.grasp(sim), yaw(sim, NAMES[HELD])
        if not is_held(sim, grasp, RADIUS):
            return fetch(sim, grasp, math.remainder(link - hand_yaw(sim), math.pi))
        anchor, seat = sim.body_pos_w(CABLE.name)[:2], sim.body_pos_w(CLIP.name)[:2]
        ray = (seat - anchor) / np.linalg.norm(seat - anchor)
        step = CORRECTED_SHARE * (anchor + ray * ((HELD + 0.5) * LENGTH + TAUT) - grasp[:2])
        turn = math.remainder(math.atan2(ray[1], ray[0]) - link, math.pi)
        _, lateral, _ = self.crossing(sim)
        x, y, z = sim.target_pos_w.tolist()
        height = HEIGHT if abs(lateral) > 3 * LATERAL_ERROR else z - DESCENT * (abs(lateral) < LATERAL_ERROR)
        return Intent(np.array([x + step[0], y + step[1], height]), 0.0, turned(sim.target_quat_w, turn))
