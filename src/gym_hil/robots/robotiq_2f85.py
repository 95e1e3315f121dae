"""The Robotiq 2F-85 with two fingers on parallel linkages, from Robotiq's data sheet.

Mass .777 kg with the centre of mass .0355 m above the base, stroke 85 mm, driver joint 0 to .8 rad, about 5 N m at the
drivers, pinch point .145 m from the base, pads 22 x 8 x 37 mm. Each finger is one link, whose pad is kept upright by a
second, coupled joint like the real parallelogram. The length of the link follows from stroke and angle.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gym_hil.robots import collision
from gym_hil.robots.base import Hand
from gym_hil.robots.geometry import Camera
from gym_hil.robots.links import add_shapes, new_spec
from gym_hil.robots.shapes import COLLISION, Role, Shape, add_shape

if TYPE_CHECKING:
    import mujoco

BASE_MASS = 0.777441  # kg
BASE_COM = (0.0, 0.0, 0.0355)
BASE_INERTIA = (0.0007, 0.0006, 0.0004)  # kg m^2, of a cylinder of .037 m radius and .09 m height
LINK_MASS, PAD_MASS = 0.02, 0.02  # kg
STROKE = 0.085  # m between the pads when open
DRIVER_RANGE = 0.8  # rad
PINCH_Z = 0.145  # m from the base
PAD_HALF_SIZE = (0.011, 0.004, 0.0185)
DRIVER_TORQUE = 5.0  # N m, of both drivers together
DRIVER_STIFFNESS = 60.0  # N m/rad
DRIVER_DAMPING = 3.0  # N m s/rad: an empty hand closes in about 0.2 s
DRIVER_ARMATURE = 0.02  # kg m^2, inertia of the drive train at a driver

TILT = DRIVER_RANGE / 2
"""Tilt of a link outwards when open, and inwards when closed (rad)."""
LINK = STROKE / 4 / math.sin(TILT)
"""Length of a link (m), with which it moves its pad by half of the stroke."""
HINGE_Y = STROKE / 4
PAD_Z = 0.0375
"""Distance from the end of a link to the centre of its pad (m)."""
HINGE_Z = PINCH_Z - PAD_Z - LINK * math.cos(TILT)

BLACK = (0.12, 0.12, 0.13, 1.0)
STEEL = (0.55, 0.57, 0.60, 1.0)
RUBBER = (0.22, 0.22, 0.24, 1.0)

WRIST_CAMERA = Camera("wrist", (-0.065, 0.0, 0.01), (-0.0882, -0.7016, 0.7016, 0.0882), 60.0)
"""Camera tilted by .25 rad towards the TCP, so that it shows the fingers and the object between them."""

PAD = Role(
    group=collision.HIDDEN,
    contype=collision.ROBOT,
    conaffinity=collision.WORLD,
    friction=(0.7, 0.02, 0.0001),
    priority=1,
    condim=4,
)

BODY = (
    Shape.cylinder(0.0375, (0, 0, 0), (0, 0, 0.012), STEEL),
    Shape.cylinder(0.036, (0, 0, 0.012), (0, 0, 0.045), BLACK),
    Shape.box((0.03, 0.034, 0.012), (0, 0, 0.052), BLACK),
)
# In the frame of a link, z points to the pad. In that of a pad, y points away from the other pad, and the face of
# the pad itself is at y = 0.
LINK_SHAPES = (
    Shape.box((0.0125, 0.006, LINK / 2), (0, 0.014, LINK / 2), BLACK),
    Shape.cylinder(0.009, (-0.014, 0.014, 0), (0.014, 0.014, 0), STEEL),
    Shape.cylinder(0.008, (-0.014, 0.014, LINK), (0.014, 0.014, LINK), STEEL),
)
PAD_SHAPE = Shape.box(PAD_HALF_SIZE, (0, PAD_HALF_SIZE[1], PAD_Z), RUBBER)
TIP_SHAPES = (
    PAD_SHAPE,
    Shape.box((0.0115, 0.004, 0.028), (0, 0.012, 0.028), STEEL),
)
KNUCKLE = Shape.box((0.0115, 0.004, 0.022), (0, 0.012, 0.028), BLACK)


def build() -> mujoco.MjSpec:
    """Return a spec of the hand: base, two links with pads, their actuator, and the site ``tcp``."""
    import mujoco

    spec = new_spec("robotiq_2f85")
    hand = spec.worldbody.add_body(
        name="hand", mass=BASE_MASS, ipos=BASE_COM, inertia=BASE_INERTIA, explicitinertial=True, gravcomp=1
    )
    add_shapes(hand, BODY)
    add_shape(hand, Shape.cylinder(0.037, (0, 0, 0), (0, 0, 0.06), BLACK), COLLISION)
    hand.add_site(name="tcp", pos=(0, 0, PINCH_Z), group=4)
    for side, turn in (("left", (1, 0, 0, 0)), ("right", (0, 0, 0, 1))):
        _add_finger(spec, hand.add_body(name=f"{side}_side", quat=turn), side)
    tendon = spec.add_tendon(name="drivers")
    tendon.wrap_joint("left_driver", 0.5)
    tendon.wrap_joint("right_driver", 0.5)
    _couple(spec, "left_driver", "right_driver")
    servo = spec.add_actuator(
        name="drivers",
        trntype=mujoco.mjtTrn.mjTRN_TENDON,
        target="drivers",
        ctrlrange=(0, DRIVER_RANGE),
        forcerange=(-DRIVER_TORQUE, DRIVER_TORQUE),
    )
    servo.set_to_position(kp=DRIVER_STIFFNESS, kv=DRIVER_DAMPING)
    return spec


def _add_finger(spec: mujoco.MjSpec, side_body: mujoco.MjsBody, side: str) -> None:
    half = TILT / 2
    link = side_body.add_body(
        name=f"{side}_link",
        pos=(0, HINGE_Y, HINGE_Z),
        quat=(math.cos(half), -math.sin(half), 0, 0),
        mass=LINK_MASS,
        ipos=(0, 0.014, LINK / 2),
        inertia=(7e-6, 7e-6, 2e-6),
        explicitinertial=True,
        gravcomp=1,
    )
    _add_hinge(link, f"{side}_driver", (1, 0, 0), armature=DRIVER_ARMATURE)
    pad = link.add_body(
        name=f"{side}_pad",
        pos=(0, 0, LINK),
        quat=(math.cos(half), math.sin(half), 0, 0),
        mass=PAD_MASS,
        ipos=(0, 0.008, 0.03),
        inertia=(6e-6, 6e-6, 2e-6),
        explicitinertial=True,
        gravcomp=1,
    )
    _add_hinge(pad, f"{side}_follower", (-1, 0, 0), armature=0.002)
    _couple(spec, f"{side}_follower", f"{side}_driver")
    add_shapes(link, LINK_SHAPES)
    add_shapes(pad, TIP_SHAPES)
    add_shape(pad, PAD_SHAPE, PAD, name=f"{side}_pad")
    add_shape(pad, KNUCKLE, COLLISION)


def _add_hinge(body: mujoco.MjsBody, name: str, axis: tuple[int, int, int], armature: float) -> None:
    import mujoco

    body.add_joint(
        name=name,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=axis,
        range=(0, DRIVER_RANGE),
        armature=armature,
        damping=0.05,
    )


def _couple(spec: mujoco.MjSpec, follower: str, leader: str) -> None:
    import mujoco

    coupling = spec.add_equality(
        name=f"{follower}_follows",
        type=mujoco.mjtEq.mjEQ_JOINT,
        objtype=mujoco.mjtObj.mjOBJ_JOINT,
        name1=follower,
        name2=leader,
        solref=(0.005, 1),
    )
    coupling.data[:2] = (0, 1)


ROBOTIQ_2F85 = Hand(
    build=build,
    tcp_site="tcp",
    finger_joints=("left_driver", "right_driver", "left_follower", "right_follower"),
    finger_range=(0.0, DRIVER_RANGE),
    actuator="drivers",
    open_position=0.0,
    closed_position=DRIVER_RANGE,
    finger_geoms=("left_pad", "right_pad"),
    max_aperture=STROKE,
    cameras=(WRIST_CAMERA,),
)
