"""Two SO-101 followers that face each other: a robot with two end effectors."""

from __future__ import annotations

import math
from dataclasses import replace

from gym_hil.robots.base import EndEffector, Robot
from gym_hil.robots.geometry import Area, Box, Camera, Workspace
from gym_hil.robots.so101 import SO101

X = 0.2
"""x of both bases (m)."""
BASE_Y = 0.3888
"""Distance of the bases from the middle (m). The first joint's axis is 39 mm in front of the base."""
MEETING = (X, 0.05, 0.18)
"""Position at which the arms hand an object over (m, world frame)."""
OVERLAP = 0.04
"""Distance beyond the meeting place that each TCP can reach (m)."""
GIVING = (0.04, -0.2252, -0.0529, 1.1781, 1.62)
"""Joint positions (rad) with the jaws 0.9 rad below the horizontal; they open sideways."""
TAKING = (0.035, -0.2222, 0.3031, 0.2191, 1.62)
"""Joint positions (rad) with the jaws 0.3 rad below the horizontal."""
WIDE = Box((0.05, -0.25, 0.0), (0.35, 0.25, 0.3))


def arm(name: str, side: int, hand_over: tuple[float, ...], reach: Box) -> EndEffector:
    """Return an SO-101 at the left (`side` 1) or right (-1), facing the other one."""
    so101, half = SO101.end_effectors[0], math.radians(45)
    homes = {**so101.arm.homes, "hand_over": hand_over}
    return replace(
        so101,
        arm=replace(so101.arm, homes=homes),
        name=name,
        base_pos=(X, side * BASE_Y, 0.0),
        base_quat=(math.cos(half), 0.0, 0.0, -side * math.sin(half)),
        reach=reach,
    )


BI_SO101 = Robot(
    name="bi_so101",
    id_prefix="BiSO101",
    end_effectors=(
        arm("left", 1, GIVING, WIDE.beyond(1, MEETING[1] - OVERLAP)),
        arm("right", -1, TAKING, WIDE.up_to(1, MEETING[1] + OVERLAP)),
    ),
    workspace=Workspace(
        tcp=WIDE,
        table=Area((0.12, -0.04), (0.28, 0.04)),
        wide_tcp=WIDE,
        wide_table=Area((0.13, -0.06), (0.27, 0.15)),
        object_width=0.03,
        lift=0.06,
        meeting=MEETING,
    ),
    cameras=(
        Camera("front", (0.85, 0.0, 0.4), (0.5956, 0.3811, 0.3811, 0.5956), 50.0),
        Camera("third_person", (1.05, -0.42, 0.52), (0.714, 0.4602, 0.2859, 0.4436), 42.0),
    ),
)
