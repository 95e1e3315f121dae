"""Two Pandas with Franka Hands next to each other: a robot with two end effectors."""

from __future__ import annotations

from dataclasses import replace

from gym_hil.robots.base import EndEffector, Robot
from gym_hil.robots.geometry import Area, Box, Camera, Workspace
from gym_hil.robots.panda import PANDA

APART = 0.7
"""Distance between the two bases (m)."""
MEETING = (0.45, 0.0, 0.3)
"""Position at which the arms hand an object over (m, world frame)."""
OVERLAP = 0.06
"""Distance beyond the meeting place that each TCP can reach (m)."""
GIVING = (-0.0656, -0.1144, -0.0542, -2.6405, -0.0107, 2.5262, -0.8961)
"""Joint positions (rad) with the fingers down; they open along x."""
TAKING = (0.051, 0.1, 0.0485, -2.4301, 1.6494, 1.6316, 1.3944)
"""Joint positions (rad) with horizontal fingers that point to the other arm; they open along x."""
WIDE = Box((0.2, -0.85, 0.0), (0.6, 0.85, 0.5))


def arm(name: str, y: float, hand_over: tuple[float, ...], reach: Box) -> EndEffector:
    """Return a Panda at `y` (m) whose joint positions for handing over are `hand_over` (rad)."""
    panda = PANDA.end_effectors[0]
    homes = {**panda.arm.homes, "hand_over": hand_over}
    return replace(panda, arm=replace(panda.arm, homes=homes), name=name, base_pos=(0.0, y, 0.0), reach=reach)


BI_PANDA = Robot(
    name="bi_panda",
    id_prefix="BiPanda",
    end_effectors=(
        arm("left", APART / 2, GIVING, WIDE.beyond(1, MEETING[1] - OVERLAP)),
        arm("right", -APART / 2, TAKING, WIDE.up_to(1, MEETING[1] + OVERLAP)),
    ),
    workspace=Workspace(
        tcp=Box((0.2, -0.65, 0.0), (0.6, 0.65, 0.5)),
        table=Area((0.3, -0.15), (0.5, 0.15)),
        wide_tcp=WIDE,
        wide_table=Area((0.35, -0.35), (0.5, 0.45)),
        meeting=MEETING,
    ),
    cameras=(
        Camera("front", (1.5, 0.0, 0.85), (0.6107, 0.3564, 0.3564, 0.6107), 50.0),
        Camera("third_person", (1.75, -0.85, 1.05), (0.7336, 0.4633, 0.2654, 0.4203), 42.0),
    ),
)
