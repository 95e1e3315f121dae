"""TurnKey: take a key out of its stand, insert it into a lock, and turn it by 90 degrees.

Stand and lock are turned about the vertical, so the task needs actions with a rotation (``xyz+yaw``).

Reset options: ``stand_pose`` and ``lock_pose`` (3: x and y in m, yaw in rad).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gym_hil.robots.base import Robot
from gym_hil.scenes.scene import Scene
from gym_hil.tasks.base import Array, Intent, Pair, Start, Task
from gym_hil.tasks.grasping import hand_yaw, is_held, turned, yaw, yawed
from gym_hil.tasks.inserting import DESCENT, Plug, Slot, draw_poses, fetch, insert, insertion_depth
from gym_hil.tasks.needs import Needs

if TYPE_CHECKING:
    from gym_hil.simulation.simulation import Simulation

GRASP = (0.0, 0.0, 0.01)
"""Point at which the expert grasps the key (m, frame of the key)."""
TURN = 1.5
"""Least angle of the barrel at success (rad). The barrel stops at 90 degrees."""
DEPTH = 0.016
"""Least depth of the tip in the barrel at success (m)."""
YAW = 0.3
"""Largest yaws of stand and lock at the start (rad)."""
PRESSED = 0.003
"""Depth beyond `DEPTH` to which the expert presses the key (m)."""
BEYOND = 0.15
"""Angle beyond the stop of the barrel to which the expert turns the key (rad)."""

KEY = Plug("key", (0.93, 0.75, 0.13), head=(0.012, 0.012, 0.025), blade=(0.01, 0.004, 0.0125))
STAND = Slot("stand", (0.55, 0.55, 0.58), KEY, height=0.02, clearance=0.0006)
LOCK = Slot("lock", (0.25, 0.35, 0.50), KEY, height=0.03, clearance=0.0006, barrel="barrel")


class TurnKey(Task):
    """Insert the key and turn it."""

    name = "TurnKey"
    description = "Insert the key and turn it by 90 degrees."
    action = "xyz+yaw"
    max_episode_steps = 200
    observation_size = 15
    needs = Needs(aperture=0.035, axes=("x", "y", "z", "rz"))
    reset_options = ("stand_pose", "lock_pose")
    pairs = (Pair(1, 2),)

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        self.scene = Scene(home=self.needs.home, props=(KEY,), fixtures=(STAND, LOCK))
        self.workspace = robot.workspace.tcp
        table = robot.workspace.table
        self.places = {
            "stand_pose": (table.part((0.25, 0.0), (1.0, 0.35)), YAW),
            "lock_pose": (table.part((0.25, 0.7), (1.0, 1.0)), YAW),
        }

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Sample both poses. All options consume the same random numbers."""
        stand, lock = draw_poses(rng, self.places, options, randomise=randomise)
        return {
            KEY.name: np.array([*stand[:2], -KEY.tip[2], *yawed(stand[2])]),
            STAND.name: np.array([*stand[:2], 0.0, *yawed(stand[2])]),
            LOCK.name: np.array([*lock[:2], 0.0, *yawed(lock[2])]),
            LOCK.barrel: np.zeros(1),
        }

    def observe(self, sim: Simulation) -> Array:
        """Return the key's middle and tip, the slot's opening, and a side point of key and barrel (15, m,
        world frame).
        """
        sides = (sim.point_pos_w(name, (KEY.head[0], 0.0, 0.0)) for name in (KEY.name, LOCK.barrel))
        return np.concatenate([sim.body_pos_w(KEY.name), self.tip(sim), self.slot(sim), *sides])

    def tip(self, sim: Simulation) -> Array:
        """Return the lower end of the blade (3, m, world frame)."""
        return sim.point_pos_w(KEY.name, KEY.tip)

    def slot(self, sim: Simulation) -> Array:
        """Return the middle of the slot's opening (3, m, world frame)."""
        return sim.point_pos_w(LOCK.barrel, LOCK.opening)

    def depth(self, sim: Simulation) -> float:
        """Return the depth of the tip in the slot (m), 0 if it is outside."""
        return insertion_depth(self.slot(sim) - self.tip(sim), KEY.blade[1])

    def turn(self, sim: Simulation) -> float:
        """Return the angle of the barrel (rad)."""
        return math.remainder(yaw(sim, LOCK.barrel) - yaw(sim, LOCK.name), 2 * math.pi)

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return the terms: tip near the slot, tip in the slot, barrel turned."""
        near = math.exp(-10.0 * math.dist(self.tip(sim).tolist(), self.slot(sim).tolist()))
        turn = min(1.0, max(0.0, self.turn(sim) / TURN))
        return {
            "near": (0.3, near),
            "inserted": (0.3, min(1.0, self.depth(sim) / DEPTH)),
            "turned": (0.4, turn),
        }

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether the key is in the barrel and the barrel is turned."""
        return self.turn(sim) > TURN and self.depth(sim) > DEPTH

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Fetch the key, align it with the slot, lower it and turn it."""
        key = sim.point_pos_w(KEY.name, GRASP)
        if not is_held(sim, key, KEY.head[1]):
            return fetch(sim, key, math.remainder(yaw(sim, KEY.name) - hand_yaw(sim), math.pi / 2))
        depth = self.depth(sim)
        if depth > DEPTH:
            hold = sim.target_pos_w + np.array([0.0, 0.0, max(-DESCENT, depth - DEPTH - PRESSED)])
            return Intent(hold, 0.0, turned(sim.target_quat_w, math.pi / 2 + BEYOND - self.turn(sim)))
        turn = math.remainder(yaw(sim, LOCK.barrel) - yaw(sim, KEY.name), math.pi)
        return insert(sim, self.slot(sim) - self.tip(sim), turn, depth)
