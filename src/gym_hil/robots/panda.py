"""The Franka Emika Panda arm, from published figures, built of primitive shapes.

Kinematics, masses, joint ranges and torque limits: Franka Emika's documentation of the Panda; inertias:
the identification used by MuJoCo Menagerie's `franka_emika_panda`. Shapes are ours: they follow the outline
of the real links, white with dark joints.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco

from gym_hil.robots.base import Arm

Vec3 = tuple[float, float, float]
Quat = tuple[float, float, float, float]

JOINT_ARMATURE = 0.1  # kg m^2
JOINT_DAMPING = 1.0  # N m s/rad


@dataclass(frozen=True)
class Link:
    """One link: its frame in the parent link, its inertia in its own frame, its joint's range (rad)."""

    name: str
    pos: Vec3
    quat: Quat
    mass: float
    com: Vec3
    inertia: tuple[float, float, float, float, float, float]  # xx yy zz xy xz yz, kg m^2
    joint_range: tuple[float, float] | None


LINKS = (
    Link("link0", (0, 0, 0), (1, 0, 0, 0), 0.629769, (-0.041018, -0.00014, 0.049974),
         (0.00315, 0.00388, 0.004285, 8.2904e-7, 0.00015, 8.2299e-6), None),
    Link("link1", (0, 0, 0.333), (1, 0, 0, 0), 4.970684, (0.003875, 0.002081, -0.04762),
         (0.70337, 0.70661, 0.009117, -0.000139, 0.006772, 0.019169), (-2.8973, 2.8973)),
    Link("link2", (0, 0, 0), (1, -1, 0, 0), 0.646926, (-0.003141, -0.02872, 0.003495),
         (0.007962, 0.02811, 0.025995, -0.003925, 0.010254, 0.000704), (-1.7628, 1.7628)),
    Link("link3", (0, -0.316, 0), (1, 1, 0, 0), 3.228604, (0.027518, 0.039252, -0.066502),
         (0.037242, 0.036155, 0.01083, -0.004761, -0.011396, -0.012805), (-2.8973, 2.8973)),
    Link("link4", (0.0825, 0, 0), (1, 1, 0, 0), 3.587895, (-0.05317, 0.104419, 0.027454),
         (0.025853, 0.019552, 0.028323, 0.007796, -0.001332, 0.008641), (-3.0718, -0.0698)),
    Link("link5", (-0.0825, 0.384, 0), (1, -1, 0, 0), 1.225946, (-0.011953, 0.041065, -0.038437),
         (0.035549, 0.029474, 0.008627, -0.002117, -0.004037, 0.000229), (-2.8973, 2.8973)),
    Link("link6", (0, 0, 0), (1, 1, 0, 0), 1.666555, (0.060149, -0.014117, -0.010517),
         (0.001964, 0.004354, 0.005433, 0.000109, -0.001158, 0.000341), (-0.0175, 3.7525)),
    Link("link7", (0.088, 0, 0), (1, 1, 0, 0), 0.735522, (0.010517, -0.004252, 0.061597),
         (0.012516, 0.010027, 0.004815, -0.000428, -0.001196, -0.000741), (-2.8973, 2.8973)),
)  # fmt: skip

FLANGE_POS: Vec3 = (0, 0, 0.107)
HAND_YAW = -math.pi / 4
