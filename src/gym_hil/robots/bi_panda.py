"""Two Pandas with Franka Hands next to each other: a robot with two end effectors."""

from __future__ import annotations

from dataclasses import replace

from gym_hil.robots.base import Robot
from gym_hil.robots.geometry import Area, Box, Camera, Workspace
from gym_hil.robots.panda import PANDA

APART = 0.7
"""Distance between the two bases (m)."""

BI_PANDA = Robot(
    name="bi_panda",
    id_prefix="BiPanda",
    end_effectors=tuple(
        replace(PANDA.end_effectors[0], name=name, base_pos=(0.0, y, 0.0))
        for name, y in (("left", APART / 2), ("right", -APART / 2))
    ),
    workspace=Workspace(
        tcp=Box((0.2, -0.65, 0.0), (0.6, 0.65, 0.5)),
        table=Area((0.3, -0.15), (0.5, 0.15)),
        wide_tcp=Box((0.2, -0.85, 0.0), (0.6, 0.85, 0.5)),
        wide_table=Area((0.3, -0.5), (0.5, 0.5)),
    ),
    cameras=(
        PANDA.cameras[0],
        Camera("third_person", (1.9, -1.15, 0.95), (0.7183, 0.514, 0.2728, 0.3813), 40.0),
    ),
)
