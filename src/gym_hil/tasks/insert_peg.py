"""InsertPeg: grasp a standing square peg and insert it into a socket with 1 mm of clearance.

The peg is 24 mm wide and the hole 25 mm. The socket is also turned by a small angle. `xyz` actions cannot turn the peg;
the compliance of the hand lets it turn until it fits. The arm must keep the orientation of the hand while it carries
the peg, because the hole accepts a tilt of 0.05 rad.

Reset options: ``peg_xy`` (2, m) sets the peg's place, ``socket_xy`` (2, m) and ``socket_yaw`` (rad) the
socket's pose.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gym_hil.core.schema import TerminationReason
from gym_hil.robots.base import Robot
from gym_hil.scenes.scene import Peg, Scene, Socket
from gym_hil.tasks.base import Array, Intent, Pair, Start, Task, finite_array
from gym_hil.tasks.grasping import approach, is_held, over, turned, yaw
from gym_hil.tasks.needs import Needs

if TYPE_CHECKING:
    from gym_hil.simulation.simulation import Simulation

PEG = Peg("peg", (0.93, 0.60, 0.13), half_width=0.012, half_length=0.04)
SOCKET = Socket("socket", (0.25, 0.35, 0.50), half_opening=0.0125, wall=0.018, height=0.03)
YAW = 0.03
"""Largest yaw of the socket (rad). At 0.04 the peg would need more than the clearance."""
DEPTH = 0.02
"""Least depth of the peg's tip in the hole at success (m)."""
GRASP = (0.0, 0.0, 0.02)
"""Point at which the expert grasps the peg (m, frame of the peg)."""
CLEAR = 0.015
"""Height of the tip above the socket while the peg is carried (m)."""
NEAR = 0.006
"""Horizontal error of the tip below which the expert aligns it at its present height (m)."""
ALIGNED = 0.001
"""Horizontal error below which the expert lowers the peg (m)."""
JAMMED = 0.0012
"""Horizontal error above which a low tip is regarded as caught on the edge (m). On each side there are 0.5 mm."""
DESCENT = 0.01
"""Distance by which the expert lowers the peg per step (m); a faster TCP also lags behind its target
sideways."""


