"""The SO-101 follower arm, modelled from published data with primitive shapes.

Sources: kinematics, masses, inertias and joint ranges from the published SO-101 description with the "new
calibration", as in MuJoCo Menagerie's `robotstudio_so101`; friction, inertia, stiffness and torque limit of
the servo, a Feetech STS3215 at 7.4 V, from the same description. The shapes are original, and follow the
outline of the printed parts and of the servos, boxes of about 45 x 25 x 35 mm.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from gym_hil.robots.base import Arm, JointServo
from gym_hil.robots.links import Link, add_link, add_shapes, new_spec
from gym_hil.robots.shapes import Shape

if TYPE_CHECKING:
    import mujoco

SERVO_TORQUE = 2.94  # N m
SERVO_STIFFNESS = 998.0  # N m/rad
SERVO_VELOCITY_GAIN = 2.73  # N m s/rad
SERVO_DAMPING = 0.6  # N m s/rad
SERVO_FRICTION = 0.052  # N m
SERVO_ARMATURE = 0.028  # kg m^2
BACKLASH = math.radians(0.5)
"""Backlash of a worn servo in each direction (rad)."""

BASE_MASS = 0.147  # kg
BASE_COM = (0.01372, -0.00005, 0.03348)
LINKS = (
    Link("shoulder", (0.0388353, 0, 0.0624), (0, 0, -1, 0), 0.100006, (-0.0307604, -0.000017, -0.0252713),
         (8.3759e-5, 8.10403e-5, 2.39783e-5, 7.55525e-8, -1.16342e-6, 1.54663e-7),
         "shoulder_pan", (-1.91986, 1.91986)),
    Link("upper_arm", (-0.0303992, -0.0182778, -0.0542), (1, -1, -1, -1), 0.103,
         (-0.089847, -0.008382, 0.018409),
         (4.08002e-5, 1.47318e-4, 1.42487e-4, -1.97819e-5, -4.03016e-8, 8.97326e-9),
         "shoulder_lift", (-1.74533, 1.74533)),
    Link("lower_arm", (-0.11257, -0.028, 0), (1, 0, 0, 1), 0.104, (-0.09807, 0.0032438, 0.018283),
         (2.87438e-5, 1.59844e-4, 1.4529e-4, 7.41152e-6, 1.26409e-6, -4.90188e-8),
         "elbow_flex", (-1.69, 1.69)),
    Link("wrist", (-0.1349, 0.0052, 0), (1, 0, 0, -1), 0.079, (-0.000103, -0.0386143, 0.0281156),
         (3.68263e-5, 2.5391e-5, 2.1e-5, 1.7893e-8, -5.28128e-8, 3.6412e-6),
         "wrist_flex", (-1.65806, 1.65806)),
    Link("gripper", (0, -0.0611, 0.0181), (0.0172091, -0.0172091, 0.706897, 0.706897), 0.087,
         (0.000214, 0.000245, -0.025187),
         (2.75087e-5, 4.33657e-5, 3.45059e-5, -3.35241e-7, -5.7352e-6, -5.17847e-8),
         "wrist_roll", (-2.74385, 2.84121)),
)  # fmt: skip

PRINTED = (1.0, 0.82, 0.12, 1.0)
BLACK = (0.1, 0.1, 0.11, 1.0)
HORN = (0.75, 0.76, 0.78, 1.0)

SHAPES: dict[str, tuple[Shape, ...]] = {
    "base": (
        Shape.box((0.048, 0.05, 0.005), (0.0, 0, 0.005), PRINTED),
        Shape.box((0.005, 0.04, 0.022), (-0.04, 0, 0.027), PRINTED),
        Shape.box((0.03, 0.005, 0.022), (0.02, 0.021, 0.03), PRINTED),
        Shape.box((0.03, 0.005, 0.022), (0.02, -0.021, 0.03), PRINTED),
        Shape.box((0.0226, 0.0124, 0.0175), (0.028, 0, 0.036), BLACK),
    ),
    "shoulder": (
        Shape.cylinder(0.013, (0, 0, 0.0), (0, 0, 0.008), HORN),
        Shape.box((0.028, 0.024, 0.004), (-0.016, 0, -0.004), PRINTED),
        Shape.box((0.022, 0.004, 0.024), (-0.034, 0.0215, -0.03), PRINTED),
        Shape.box((0.0124, 0.0175, 0.0226), (-0.0304, 0.0, -0.044), BLACK),
    ),
    "upper_arm": (
        Shape.cylinder(0.0105, (0, 0, -0.002), (0, 0, 0.038), HORN),
        Shape.box((0.044, 0.01, 0.0025), (-0.04, -0.002, -0.003), PRINTED),
        Shape.box((0.044, 0.01, 0.0025), (-0.04, -0.002, 0.0395), PRINTED),
        Shape.box((0.014, 0.014, 0.02), (-0.075, -0.004, 0.0183), PRINTED),
        Shape.box((0.0124, 0.0226, 0.0175), (-0.11257, -0.018, 0.0183), BLACK),
        Shape.box((0.0155, 0.012, 0.0205), (-0.105, 0.004, 0.0183), PRINTED),
    ),
    "lower_arm": (
        Shape.cylinder(0.0105, (0, 0, -0.002), (0, 0, 0.038), HORN),
        Shape.box((0.042, 0.01, 0.0025), (-0.034, 0.0, -0.003), PRINTED),
        Shape.box((0.042, 0.01, 0.0025), (-0.034, 0.0, 0.0395), PRINTED),
        Shape.box((0.018, 0.013, 0.02), (-0.085, 0.002, 0.0183), PRINTED),
        Shape.box((0.0226, 0.0124, 0.0175), (-0.125, 0.0052, 0.0183), BLACK),
    ),
    "wrist": (
        Shape.cylinder(0.0105, (0, 0, -0.002), (0, 0, 0.038), HORN),
        Shape.box((0.011, 0.014, 0.0025), (0, -0.012, -0.003), PRINTED),
        Shape.box((0.011, 0.014, 0.0025), (0, -0.012, 0.0395), PRINTED),
        Shape.box((0.017, 0.006, 0.0215), (0, -0.026, 0.0183), PRINTED),
        Shape.box((0.0124, 0.0175, 0.0226), (0, -0.042, 0.0235), BLACK),
    ),
    "gripper": (
        Shape.cylinder(0.0105, (0, 0, 0.004), (0, 0, -0.004), HORN),
        Shape.box((0.021, 0.02, 0.004), (0.004, 0, -0.008), PRINTED),
        Shape.box((0.0226, 0.0175, 0.0124), (0.018, 0.0, -0.0234), BLACK),
        Shape.box((0.004, 0.017, 0.026), (-0.014, 0, -0.035), PRINTED),
    ),
}
"""Visible shapes of each link, in its frame."""

COLLIDERS: dict[str, tuple[Shape, ...]] = {
    "wrist": (Shape.box((0.017, 0.03, 0.024), (0, -0.03, 0.0183), PRINTED),),
    "gripper": (Shape.box((0.029, 0.02, 0.016), (0.011, 0, -0.02), PRINTED),),
}
"""Collision shapes of the links that reach the table."""


def build(backlash: float = 0.0) -> mujoco.MjSpec:
    """Return a spec of the arm, with a site ``flange`` at the frame of its last link.

    Args:
        backlash: backlash of each servo in each direction (rad).
    """
    import mujoco

    spec = new_spec("so101")
    body = spec.worldbody.add_body(
        name="base", mass=BASE_MASS, ipos=BASE_COM, inertia=(1.2e-4, 1.2e-4, 1.2e-4), explicitinertial=True
    )
    add_shapes(body, SHAPES["base"])
    for link in LINKS:
        body = add_link(body, link)
        add_servo_joint(body, link.joint, link.joint_range)
        if backlash:
            body.add_joint(
                name=f"{link.joint}_backlash",
                type=mujoco.mjtJoint.mjJNT_HINGE,
                axis=(0, 0, 1),
                range=(-backlash, backlash),
                armature=1e-3,
                damping=0.02,
            )
        add_shapes(body, SHAPES[link.name], COLLIDERS.get(link.name, ()))
    body.add_site(name="flange", group=4)
    return spec


def add_servo_joint(body: mujoco.MjsBody, name: str, joint_range: tuple[float, float]) -> None:
    """Add the joint of a servo to `body`, about its z axis, with the servo's friction and inertia."""
    import mujoco

    body.add_joint(
        name=name,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=(0, 0, 1),
        range=joint_range,
        armature=SERVO_ARMATURE,
        damping=SERVO_DAMPING,
        frictionloss=SERVO_FRICTION,
    )


def so101_arm(backlash: float = 0.0) -> Arm:
    """Return the arm, with `backlash` (rad, each way) in every servo."""
    return Arm(
        build=functools.partial(build, backlash),
        joints=tuple(link.joint for link in LINKS),
        joint_ranges=tuple(link.joint_range for link in LINKS),
        flange_site="flange",
        homes={
            "above_table": (0.069, -0.68, 0.5178, 1.3622, 1.6935),
            "upright": (0.09, -0.9919, 0.5935, 1.5983, 1.716),
        },
        torque_limits=(SERVO_TORQUE,) * 5,
        servo=JointServo(
            stiffness=(SERVO_STIFFNESS,) * 5,
            damping=(SERVO_VELOCITY_GAIN,) * 5,
            gravity_compensation=False,
        ),
    )
