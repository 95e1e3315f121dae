"""InsertUSB: take a thin plug out of its holder at any yaw and insert it with 0.4 mm of clearance.

The plug fits both ways round, like USB-C. Actions have a rotation about the vertical (``xyz+yaw``).

Reset options: ``plug_pose`` and ``port_pose`` (3: x and y in m, yaw in rad).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gym_hil.robots.base import Robot
from gym_hil.scenes.scene import Scene
from gym_hil.tasks.base import Array, Intent, Pair, Start, Task
from gym_hil.tasks.grasping import hand_yaw, is_held, yaw, yawed
from gym_hil.tasks.inserting import Plug, Slot, draw_poses, fetch, insert, insertion_depth
from gym_hil.tasks.needs import Needs

if TYPE_CHECKING:
    from gym_hil.simulation.simulation import Simulation

PLUG = Plug("plug", (0.93, 0.45, 0.13), head=(0.01, 0.0035, 0.02), blade=(0.006, 0.0022, 0.006))
HOLDER = Slot("holder", (0.55, 0.55, 0.58), PLUG, height=0.01, clearance=0.0005)
PORT = Slot("port", (0.25, 0.35, 0.50), PLUG, height=0.02, clearance=0.0002)
"""The slot is 0.4 mm wider than the plug's blade, which is 12 mm x 4.4 mm."""
GRASP = (0.0, 0.0, 0.008)
"""Point at which the expert grasps the plug (m, frame of the plug)."""
SIDE = (0.02, 0.0, 0.0)
"""A point from which the yaw of plug and port can be computed (m, in their frames)."""
DEPTH = 0.009
"""Depth of the tip in the port at success (m); the blade is 12 mm long."""
ALIGNED = 0.0004
"""Horizontal error below which the expert lowers the plug (m)."""
DESCENT = 0.005
"""Distance by which the expert lowers the plug per step (m)."""
PLUG_YAW, PORT_YAW = math.pi / 2, 0.5
"""Largest yaws of plug and port at the start (rad); half a turn of the plug makes no difference."""


class InsertUSB(Task):
    """Insert the plug."""

    name = "InsertUSB"
    description = "Insert the USB plug into the port."
    action = "xyz+yaw"
    max_episode_steps = 200
    observation_size = 15
    needs = Needs(aperture=0.035, axes=("x", "y", "z", "rz"))
    reset_options = ("plug_pose", "port_pose")
    further_terms = ("tcp_wrench",)
    pairs = (Pair(1, 2),)

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        self.scene = Scene(home=self.needs.home, props=(PLUG,), fixtures=(HOLDER, PORT))
        self.workspace = robot.workspace.tcp
        table = robot.workspace.table
        self.places = {
            "plug_pose": (table.part((0.1, 0.0), (1.0, 0.4)), PLUG_YAW),
            "port_pose": (table.part((0.1, 0.65), (1.0, 1.0)), PORT_YAW),
        }

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Sample both poses. All options consume the same random numbers."""
        plug, port = draw_poses(rng, self.places, options, randomise=randomise)
        return {
            PLUG.name: np.array([*plug[:2], -PLUG.tip[2], *yawed(plug[2])]),
            HOLDER.name: np.array([*plug[:2], 0.0, *yawed(plug[2])]),
            PORT.name: np.array([*port[:2], 0.0, *yawed(port[2])]),
        }

    def observe(self, sim: Simulation) -> Array:
        """Return the plug's middle and tip, the port's opening, and a side point of plug and port (15, m,
        world frame).
        """
        sides = (sim.point_pos_w(name, SIDE) for name in (PLUG.name, PORT.name))
        return np.concatenate([sim.body_pos_w(PLUG.name), self.tip(sim), self.opening(sim), *sides])

    def tip(self, sim: Simulation) -> Array:
        """Return the middle of the plug's lower end (3, m, world frame)."""
        return sim.point_pos_w(PLUG.name, PLUG.tip)

    def opening(self, sim: Simulation) -> Array:
        """Return the middle of the port's opening (3, m, world frame)."""
        return sim.point_pos_w(PORT.name, PORT.opening)

    def depth(self, sim: Simulation) -> float:
        """Return the depth of the tip in the port (m), 0 if it is outside."""
        return insertion_depth(self.opening(sim) - self.tip(sim), PLUG.blade[1])

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return the terms: hand near the plug, tip near the opening, tip in the port."""
        reach = math.dist(sim.point_pos_w(PLUG.name, GRASP).tolist(), sim.tcp_coordinates)
        distance = math.dist(self.tip(sim).tolist(), self.opening(sim).tolist())
        depth = self.depth(sim)
        return {
            "near": (0.2, math.exp(-20.0 * reach)),
            "over": (0.4, 1.0 if depth > 0.0 else math.exp(-20.0 * distance)),
            "inserted": (0.4, min(1.0, depth / DEPTH)),
        }

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether the tip is at least 9 mm deep in the port."""
        return self.depth(sim) > DEPTH

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Fetch the plug, turn it to the port in the direction that the wrist allows, and lower it."""
        grasp, hand = sim.point_pos_w(PLUG.name, GRASP), hand_yaw(sim)
        if not is_held(sim, grasp, PLUG.head[1]):
            return fetch(sim, grasp, math.remainder(yaw(sim, PLUG.name) - hand, math.pi))
        goal_yaw = math.remainder(hand + yaw(sim, PORT.name) - yaw(sim, PLUG.name), math.pi)
        offset = self.opening(sim) - self.tip(sim)
        return insert(sim, offset, goal_yaw - hand, self.depth(sim), ALIGNED, DESCENT)