class InsertPeg(Task):
    """Insert the peg into the socket."""

    name = "InsertPeg"
    description = "Insert the peg into the socket."
    max_episode_steps = 150
    observation_size = 9
    needs = Needs(aperture=0.035, axes=("x", "y", "z", "rx", "ry", "rz"))
    reset_options = ("peg_xy", "socket_xy", "socket_yaw")
    pairs = (Pair(1, 2),)

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        self.scene = Scene(home=self.needs.home, props=(PEG,), fixtures=(SOCKET,))
        self.workspace = robot.workspace.tcp
        table = robot.workspace.table
        self.peg_area = table.part((1 / 4, 1 / 30), (1.0, 11 / 30))
        self.socket_area = table.part((3 / 10, 2 / 3), (1.0, 1.0))
        self.fixed_peg_xy = table.point(3 / 5, 7 / 30)
        self.fixed_socket_xy = table.point(3 / 4, 5 / 6)

    def sample_start(self, rng: np.random.Generator, *, randomise: bool, options: Mapping[str, Any]) -> Start:
        """Sample both places and the socket's yaw. All options consume the same random numbers."""
        areas = self.peg_area, self.socket_area
        drawn = tuple(rng.uniform(area.low, area.high) for area in areas)
        sampled_yaw = rng.uniform(-YAW, YAW)
        peg, socket = drawn if randomise else (np.array(self.fixed_peg_xy), np.array(self.fixed_socket_xy))
        yaw = sampled_yaw if randomise else 0.0
        if "peg_xy" in options:
            peg = finite_array("peg_xy", options["peg_xy"], (2,))
        if "socket_xy" in options:
            socket = finite_array("socket_xy", options["socket_xy"], (2,))
        if "socket_yaw" in options:
            yaw = float(finite_array("socket_yaw", options["socket_yaw"], ()))
        quat = (np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2))
        return {
            PEG.name: np.array([*peg, PEG.half_length]),
            SOCKET.name: np.array([*socket, 0.0, *quat]),
        }

    def grasp(self, sim: Simulation) -> Array:
        """Return the point at which the peg is grasped (3, m, world frame)."""
        return sim.point_pos_w(PEG.name, GRASP)

    def tip(self, sim: Simulation) -> Array:
        """Return the middle of the peg's lower end (3, m, world frame)."""
        return sim.point_pos_w(PEG.name, (0.0, 0.0, -PEG.half_length))

    def opening(self, sim: Simulation) -> Array:
        """Return the middle of the hole's opening (3, m, world frame)."""
        return sim.point_pos_w(SOCKET.name, (0.0, 0.0, SOCKET.height))

    def observe(self, sim: Simulation) -> Array:
        """Return the peg's grasp and tip, and the hole's opening (9, m, world frame)."""
        return np.concatenate([self.grasp(sim), self.tip(sim), self.opening(sim)])

    def reward_terms(self, sim: Simulation, start: Start) -> dict[str, tuple[float, float]]:
        """Return the terms: hand near the peg, tip near the opening, tip in the hole."""
        offset = self.tip(sim) - self.opening(sim)
        horizontal_error = float(np.hypot(offset[0], offset[1]))
        reach = float(np.linalg.norm(self.grasp(sim) - sim.tcp_pos_w))
        depth = (
            float(np.clip(-offset[2] / DEPTH, 0.0, 1.0)) if horizontal_error < SOCKET.half_opening else 0.0
        )
        return {
            "near": (0.2, float(np.exp(-20.0 * reach))),
            "over": (0.4, float(np.exp(-20.0 * np.hypot(horizontal_error, max(0.0, offset[2]))))),
            "inserted": (0.4, depth),
        }

    def success(self, sim: Simulation, start: Start) -> bool:
        """Return whether the tip is at least 2 cm deep in the hole."""
        offset = self.tip(sim) - self.opening(sim)
        inside = float(np.hypot(offset[0], offset[1])) < SOCKET.half_opening
        return inside and float(-offset[2]) > DEPTH

    def failure(self, sim: Simulation) -> TerminationReason | None:
        """Return the reason of a failure: end-effector actions cannot stand up a peg that lies on its side."""
        tip, centre = self.tip(sim), sim.body_pos_w(PEG.name)
        if centre[2] - tip[2] < 0.5 * PEG.half_length and centre[2] < PEG.half_length:
            return TerminationReason.TOPPLED
        return super().failure(sim)

    def intent(self, sim: Simulation, start: Start) -> Intent:
        """Fetch the peg, carry it over the hole and lower it."""
        grasp = self.grasp(sim)
        if not is_held(sim, grasp, PEG.half_width):
            return approach(sim, grasp)
        tip, opening = self.tip(sim), self.opening(sim)
        turned = self._turned(sim)
        offset = opening - tip
        horizontal_error = float(np.hypot(offset[0], offset[1]))
        if tip[2] > opening[2] + 2 * CLEAR or horizontal_error > NEAR:
            goal = sim.tcp_pos_w + offset
            return replace(over(sim, goal, float(goal[2] + CLEAR), opening=0.0), tcp_quat_w=turned)
        inside = tip[2] < opening[2]
        if inside and horizontal_error > JAMMED:
            return Intent(sim.tcp_pos_w + np.array([offset[0], offset[1], CLEAR]), 0.0, turned)
        if inside:
            offset = opening - grasp
        down = DESCENT if inside or horizontal_error < ALIGNED else 0.0
        return Intent(sim.target_pos_w + np.array([offset[0], offset[1], -down]), 0.0, turned)

    def _turned(self, sim: Simulation) -> Array:
        """Return the target orientation of the TCP (4, w x y z, world frame) at which the sides of peg and hole are
        parallel.
        """
        angle = yaw(sim, SOCKET.name) - yaw(sim, PEG.name)
        angle -= round(angle / (math.pi / 2)) * (math.pi / 2)  # a square fits in four ways
        return turned(sim.target_quat_w, angle)
