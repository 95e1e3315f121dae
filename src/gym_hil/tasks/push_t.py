"""PushT: push a T-shaped block onto its outline.

The expert selects the point to push by the motion that a push at this point causes, see `gym_hil.tasks.tee`.

Reset options: ``block_pose`` and ``goal_pose`` (3: x, y in m, yaw in rad) are the poses of block and outline.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gym_hil.robots.base import Robot
from gym_hil.scenes.scene import Scene
from gym_hil.tasks.base import Array, Intent, Pair, Start, Task, finite_array
from gym_hil.tasks.grasping import over, sample_apart, yaw, yawed
from gym_hil.tasks.needs import Needs
from gym_hil.tasks.tee import MOTIONS, PLACES, RADIUS, Tee

if TYPE_CHECKING:
    from gym_hil.simulation.simulation import Simulation

USUAL_WIDTH = 0.04
"""Width of a robot's objects for which the lengths of the T and of its motion are given (m); they are proportional to
it."""
POSITION, ANGLE = 0.01, 0.1
"""Largest errors of the block's position (m) and yaw (rad) at success."""
APART = 0.06
"""Smallest initial distance of the block from its outline (m)."""
BEYOND = 0.01
"""Distance beyond the robot's area for pushing to which the expert pushes the block (m)."""
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


class PushT(Task):
    """Push the block onto its outline."""

    name = "PushT"
    description = "Push the T-shaped block onto its outline."
    max_episode_steps = 300
    observation_size = 12
    needs = Needs()
    reset_options = ("block_pose", "goal_pose")
    subtasks = False

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        self.scale = scale = robot.workspace.object_width / USUAL_WIDTH
        self.block = Tee("tee", (0.15, 0.35, 0.80), scale)
        self.goal = Tee("goal", (0.45, 0.72, 0.50), scale, outline=True)
        self.position = scale * POSITION
        lies = (0.0, 0.0, self.block.height)
        self.pairs = (Pair(0, 2, lies, self.position), Pair(1, 3, lies, self.position))
        self.scene = Scene(
            home=self.needs.home, front_view="wide_table", props=(self.block,), fixtures=(self.goal,)
        )
        self.workspace = robot.workspace.wide_tcp
        pushing = robot.workspace.pushing
        self.area = pushing or robot.workspace.wide_table.part((0.4, 0.15), (0.85, 0.85))
        self.least_x = -math.inf if pushing is None else pushing.low[0] - BEYOND
        self.most_x = math.inf if pushing is None else pushing.high[0] + BEYOND
        self.nearest = robot.workspace.table.low[0] - NEAREST

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Sample both poses. All options consume the same random numbers."""
        block_xy, goal_xy = sample_apart(rng, self.area, 2, self.scale * APART)
        yaws = rng.uniform(-np.pi, np.pi, 2)
        block, goal = np.array([*block_xy, yaws[0]]), np.array([*goal_xy, yaws[1]])
        if not randomise:
            block = np.array([*self.area.point(0.5, 0.2), 0.8])
            goal = np.array([*self.area.point(0.5, 0.7), 0.0])
        if "block_pose" in options:
            block = finite_array("block_pose", options["block_pose"], (3,))
        if "goal_pose" in options:
            goal = finite_array("goal_pose", options["goal_pose"], (3,))
        return {
            tee.name: np.array([*pose[:2], tee.height, *yawed(pose[2])])
            for tee, pose in ((self.block, block), (self.goal, goal))
        }

    def observe(self, sim: Simulation) -> Array:
        """Return the middle and the end of the stem of the block, then those of the outline (12, m, world
        frame).
        """
        return np.concatenate(
            [
                point
                for tee in (self.block, self.goal)
                for point in (sim.body_pos_w(tee.name), sim.point_pos_w(tee.name, tee.foot))
            ]
        )

    def error(self, sim: Simulation) -> tuple[float, float, float]:
        """Return the displacement from the block to its outline: x, y (m, world frame) and yaw (rad)."""
        offset = sim.body_pos_w(self.goal.name) - sim.body_pos_w(self.block.name)
        turn = yaw(sim, self.goal.name) - yaw(sim, self.block.name)
        return offset.item(0), offset.item(1), math.remainder(turn, 2 * math.pi)

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return the terms: position and yaw."""
        x, y, turn = self.error(sim)
        place = math.exp(-10.0 * math.hypot(x, y))
        return {"position": (0.5, place), "yaw": (0.5, place * math.exp(-2.0 * abs(turn)))}

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether the block lies on its outline."""
        x, y, turn = self.error(sim)
        flat = abs(sim.body_coordinates(self.block.name)[2] - self.block.height) < 0.005
        return flat and math.hypot(x, y) < self.position and abs(turn) < ANGLE

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Continue a useful push, or else begin the most useful one."""
        x, y, turn = self.error(sim)
        angle = yaw(sim, self.block.name)
        axes = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        desired_motion = np.array([*(axes.T @ (x, y)), self.scale * RADIUS * turn])
        gains = MOTIONS @ desired_motion
        cosines = gains / max(1e-9, float(np.linalg.norm(desired_motion)))
        to_tcp, tcp = sim.grasp_offset(0.0)[:2], sim.tcp_pos_w
        fingers, height = tcp[:2] - to_tcp, tcp.item(2)
        block, normals = sim.body_pos_w(self.block.name), PLACES[:, 2:] @ axes.T
        touching = (
            block[:2] + self.scale * PLACES[:, :2] @ axes.T - normals * (np.abs(normals) @ FINGERS)[:, None]
        )
        offsets = fingers - touching
        along = np.sum(offsets * normals, axis=1)
        lateral = offsets[:, 1] * normals[:, 0] - offsets[:, 0] * normals[:, 1]
        low = height < LOW + 0.02
        beside, deepest = (LATERAL, GAP) if low else (0.5 * LATERAL, -0.6 * GAP)
        ready = (np.abs(lateral) < beside) & (along > -2 * GAP) & (along < deepest)
        begins = touching - GAP * normals
        cosines[(begins[:, 0] < self.nearest) | (begins[:, 0] > self.workspace.high[0])] = -1.0
        cosines[(block.item(0) < self.least_x) & (normals[:, 0] < 0)] = -1.0
        cosines[(block.item(0) > self.most_x) & (normals[:, 0] > 0)] = -1.0
        if low and (ready & (cosines > USEFUL)).any():
            best = int(np.argmax(np.where(ready, cosines, -1.0)))
        else:
            best = int(np.argmax(cosines))
        normal = normals[best]
        if not ready[best]:
            return over(sim, np.array([*begins[best] + to_tcp, 0.0]), self.scale * TRAVEL, opening=0.0)
        if height > LOW + 0.008:
            return Intent(np.array([*begins[best] + to_tcp, LOW]), opening=0.0)
        push = min(PUSH, max(0.003, 0.5 * gains[best]))
        ahead = float((sim.target_pos_w[:2] - to_tcp - begins[best]) @ normal) + push
        target = begins[best] + ahead * normal + to_tcp
        return Intent(np.array([*target, LOW]), opening=0.0)
