"""TurnKey: take a key out of its stand, insert it into a lock, and turn it by 90 degrees.

Stand and lock are turned about the vertical, so actions need a rotation: ids of this task have ``xyz+yaw`` actions.

Reset options: ``stand_pose`` and ``lock_pose`` (3: x, y in m, yaw in rad).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gym_hil.robots.base import Robot
from gym_hil.scenes.props import Prop, add_block, add_free_body
from gym_hil.scenes.scene import Scene
from gym_hil.tasks.base import Array, Intent, Pair, Start, Task, finite_array
from gym_hil.tasks.grasping import approach, hand_yaw, is_held, over, turned, yaw, yawed
from gym_hil.tasks.needs import Needs

if TYPE_CHECKING:
    import mujoco

    from gym_hil.simulation.simulation import Simulation

HEAD, GRASP = (0.012, 0.012, 0.025), (0.0, 0.0, 0.01)
"""Half sizes of what is held of the key, its frame in the middle, and where the expert holds it (m)."""
BLADE = (0.01, 0.004, 0.0125)
"""Half sizes of what is inserted, below the head (m)."""
TIP = (0.0, 0.0, -HEAD[2] - 2 * BLADE[2])
"""Lower end of the blade (m, in the key's frame)."""
CLEARANCE = 0.0006
"""Room on each side of the blade (m)."""
LOCK_HEIGHT, STAND_HEIGHT, WALL = 0.03, 0.02, 0.012
"""Heights of lock and stand, and thickness of their walls (m)."""
TURN, DEPTH = 1.5, 0.016
"""Turn of the barrel, which stops at 90 degrees (rad), and depth of the tip in it (m), at success."""
YAW = 0.3
"""Largest turns of stand and lock at the start (rad)."""
FRICTION, DAMPING = 0.05, 0.02
"""What resists the barrel: N m and N m s/rad."""
CLEAR, HOVER = 0.015, 0.1
"""Height of the tip above the lock while carrying, and of the TCP above the key while travelling (m)."""
NEAR, ALIGNED, PARALLEL = 0.006, 0.001, 0.03
"""Errors below which the expert aligns the tip (m), comes down (m), and calls two yaws equal (rad)."""
DESCENT, STEP = 0.01, 0.15
"""How far the expert comes down (m) and turns the key (rad) per step."""


@dataclass(frozen=True)
class Key(Prop):
    """A key that moves freely: a head with a flat blade below."""

    mass: float = 0.06

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a free body with two boxes."""
        body = add_free_body(spec, self.name, -TIP[2])
        add_block(body, f"{self.name}_head", (0, 0, 0), HEAD, self.rgb, mass=0.7 * self.mass)
        blade = (0, 0, -HEAD[2] - BLADE[2])
        add_block(body, f"{self.name}_blade", blade, BLADE, (0.6, 0.6, 0.62), mass=0.3 * self.mass)


@dataclass(frozen=True)
class Slot(Prop):
    """A block with a slot for the key's blade. It stays where a start puts it; its frame lies on the floor.

    With `barrel` what has the slot turns by a hinge, by 0 to 90 degrees.
    """

    height: float
    barrel: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The block's pose, and the barrel's turn (rad)."""
        return (self.name, self.barrel) if self.barrel else (self.name,)

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add a mocap body, in it one that turns, and four walls."""
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
                frictionloss=FRICTION,
                damping=DAMPING,
            )
        x, y, half = BLADE[0] + CLEARANCE, BLADE[1] + CLEARANCE, self.height / 2 - 0.001
        for sign in (-1, 1):
            pos, size = (sign * (x + WALL / 2), 0.0, half + 0.002), (WALL / 2, y + WALL, half)
            add_block(body, f"{self.name}_x{sign}", pos, size, self.rgb, mass=0.05)
            pos, size = (0.0, sign * (y + WALL / 2), half + 0.002), (x, WALL / 2, half)
            add_block(body, f"{self.name}_y{sign}", pos, size, self.rgb, mass=0.05)


KEY = Key("key", (0.93, 0.75, 0.13))
STAND = Slot("stand", (0.55, 0.55, 0.58), STAND_HEIGHT)
LOCK = Slot("lock", (0.25, 0.35, 0.50), LOCK_HEIGHT, barrel="barrel")


class TurnKey(Task):
    """Insert the key and turn it."""

    name = "TurnKey"
    description = "Insert the key and turn it by 90 degrees."
    action = "xyz+yaw"
    max_episode_steps = 200
    observation_size = 15
    needs = Needs(aperture=0.035, axes=("x", "y", "z", "rz"), gripper="parallel")
    reset_options = ("stand_pose", "lock_pose")
    pairs = (Pair(1, 2),)

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        self.scene = Scene(home=self.needs.home, props=(KEY,), fixtures=(STAND, LOCK))
        self.workspace = robot.workspace.tcp
        table = robot.workspace.table
        areas = table.part((0.25, 0.0), (1.0, 0.35)), table.part((0.25, 0.7), (1.0, 1.0))
        self.areas = tuple((area.low, area.high) for area in areas)

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Draw both poses. The generator is used alike whatever the options are."""
        stand, lock = (np.array([*rng.uniform(*corners), rng.uniform(-YAW, YAW)]) for corners in self.areas)
        if not randomise:
            stand, lock = (np.array([*np.mean(corners, axis=0), 0.0]) for corners in self.areas)
        stand = finite_array("stand_pose", options.get("stand_pose", stand), (3,))
        lock = finite_array("lock_pose", options.get("lock_pose", lock), (3,))
        return {
            KEY.name: np.array([*stand[:2], -TIP[2], *yawed(stand[2])]),
            STAND.name: np.array([*stand[:2], 0.0, *yawed(stand[2])]),
            LOCK.name: np.array([*lock[:2], 0.0, *yawed(lock[2])]),
            LOCK.barrel: np.zeros(1),
        }

    def observe(self, sim: Simulation) -> Array:
        """Return middle and tip of the key, the slot's opening, and a point on one side of key and barrel (15)."""
        sides = (sim.point_pos_w(name, (HEAD[0], 0.0, 0.0)) for name in (KEY.name, LOCK.barrel))
        return np.concatenate([sim.body_pos_w(KEY.name), self.tip(sim), self.slot(sim), *sides])

    def tip(self, sim: Simulation) -> Array:
        """Return the lower end of the blade (3, m, world frame)."""
        return sim.point_pos_w(KEY.name, TIP)

    def slot(self, sim: Simulation) -> Array:
        """Return the middle of the slot's opening (3, m, world frame)."""
        return sim.point_pos_w(LOCK.barrel, (0.0, 0.0, LOCK_HEIGHT))

    def depth(self, sim: Simulation) -> float:
        """Return how deep the tip is in the slot (m); 0 beside it."""
        x, y, z = (self.slot(sim) - self.tip(sim)).tolist()
        return max(0.0, z) if math.hypot(x, y) < BLADE[1] else 0.0

    def turn(self, sim: Simulation) -> float:
        """Return how far the barrel is turned (rad)."""
        return math.remainder(yaw(sim, LOCK.barrel) - yaw(sim, LOCK.name), 2 * math.pi)

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Tip near the slot, tip in the slot, barrel turned."""
        near = math.exp(-10.0 * math.dist(self.tip(sim).tolist(), self.slot(sim).tolist()))
        turn = min(1.0, max(0.0, self.turn(sim) / TURN))
        return {
            "near": (0.3, near),
            "inserted": (0.3, min(1.0, self.depth(sim) / DEPTH)),
            "turned": (0.4, turn),
        }

    def success(self, sim: Simulation, start: Start) -> bool:
        """The key is in the barrel, which is turned."""
        return self.turn(sim) > TURN and self.depth(sim) > DEPTH

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Fetch the key, turn it to the slot, let it down, turn it."""
        key = sim.point_pos_w(KEY.name, GRASP)
        if not is_held(sim, key, HEAD[1]):
            turn = math.remainder(yaw(sim, KEY.name) - hand_yaw(sim), math.pi / 2)
            near = abs(turn) < 2 * PARALLEL
            fetch = approach(sim, key, HOVER) if near else over(sim, key, key[2] + HOVER, 1.0)
            return replace(fetch, tcp_quat_w=turned(sim.target_quat_w, turn))
        way, depth, target = self.slot(sim) - self.tip(sim), self.depth(sim), sim.target_pos_w
        if depth > DEPTH:
            hold = np.array([target[0], target[1], target[2] + min(0.0, DEPTH + 0.003 - depth)])
            return Intent(hold, 0.0, turned(sim.target_quat_w, STEP))
        turn = math.remainder(yaw(sim, LOCK.barrel) - yaw(sim, KEY.name), math.pi)
        quat, aside = turned(sim.target_quat_w, turn), math.hypot(way[0], way[1])
        if way[2] < -2 * CLEAR or aside > NEAR:
            goal = sim.tcp_pos_w + way
            return replace(over(sim, goal, float(goal[2] + CLEAR), 0.0), tcp_quat_w=quat)
        down = DESCENT if depth > 0.0 or (aside < ALIGNED and abs(turn) < PARALLEL) else 0.0
        return Intent(target + np.array([way[0], way[1], -down]), 0.0, quat)
