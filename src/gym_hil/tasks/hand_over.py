"""HandOver: one arm grasps a cube and hands it to the other one, which puts it on a post.

The giving hand grasps the cube from above and the taking hand from the side, both at the same two faces. The post is
narrower than the cube, so that the taking hand fits around it. Neither arm reaches both the cube and the post.

Reset options: ``cube_xy`` and ``post_xy`` (2, m) set the places of cube and post.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gym_hil.robots.base import Robot
from gym_hil.scenes.props import Prop, add_block
from gym_hil.scenes.scene import Cube, Scene
from gym_hil.tasks.base import Array, Intent, Pair, Start, Task, finite_array
from gym_hil.tasks.grasping import approach, is_held, over, yawed
from gym_hil.tasks.needs import Needs

if TYPE_CHECKING:
    import mujoco

    from gym_hil.simulation.simulation import Simulation

POST_WIDTH = 0.8
"""Width of the post, in widths of the cube."""
LEVEL = 0.004
"""Largest error of the cube's height on the post (m)."""
GIVE = np.array([0.0, 0.0, 0.55])
"""Point at which the giving hand grasps the cube, relative to its middle, in half widths."""
TAKE = np.array([0.0, -0.5, -0.55])
"""Point at which the taking hand grasps it. Both points together leave room for the fingers of both hands."""
WAITING_DISTANCE = 0.1
"""Distance from the cube at which the taking hand waits, and to which the giving hand retreats (m)."""
UP = np.array([0.0, 0.0, 1.0])
"""Direction upwards."""
AWAY = np.array([0.0, 1.0, 0.0])
"""Direction from the second arm to the first one."""
REACHED = 0.006
"""Largest distance between a TCP and its goal at which the goal is reached (m)."""
STILL_GRASPED = 0.2
"""The cube is regarded as grasped up to this excess of the aperture over its width, relative to the width."""
HOVER = 0.03
"""Height of the cube above the post while it is carried (m)."""
SEATED = 0.3
"""The hand releases the cube when its middle is at most this high above its position on the post (in half widths),
because a tilted cube touches the post earlier."""


