"""The SO-101's gripper: a fixed jaw, and one that a servo turns about a hinge.

Its frame is that of the arm's last link, whose -z axis points along the jaws and whose x axis points from the
fixed jaw to the other one. `gym_hil.robots.so101_arm` names the sources of the numbers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gym_hil.robots import collision
from gym_hil.robots.base import Hand
from gym_hil.robots.geometry import Camera, Vec3
from gym_hil.robots.links import add_shapes, new_spec
from gym_hil.robots.shapes import Role, Shape, add_shape
from gym_hil.robots.so101_arm import (
    BLACK,
    HORN,
    PRINTED,
    SERVO_STIFFNESS,
    SERVO_TORQUE,
    SERVO_VELOCITY_GAIN,
    add_servo_joint,
)

if TYPE_CHECKING:
    import mujoco

TCP: Vec3 = (0.012, -0.000218, -0.098127)
"""Position of the TCP in the frame of the gripper (m)."""
HINGE: Vec3 = (0.0202, 0.0188, -0.0234)
"""Origin of the moving jaw's frame (m). Its z axis, about which the jaw turns, is the -y axis of the gripper."""
JAW_RANGE = (-0.17453, 1.74533)  # rad
FIXED_FACE_X = -0.0081
"""Position of the fixed jaw's inner face along x (m)."""
TIP: Vec3 = (-0.012, -0.078, 0.0192)
"""Position of the moving jaw's tip in the frame of the jaw (m)."""
OPEN = 0.5
"""Angle of the open jaw (rad). Joint-position actions can open it further."""
MOUNT_MASS = 0.012  # kg, of the camera's mount

JAW = Role(
    group=collision.HIDDEN,
    contype=collision.ROBOT,
    conaffinity=collision.WORLD,
    friction=(1.0, 0.02, 0.0001),
    priority=1,
    condim=4,
)
FIXED_JAW = Shape.box((0.003, 0.0105, 0.022), (FIXED_FACE_X - 0.003, 0, -0.081), PRINTED)
MOVING_JAW = Shape.box((0.003, 0.024, 0.0105), (TIP[0] + 0.003, -0.056, TIP[2]), PRINTED)
HAND_SHAPES = (
    FIXED_JAW,
    Shape.box((0.004, 0.0135, 0.012), (-0.0125, 0, -0.055), PRINTED),
    Shape.box((0.012, 0.003, 0.012), (0.0, 0.05, -0.036), PRINTED),
    Shape.box((0.004, 0.016, 0.003), (0.0, 0.034, -0.012), PRINTED),
    Shape.box((0.009, 0.004, 0.009), (0.0, 0.056, -0.042), BLACK),
)
JAW_SHAPES = (
    MOVING_JAW,
    Shape.cylinder(0.011, (0, 0, -0.003), (0, 0, 0.001), HORN),
    Shape.box((0.01, 0.019, 0.0022), (-0.003, -0.014, 0.0), PRINTED),
    Shape.box((0.01, 0.019, 0.0022), (-0.003, -0.014, 0.0385), PRINTED),
    Shape.box((0.008, 0.006, 0.0195), (-0.004, -0.033, 0.0192), PRINTED),
)

WRIST_CAMERA = Camera("wrist", (0.0, 0.055, -0.045), (0.0, 0.0, 0.3746, 0.9272), 48.5)
"""Camera on a printed mount behind the gripper, tilted towards the jaws."""


def aperture(position: float) -> float:
    """Return the width between the jaws at the moving jaw's tip (m) for its joint `position` (rad)."""
    tip_x = HINGE[0] + TIP[0] * math.cos(position) - TIP[1] * math.sin(position)
    return max(0.0, tip_x - FIXED_FACE_X)


def build() -> mujoco.MjSpec:
    """Return a spec of the jaws, their actuator, and the site ``tcp``."""
    import mujoco

    spec = new_spec("so101_gripper")
    hand = spec.worldbody.add_body(
        name="fixed_jaw",
        mass=MOUNT_MASS,
        ipos=(0.0, 0.05, -0.03),
        inertia=(3e-6, 3e-6, 3e-6),
        explicitinertial=True,
        gravcomp=1,
    )
    add_shapes(hand, HAND_SHAPES)
    add_shape(hand, FIXED_JAW, JAW, name="fixed_jaw")
    hand.add_site(name="tcp", pos=TCP, group=4)
    jaw = hand.add_body(
        name="moving_jaw",
        pos=HINGE,
        quat=(1, 1, 0, 0),
        mass=0.012,
        ipos=(-0.00158, -0.03002, 0.01928),
        inertia=(6.636e-6, 5.291e-6, 1.865e-6),
        explicitinertial=True,
        gravcomp=1,
    )
    add_servo_joint(jaw, "gripper", JAW_RANGE)
    add_shapes(jaw, JAW_SHAPES)
    add_shape(jaw, MOVING_JAW, JAW, name="moving_jaw")
    servo = spec.add_actuator(
        name="gripper",
        trntype=mujoco.mjtTrn.mjTRN_JOINT,
        target="gripper",
        ctrlrange=JAW_RANGE,
        forcerange=(-SERVO_TORQUE, SERVO_TORQUE),
    )
    servo.set_to_position(kp=SERVO_STIFFNESS, kv=SERVO_VELOCITY_GAIN)
    return spec


SO101_GRIPPER = Hand(
    build=build,
    tcp_site="tcp",
    finger_joints=("gripper",),
    finger_range=JAW_RANGE,
    actuator="gripper",
    open_position=OPEN,
    closed_position=JAW_RANGE[0],
    fixed_jaw=TCP[0] - FIXED_FACE_X,
    aperture_at=aperture,
    finger_geoms=("fixed_jaw", "moving_jaw"),
    max_aperture=aperture(OPEN),
    cameras=(WRIST_CAMERA,),
)
