"""PushT: push a T-shaped block onto its outline.

The expert selects the point to push by the motion that a push at this point causes (ellipsoidal limit surface; Lynch,
Maekawa and Tanie, "Manipulation and active sensing by pushing using tactile feedback", IROS 1992).

Reset options: ``block_pose`` and ``goal_pose`` (3: x, y in m, yaw in rad) are the poses of block and outline.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gym_hil.robots.base import Robot
from gym_hil.scenes.props import Prop, add_block, add_free_body
from gym_hil.scenes.scene import Scene
from gym_hil.tasks.base import Array, Intent, Pair, Start, Task, finite_array
from gym_hil.tasks.grasping import over, sample_apart, yaw, yawed
from gym_hil.tasks.needs import Needs

if TYPE_CHECKING:
    import mujoco

    from gym_hil.simulation.simulation import Simulation

BAR, STEM = (0.06, 0.015), (0.015, 0.045)
"""Half sizes of the two parts of the T along x and y (m). The stem points to -y."""
BAR_Y, STEM_Y = 0.0257, -0.0343
"""y of the centres of the parts (m). The origin of the frame is the centre of mass."""
FOOT = (0.0, STEM_Y - STEM[1], 0.0)
"""End of the stem (m, in the block's frame)."""
HEIGHT = 0.03
"""Height of the block (m)."""
MASS = 0.15
"""Mass of the block (kg)."""
POSITION, ANGLE = 0.01, 0.1
"""Largest errors of the block's position (m) and yaw (rad) at success."""
APART = 0.06
"""Smallest initial distance of the block from its outline (m)."""
RADIUS = 0.045
"""Mean distance from the centre of mass at which friction resists a rotation (m)."""
FINGERS = (0.012, 0.016)
"""Half widths of the closed fingers along x and y (m)."""
GAP = 0.012
"""Distance of the fingers from the block where they are lowered (m)."""
LOW, TRAVEL = 0.015, 0.09
"""Heights of the TCP while pushing and while travelling (m)."""
LATERAL = 0.01
"""Largest lateral distance of the fingers from a point to push (m)."""
NEAREST = 0.025
"""Distance in front of the table at which the fingers can still be lowered (m), limited by the arm's reach."""
PUSH = 0.012
"""Largest distance of a push per step (m)."""
USEFUL = 0.4
"""Cosine between the motion that a push causes and the desired one, above which the push continues."""

_TOP, _UNDER = BAR_Y + BAR[1], BAR_Y - BAR[1]
PLACES = np.array(
    [(x, _TOP, 0.0, -1.0) for x in (-0.05, -0.03, 0.0, 0.03, 0.05)]
    + [(x, _UNDER, 0.0, 1.0) for x in (-0.047, 0.047)]
    + [(side * BAR[0], BAR_Y, -side, 0.0) for side in (-1, 1)]
    + [(side * STEM[0], y, -side, 0.0) for side in (-1, 1) for y in (-0.068, -0.05, -0.025)]
    + [(0.0, FOOT[1], 0.0, 1.0)]
)
"""Points to push (x, y, m) and directions of the push (x, y), in the block's frame."""
TORQUE = (PLACES[:, 0] * PLACES[:, 3] - PLACES[:, 1] * PLACES[:, 2]) / RADIUS
MOTIONS = np.column_stack([PLACES[:, 2:], TORQUE]) / np.sqrt(1 + TORQUE**2)[:, None]
"""Direction of the motion that each push causes: x, y, and the rotation multiplied by `RADIUS`."""


@dataclass(frozen=True)
class Tee(Prop):
    """A T on the floor: a block that moves freely, or an outline without contacts."""

    outline: bool = False

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a body with two boxes."""
        if self.outline:
            body, half_height = spec.worldbody.add_body(name=self.name, mocap=True), 0.0005
        else:
            body, half_height = add_free_body(spec, self.name, HEIGHT / 2), HEIGHT / 2
        for part, y, (half_x, half_y) in (("bar", BAR_Y, BAR), ("stem", STEM_Y, STEM)):
            mass = 0.0 if self.outline else MASS * half_x * half_y / (BAR[0] * BAR[1] + STEM[0] * STEM[1])
            block, half_sizes = f"{self.name}_{part}", (half_x, half_y, half_height)
            add_block(body, block, (0, y, 0), half_sizes, self.rgb, mass=mass, touches=not self.outline)


BLOCK, GOAL = Tee("tee", (0.15, 0.35, 0.80)), Tee("goal", (0.45, 0.72, 0.50), outline=True)


class PushT(Task):
    """Push the block onto its outline."""

    name = "PushT"
    description = "Push the T-shaped block onto its outline."
    max_episode_steps = 300
    observation_size = 12
    needs = Needs(gripper="parallel")
    reset_options = ("block_pose", "goal_pose")
    pairs = (Pair(0, 2, (0.0, 0.0, HEIGHT / 2), POSITION), Pair(1, 3, (0.0, 0.0, HEIGHT / 2), POSITION))
    subtasks = False

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        self.scene = Scene(home=self.needs.home, props=(BLOCK,), fixtures=(GOAL,))
        self.workspace = robot.workspace.wide_tcp
        self.area = robot.workspace.wide_table.part((0.4, 0.15), (0.85, 0.85))
        self.nearest = robot.workspace.table.low[0] - NEAREST

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Sample both poses. All options consume the same random numbers."""
        (block_xy, goal_xy), yaws = sample_apart(rng, self.area, 2, APART), rng.uniform(-np.pi, np.pi, 2)
        block, goal = np.array([*block_xy, yaws[0]]), np.array([*goal_xy, yaws[1]])
        if not randomise:
            block = np.array([*self.area.point(0.5, 0.2), 0.8])
            goal = np.array([*self.area.point(0.5, 0.7), 0.0])
        if "block_pose" in options:
            block = finite_array("block_pose", options["block_pose"], (3,))
        if "goal_pose" in options:
            goal = finite_array("goal_pose", options["goal_pose"], (3,))
        return {
            BLOCK.name: np.array([*block[:2], HEIGHT / 2, *yawed(block[2])]),
            GOAL.name: np.array([*goal[:2], 0.0005, *yawed(goal[2])]),
        }

    def observe(self, sim: Simulation) -> Array:
        """Return the middle and the end of the stem of the block, then those of the outline (12, m, world
        frame).
        """
        return np.concatenate(
            [
                point
                for tee in (BLOCK, GOAL)
                for point in (sim.body_pos_w(tee.name), sim.point_pos_w(tee.name, FOOT))
            ]
        )

    def error(self, sim: Simulation) -> tuple[float, float, float]:
        """Return the displacement from the block to its outline: x, y (m, world frame) and yaw (rad)."""
        offset = sim.body_pos_w(GOAL.name) - sim.body_pos_w(BLOCK.name)
        turn = yaw(sim, GOAL.name) - yaw(sim, BLOCK.name)
        return offset.item(0), offset.item(1), math.remainder(turn, 2 * math.pi)

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return the terms: position and yaw."""
        x, y, turn = self.error(sim)
        place = math.exp(-10.0 * math.hypot(x, y))
        return {"position": (0.5, place), "yaw": (0.5, place * math.exp(-2.0 * abs(turn)))}

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether the block lies on its outline."""
        x, y, turn = self.error(sim)
        flat = abs(sim.body_pos_w(BLOCK.name).item(2) - HEIGHT / 2) < 0.005
        return flat and math.hypot(x, y) < POSITION and abs(turn) < ANGLE

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Continue a useful push, or else begin the most useful one."""
        x, y, turn = self.error(sim)
        angle = yaw(sim, BLOCK.name)
        axes = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        desired_motion = np.array([*(axes.T @ (x, y)), RADIUS * turn])
        gains = MOTIONS @ desired_motion
        cosines = gains / max(1e-9, float(np.linalg.norm(desired_motion)))
        tcp, normals = sim.tcp_pos_w, PLACES[:, 2:] @ axes.T
        touching = (
            sim.body_pos_w(BLOCK.name)[:2]
            + PLACES[:, :2] @ axes.T
            - normals * (np.abs(normals) @ FINGERS)[:, None]
        )
        offsets = tcp[:2] - touching
        along = np.sum(offsets * normals, axis=1)
        lateral = offsets[:, 1] * normals[:, 0] - offsets[:, 0] * normals[:, 1]
        low = tcp[2] < LOW + 0.02
        beside, deepest = (LATERAL, GAP) if low else (0.5 * LATERAL, -0.6 * GAP)
        ready = (np.abs(lateral) < beside) & (along > -2 * GAP) & (along < deepest)
        begins = touching - GAP * normals
        cosines[(begins[:, 0] < self.nearest) | (begins[:, 0] > self.workspace.high[0])] = -1.0
        if low and (ready & (cosines > USEFUL)).any():
            best = int(np.argmax(np.where(ready, cosines, -1.0)))
        else:
            best = int(np.argmax(cosines))
        normal = normals[best]
        if not ready[best]:
            return over(sim, np.array([*begins[best], 0.0]), TRAVEL, opening=0.0)
        if tcp[2] > LOW + 0.008:
            return Intent(np.array([*begins[best], LOW]), opening=0.0)
        push = min(PUSH, max(0.003, 0.5 * gains[best]))
        ahead = float((sim.target_pos_w[:2] - begins[best]) @ normal) + push
        target = begins[best] + ahead * normal
        return Intent(np.array([*target, LOW]), opening=0.0)