@dataclass(frozen=True)
class Post(Prop):
    """A post. Its frame is in the middle of its lower face; lengths are in m."""

    half_width: float
    height: float

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a mocap body with one block."""
        body = spec.worldbody.add_body(name=self.name, mocap=True)
        half_sizes = (self.half_width, self.half_width, self.height / 2)
        add_block(body, self.name, (0, 0, self.height / 2), half_sizes, self.rgb)


class HandOver(Task):
    """Hand the cube to the other arm, and put it on the post."""

    name = "HandOver"
    description = "Hand the cube to the other arm, which puts it on the post."
    max_episode_steps = 120
    observation_size = 6
    needs = Needs(end_effectors=2, aperture=0.05, home="hand_over")
    reset_options = ("cube_xy", "post_xy")
    cube_part: ClassVar = (0.0, 0.55), (1.3, 1.0)
    post_part: ClassVar = (-0.3, 0.0), (1.3, 0.35)
    """Corners of the areas of cube and post, as the two arguments of `Area.point` for the wide table."""
    largest_yaw: ClassVar[float] = 0.3
    """Largest yaw of the cube at the start (rad)."""
    heights: ClassVar[tuple[float, float]] = (1.0, 1.8)
    """Smallest and largest height of the post, as multiples of the height to which objects can be lifted; the smallest
    one is used for fixed starts."""
    off_centre: ClassVar[tuple[float, float]] = (0.075, 0.5)
    """Largest distance of the cube from the middle of the post at success, in half widths: for fingers that move
    together, and for a jaw that moves alone, which shifts the cube when it opens."""

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        workspace = robot.workspace
        assert workspace.meeting is not None, f"{robot.name} must say where its arms meet"
        self.half_size = half_size = workspace.object_width / 2
        self.cube = Cube("cube", (0.85, 0.18, 0.15), half_size)
        self.post = Post("post", (0.25, 0.35, 0.50), POST_WIDTH * half_size, self.heights[1] * workspace.lift)
        self.scene = Scene(home=self.needs.home, props=(self.cube,), fixtures=(self.post,))
        self.pairs = (Pair(0, 1, offset=(0.0, 0.0, half_size), tolerance=LEVEL),)
        self.workspace = workspace.wide_tcp
        self.cube_area = workspace.wide_table.part(*self.cube_part)
        self.post_area = workspace.wide_table.part(*self.post_part)
        self.meeting = np.array(workspace.meeting)
        self.tolerance = half_size * self.off_centre[robot.end_effectors[1].hand.fixed_jaw is not None]
        self.aligned = min(REACHED, self.tolerance) / 2

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Sample places, yaw and height. All options consume the same random numbers."""
        areas = {"cube_xy": self.cube_area, "post_xy": self.post_area}
        drawn = {name: rng.uniform(area.low, area.high) for name, area in areas.items()}
        yaw, height = rng.uniform((-self.largest_yaw, self.heights[0]), (self.largest_yaw, self.heights[1]))
        if not randomise:
            drawn = {name: np.array(area.point(0.5, 0.5)) for name, area in areas.items()}
            yaw, height = 0.0, self.heights[0]
        for name in areas.keys() & options.keys():
            drawn[name] = finite_array(name, options[name], (2,))
        return {
            "cube": np.array([*drawn["cube_xy"], self.half_size, *yawed(yaw)]),
            "post": np.array([*drawn["post_xy"], height * self.robot.workspace.lift - self.post.height]),
        }

    def top(self, sim: Simulation) -> Array:
        """Return the middle of the post's upper face (3, m, world frame)."""
        return sim.point_pos_w("post", (0.0, 0.0, self.post.height))

    def observe(self, sim: Simulation) -> Array:
        """Return the positions of the cube and of the post's upper face (6, m, world frame)."""
        return np.concatenate([sim.body_pos_w("cube"), self.top(sim)])

    def offset(self, sim: Simulation) -> Array:
        """Return the vector from the cube to its place on the post (3, m, world frame)."""
        offset: Array = self.top(sim) - sim.body_pos_w("cube")
        offset[2] += self.half_size
        return offset

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return the terms: cube at or beyond the meeting place, cube near the post."""
        cube = sim.body_pos_w("cube")
        crossed = cube[1] < self.meeting[1]
        met = 1.0 if crossed else math.exp(-5.0 * math.dist(cube, self.meeting))
        return {"met": (0.5, met), "placed": (0.5, math.exp(-10.0 * math.hypot(*self.offset(sim))))}

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether the cube lies on the post and both hands have released it."""
        return self._lies(sim, self.tolerance) and not any(
            end_effector.gripper_closing for end_effector in sim.end_effectors
        )

    def intents(self, sim: Simulation, start: Start) -> tuple[Intent, Intent]:
        """Fetch the cube with the first arm, move to the meeting place, take it with the second arm, and put
        it on the post.
        """
        giver, taker = sim.end_effectors
        cube, half = sim.body_pos_w("cube"), self.half_size
        grasp = cube + half * GIVE
        give = grasp + giver.grasp_offset(half)
        take = cube + half * TAKE + taker.grasp_offset(half)
        waiting = self.meeting + half * TAKE - WAITING_DISTANCE * AWAY
        wide = 2 * half * (1 + STILL_GRASPED)
        taken = is_held(taker, take, half)
        if taken and giver.aperture < wide and math.dist(give, giver.tcp_pos_w) < WAITING_DISTANCE / 2:
            return Intent(giver.tcp_pos_w, opening=1.0), Intent(taker.tcp_pos_w, opening=0.0)
        step_aside = Intent(self.meeting + WAITING_DISTANCE * (AWAY + UP / 4), opening=1.0)
        if taken:
            clear = math.dist(cube, giver.tcp_pos_w) > WAITING_DISTANCE / 2
            return step_aside, self._place(sim) if clear else Intent(taker.tcp_pos_w, opening=0.0)
        fetch = Intent(take, opening=float(math.dist(take, taker.tcp_pos_w) > REACHED))
        if self._lies(sim, half):
            return step_aside, Intent(waiting, opening=1.0) if self._lies(sim, self.tolerance) else fetch
        if not is_held(giver, give, half):
            return approach(giver, grasp), Intent(waiting, opening=1.0)
        goal = self.meeting + half * GIVE
        if math.dist(goal, giver.tcp_pos_w) > 2 * REACHED:
            return over(giver, goal, float(goal[2]), opening=0.0), Intent(waiting, opening=1.0)
        return Intent(goal, opening=0.0), fetch

    def _lies(self, sim: Simulation, tolerance: float) -> bool:
        x, y, z = self.offset(sim).tolist()
        return math.hypot(x, y) < tolerance and abs(z) < LEVEL

    def _place(self, sim: Simulation) -> Intent:
        """Carry the cube over the post with the second arm, high while it is far away, lower it and release it."""
        tcp, offset = sim.end_effectors[1].tcp_pos_w, self.offset(sim)
        horizontal_error = math.hypot(offset[0], offset[1])
        if horizontal_error > self.aligned:
            rise = offset[2] + (HOVER if horizontal_error < 2 * HOVER else 2 * HOVER)
            if horizontal_error < REACHED:
                rise = min(rise, 0.0)
            low = horizontal_error > REACHED and offset[2] > -HOVER / 2  # rise first
            return Intent(tcp + np.array([*(0.0 * offset[:2] if low else offset[:2]), rise]), opening=0.0)
        return (
            Intent(tcp + offset, opening=0.0)
            if offset[2] < -SEATED * self.half_size
            else Intent(tcp, opening=1.0)
        )
