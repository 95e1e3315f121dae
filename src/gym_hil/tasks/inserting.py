"""Shared parts of the insertion tasks: a plug, a slot that it fits, and the expert's motion from one to the
other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gym_hil.robots.geometry import Area, Vec3
from gym_hil.scenes.props import Prop, Rgb, add_block, add_free_body
from gym_hil.tasks.base import Array, Intent, finite_array
from gym_hil.tasks.grasping import approach, over, turned

if TYPE_CHECKING:
    import mujoco

    from gym_hil.simulation.simulation import Simulation

CLEAR = 0.015
"""Height of the tip above the slot while the expert carries the plug (m)."""
HOVER = 0.1
"""Height of the TCP above a plug while the hand moves to it (m)."""
NEAR = 0.006
"""Horizontal error of the tip below which the expert aligns it with the slot (m)."""
ALIGNED = 0.001
"""Horizontal error of the tip below which the expert lowers it (m)."""
PARALLEL = 0.03
"""Difference of two yaws that are regarded as equal (rad)."""
CORRECTED_SHARE = 0.6
"""Share of the horizontal error that the expert corrects per step. A larger one would overshoot, because the TCP
follows its target with a delay."""
DESCENT = 0.01
"""Distance by which the expert lowers the plug per step (m)."""
TOUCHING = 0.001
"""Height of the tip above the slot below which a plug that is not aligned stands beside the slot (m)."""


@dataclass(frozen=True)
class Plug(Prop):
    """A free body: a head with a flat blade below it. Its frame lies in the middle of the head.

    Attributes:
        head: half sizes of the head (m).
        blade: half sizes of the blade (m).
        mass: mass (kg).
    """

    head: Vec3
    blade: Vec3
    mass: float = 0.06

    @property
    def tip(self) -> Vec3:
        """Lower end of the blade (3, m, frame of the plug)."""
        return (0.0, 0.0, -self.head[2] - 2 * self.blade[2])

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a free body with two boxes to the scene."""
        body = add_free_body(spec, self.name, -self.tip[2])
        add_block(body, f"{self.name}_head", (0, 0, 0), self.head, self.rgb, mass=0.7 * self.mass)
        middle = (0, 0, -self.head[2] - self.blade[2])
        add_block(body, f"{self.name}_blade", middle, self.blade, METAL, mass=0.3 * self.mass)


METAL: Rgb = (0.6, 0.6, 0.62)


