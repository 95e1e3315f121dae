"""The Franka Emika Panda arm, modelled from published data with primitive shapes.

Sources: kinematics, masses, joint ranges and torque limits from Franka Emika's documentation of the Panda;
inertias and gains of the joint servos from MuJoCo Menagerie's `franka_emika_panda`. The shapes are original,
and follow the outline of the real links.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gym_hil.robots.base import Arm, JointServo
from gym_hil.robots.geometry import Quat, Vec3
from gym_hil.robots.links import Link, add_link, add_shapes, new_spec
from gym_hil.robots.shapes import Shape

if TYPE_CHECKING:
    import mujoco

JOINT_ARMATURE = 0.1  # kg m^2
JOINT_DAMPING = 1.0  # N m s/rad

LINKS = (
    Link("link0", (0, 0, 0), (1, 0, 0, 0), 0.629769, (-0.041018, -0.00014, 0.049974),
         (0.00315, 0.00388, 0.004285, 8.2904e-7, 0.00015, 8.2299e-6)),
    Link("link1", (0, 0, 0.333), (1, 0, 0, 0), 4.970684, (0.003875, 0.002081, -0.04762),
         (0.70337, 0.70661, 0.009117, -0.000139, 0.006772, 0.019169), "joint1", (-2.8973, 2.8973)),
    Link("link2", (0, 0, 0), (1, -1, 0, 0), 0.646926, (-0.003141, -0.02872, 0.003495),
         (0.007962, 0.02811, 0.025995, -0.003925, 0.010254, 0.000704), "joint2", (-1.7628, 1.7628)),
    Link("link3", (0, -0.316, 0), (1, 1, 0, 0), 3.228604, (0.027518, 0.039252, -0.066502),
         (0.037242, 0.036155, 0.01083, -0.004761, -0.011396, -0.012805), "joint3", (-2.8973, 2.8973)),
    Link("link4", (0.0825, 0, 0), (1, 1, 0, 0), 3.587895, (-0.05317, 0.104419, 0.027454),
         (0.025853, 0.019552, 0.028323, 0.007796, -0.001332, 0.008641), "joint4", (-3.0718, -0.0698)),
    Link("link5", (-0.0825, 0.384, 0), (1, -1, 0, 0), 1.225946, (-0.011953, 0.041065, -0.038437),
         (0.035549, 0.029474, 0.008627, -0.002117, -0.004037, 0.000229), "joint5", (-2.8973, 2.8973)),
    Link("link6", (0, 0, 0), (1, 1, 0, 0), 1.666555, (0.060149, -0.014117, -0.010517),
         (0.001964, 0.004354, 0.005433, 0.000109, -0.001158, 0.000341), "joint6", (-0.0175, 3.7525)),
    Link("link7", (0.088, 0, 0), (1, 1, 0, 0), 0.735522, (0.010517, -0.004252, 0.061597),
         (0.012516, 0.010027, 0.004815, -0.000428, -0.001196, -0.000741), "joint7", (-2.8973, 2.8973)),
)  # fmt: skip

WHITE = (0.93, 0.94, 0.95, 1.0)
GREY = (0.62, 0.64, 0.67, 1.0)
DARK = (0.13, 0.14, 0.16, 1.0)

FLANGE_POS: Vec3 = (0, 0, 0.107)
FLANGE_QUAT: Quat = (0.9238795, 0, 0, -0.3826834)
"""Orientation of the hand on the flange, a rotation by -45 degrees about z."""

SHAPES: dict[str, tuple[Shape, ...]] = {
    "link0": (
        Shape.cylinder(0.075, (0, 0, 0.0), (0, 0, 0.06), WHITE),
        Shape.ellipsoid((0.115, 0.075, 0.05), (-0.06, 0, 0.05), WHITE),
        Shape.cylinder(0.07, (0, 0, 0.06), (0, 0, 0.128), WHITE),
        Shape.cylinder(0.0715, (0, 0, 0.128), (0, 0, 0.142), DARK),
    ),
    "link1": (
        Shape.capsule(0.062, (0, 0, -0.16), (0, 0, -0.03), WHITE),
        Shape.capsule(0.062, (0, -0.05, 0), (0, 0.045, 0), WHITE),
        Shape.cylinder(0.052, (0, 0.06, 0), (0, 0.112, 0), DARK),
        Shape.cylinder(0.052, (0, -0.112, 0), (0, -0.06, 0), DARK),
    ),
    "link2": (
        Shape.capsule(0.06, (0, -0.02, 0), (0, -0.125, 0), WHITE),
        Shape.cylinder(0.0605, (0, 0, -0.058), (0, 0, 0.058), WHITE),
        Shape.cylinder(0.0615, (0, -0.19, 0), (0, -0.176, 0), DARK),
        Shape.cylinder(0.06, (0, -0.176, 0), (0, -0.12, 0), WHITE),
    ),
    "link3": (
        Shape.capsule(0.06, (0, 0, -0.13), (0, 0, -0.06), WHITE),
        Shape.capsule(0.056, (0.0825, -0.035, 0), (0.0825, 0.035, 0), WHITE),
        Shape.capsule(0.055, (0.02, 0, -0.055), (0.075, 0, -0.01), WHITE),
        Shape.cylinder(0.046, (0.0825, 0.05, 0), (0.0825, 0.1, 0), DARK),
        Shape.cylinder(0.046, (0.0825, -0.1, 0), (0.0825, -0.05, 0), DARK),
    ),
    "link4": (
        Shape.cylinder(0.057, (0, 0, -0.05), (0, 0, 0.05), WHITE),
        Shape.capsule(0.055, (-0.01, 0.012, 0), (-0.0825, 0.07, 0), WHITE),
        Shape.capsule(0.055, (-0.0825, 0.07, 0), (-0.0825, 0.105, 0), WHITE),
        Shape.cylinder(0.0565, (-0.0825, 0.118, 0), (-0.0825, 0.132, 0), DARK),
    ),
    "link5": (
        Shape.cylinder(0.055, (0, 0, -0.252), (0, 0, -0.2), WHITE),
        Shape.capsule(0.05, (0, 0, -0.21), (0, 0.03, -0.12), WHITE),
        Shape.capsule(0.045, (0, 0.045, -0.14), (0, 0.06, -0.03), WHITE),
        Shape.capsule(0.05, (0, 0.02, 0), (0, 0.065, 0), WHITE),
        Shape.cylinder(0.044, (0, -0.058, 0), (0, -0.02, 0), DARK),
    ),
    "link6": (
        Shape.capsule(0.05, (0, 0, -0.03), (0, 0, 0.025), WHITE),
        Shape.capsule(0.046, (0.03, 0, 0), (0.088, 0, 0), WHITE),
        Shape.cylinder(0.048, (0.088, -0.045, 0), (0.088, 0.045, 0), WHITE),
        Shape.cylinder(0.0485, (0.088, 0.045, 0), (0.088, 0.056, 0), DARK),
    ),
    "link7": (
        Shape.cylinder(0.046, (0, 0, 0.045), (0, 0, 0.09), WHITE),
        Shape.cylinder(0.047, (0, 0, 0.09), (0, 0, 0.1), DARK),
        Shape.cylinder(0.0425, (0, 0, 0.1), (0, 0, 0.107), GREY),
    ),
}
"""Visible shapes of each link, in its frame."""

COLLIDERS: dict[str, tuple[Shape, ...]] = {
    "link4": (Shape.capsule(0.07, (-0.06, 0.02, 0), (-0.0825, 0.105, 0), WHITE),),
    "link5": (Shape.capsule(0.065, (0, 0.01, -0.22), (0, 0.05, -0.04), WHITE),),
    "link6": (Shape.capsule(0.06, (0.02, 0, 0), (0.088, 0, 0.01), WHITE),),
}
"""Collision shapes of the links that reach the workspace."""


def build() -> mujoco.MjSpec:
    """Return a spec of the arm, with a site ``flange`` for a hand."""
    import mujoco

    spec = new_spec("panda")
    body = spec.worldbody
    for link in LINKS:
        body = add_link(body, link)
        if link.joint:
            body.add_joint(
                name=link.joint,
                type=mujoco.mjtJoint.mjJNT_HINGE,
                axis=(0, 0, 1),
                range=link.joint_range,
                armature=JOINT_ARMATURE,
                damping=JOINT_DAMPING,
            )
        add_shapes(body, SHAPES[link.name], COLLIDERS.get(link.name, ()))
    body.add_site(name="flange", pos=FLANGE_POS, quat=FLANGE_QUAT)
    return spec


PANDA_ARM = Arm(
    build=build,
    joints=tuple(link.joint for link in LINKS if link.joint),
    joint_ranges=tuple(link.joint_range for link in LINKS if link.joint),
    flange_site="flange",
    homes={
        "above_table": (0, 0.195, 0, -2.43, 0, 2.62, 0.785),
        "upright": (0, -0.785, 0, -2.35, 0, 1.57, math.pi / 4),
    },
    torque_limits=(87, 87, 87, 87, 12, 12, 12),
    servo=JointServo(
        stiffness=(4500, 4500, 3500, 3500, 2000, 2000, 2000),
        damping=(450, 450, 350, 350, 200, 200, 200),
        gravity_compensation=True,
    ),
)