@dataclass(frozen=True)
class Slot(Prop):
    """A block with a slot for the blade of a plug. It does not move during an episode; its frame lies on the
    floor.

    With `barrel`, the part that has the slot turns about a hinge by 0 to 90 degrees.

    Attributes:
        plug: the plug that fits into the slot.
        height: height of the block (m).
        clearance: room on each side of the blade (m).
        wall: thickness of the walls (m).
        barrel: name of the turning part and of its hinge.
        friction: friction torque of the hinge (N m).
        damping: damping of the hinge (N m s/rad).
    """

    plug: Plug
    height: float
    clearance: float
    wall: float = 0.012
    barrel: str = ""
    friction: float = 0.05
    damping: float = 0.02

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the block, which has a pose, and of the barrel, if there is one, whose angle is in radians."""
        return (self.name, self.barrel) if self.barrel else (self.name,)

    @property
    def opening(self) -> Vec3:
        """Middle of the slot's upper end (3, m, frame of the slot)."""
        return (0.0, 0.0, self.height)

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a mocap body with four walls, which turn if there is a barrel."""
        import mujoco

        body = spec.worldbody.add_body(name=self.name, mocap=True)
        if self.barrel:
            plate = (0.035, 0.035, 0.0005)
            add_block(body, f"{self.name}_plate", (0, 0, 0.0005), plate, (0.3, 0.3, 0.33), touches=False)
            body = body.add_body(name=self.barrel)
            body.add_joint(
                name=self.barrel,
                type=mujoco.mjtJoint.mjJNT_HINGE,
                axis=(0, 0, 1),
                range=(0, math.pi / 2),
                frictionloss=self.friction,
                damping=self.damping,
            )
        x, y = self.plug.blade[0] + self.clearance, self.plug.blade[1] + self.clearance
        half, wall = self.height / 2 - 0.001, self.wall
        for sign in (-1, 1):
            pos, size = (sign * (x + wall / 2), 0.0, half + 0.002), (wall / 2, y + wall, half)
            add_block(body, f"{self.name}_x{sign}", pos, size, self.rgb, mass=0.05)
            pos, size = (0.0, sign * (y + wall / 2), half + 0.002), (x, wall / 2, half)
            add_block(body, f"{self.name}_y{sign}", pos, size, self.rgb, mass=0.05)


def draw_poses(
    rng: np.random.Generator,
    areas: Mapping[str, tuple[Area, float]],
    options: Mapping[str, Any],
    *,
    randomise: bool,
) -> list[Array]:
    """Sample poses (3: x, y in m, yaw in rad). All options consume the same random numbers.

    Args:
        rng: the generator.
        areas: the area and the largest yaw (rad) of each pose, by the name of the reset option that overrides it.
        options: reset options.
        randomise: whether to sample; otherwise poses are in the middle of their areas, with a yaw of 0.
    """
    poses = []
    for name, (area, max_yaw) in areas.items():
        pose = np.array([*rng.uniform(area.low, area.high), rng.uniform(-max_yaw, max_yaw)])
        if not randomise:
            pose = np.array([*area.point(0.5, 0.5), 0.0])
        poses.append(finite_array(name, options.get(name, pose), (3,)))
    return poses


def insertion_depth(offset: Array, horizontal_error: float) -> float:
    """Return the depth of a tip in a slot (m), 0 if it is outside.

    Args:
        offset: vector from the tip to the slot's opening (3, m, world frame).
        horizontal_error: largest horizontal distance of a tip that is in the slot (m).
    """
    x, y, z = offset.tolist()
    return max(0.0, z) if math.hypot(x, y) < horizontal_error else 0.0


def fetch(sim: Simulation, grasp: Array, turn: float) -> Intent:
    """Return the intent that grasps a plug.

    Args:
        sim: the simulation.
        grasp: point at which the plug is grasped (3, m, world frame).
        turn: rotation of the hand before it descends (rad).
    """
    near = abs(turn) < 2 * PARALLEL
    intent = approach(sim, grasp, HOVER) if near else over(sim, grasp, grasp[2] + HOVER, 1.0)
    return replace(intent, tcp_quat_w=turned(sim.target_quat_w, turn))


def insert(
    sim: Simulation,
    offset: Array,
    turn: float,
    depth: float,
    aligned: float = ALIGNED,
    descent: float = DESCENT,
) -> Intent:
    """Return the intent that moves a held plug over a slot, turns and aligns it, and lowers it.

    A plug that stands beside the slot is lifted and aligned again.

    Args:
        sim: the simulation.
        offset: vector from the tip to the slot's opening (3, m, world frame).
        turn: remaining rotation of the plug (rad).
        depth: depth of the tip in the slot (m).
        aligned: horizontal error below which the plug is lowered (m).
        descent: distance by which it is lowered per step (m).
    """
    quat, horizontal_error = turned(sim.target_quat_w, turn), math.hypot(offset[0], offset[1])
    if offset[2] < -2 * CLEAR or horizontal_error > NEAR:
        goal = sim.tcp_pos_w + offset
        return replace(over(sim, goal, float(goal[2] + CLEAR), 0.0), tcp_quat_w=quat)
    if offset[2] > TOUCHING and horizontal_error > 2 * aligned:
        return Intent(sim.tcp_pos_w + np.array([0.0, 0.0, CLEAR / 2]), 0.0, quat)
    down = (
        descent
        if (depth > 0.0 and horizontal_error < 2 * aligned)
        or (horizontal_error < aligned and abs(turn) < PARALLEL)
        else 0.0
    )
    step = np.array([CORRECTED_SHARE * offset[0], CORRECTED_SHARE * offset[1], -down])
    return Intent(sim.target_pos_w + step, 0.0, quat)
