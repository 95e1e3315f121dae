"""The Franka Hand with two opposed sliding fingers, from Franka Emika's data sheet.

Mass .73 kg, finger mass .015 kg, stroke 0 to .04 m per finger, TCP .1034 m from the flange, 70 N grasp force.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gym_hil.robots import collision
from gym_hil.robots.base import Hand
from gym_hil.robots.geometry import Camera
from gym_hil.robots.links import add_shapes, new_spec
from gym_hil.robots.shapes import COLLISION, VISUAL, Role, Shape, add_shape

if TYPE_CHECKING:
    import mujoco

HAND_MASS = 0.73  # kg
HAND_COM = (0.0, 0.0, 0.03)
HAND_INERTIA = (0.0025, 0.0017, 0.001)  # kg m^2, of a box .2 x .06 x .066 m of that mass
FINGER_MASS = 0.015  # kg
FINGER_STROKE = 0.04  # m per finger
FINGER_Z = 0.0584  # m from flange to the finger's frame
TCP_Z = 0.1034  # m from flange
GRASP_FORCE = 70.0  # N
FINGER_STIFFNESS = 4000.0  # N/m of the tendon, which moves by the mean of both fingers
FINGER_DAMPING = 200.0  # N s/m: an empty hand closes in about 0.2 s
FINGER_ARMATURE = 0.2  # kg, inertia of the drive train at a finger

WHITE = (0.93, 0.94, 0.95, 1.0)
DARK = (0.13, 0.14, 0.16, 1.0)
PAD_GREY = (0.36, 0.38, 0.41, 1.0)

WRIST_CAMERA = Camera("wrist", (-0.065, 0.0, 0.01), (-0.0882, -0.7016, 0.7016, 0.0882), 60.0)
"""Camera tilted by .25 rad towards the TCP, so that it shows the fingers and the object between them."""

PAD = Role(
    group=collision.HIDDEN,
    contype=collision.ROBOT,
    conaffinity=collision.WORLD,
    friction=(1.0, 0.02, 0.0001),
    priority=1,
    condim=4,
)

BODY = (
    Shape.box((0.032, 0.1, 0.026), (0, 0, 0.032), WHITE),
    Shape.cylinder(0.032, (0, -0.1, 0.032), (0, -0.098, 0.032), WHITE),
    Shape.box((0.025, 0.085, 0.008), (0, 0, 0.06), DARK),
    Shape.cylinder(0.0425, (0, 0, 0), (0, 0, 0.014), DARK),
)

# In a finger's frame: y points away from the other finger, z along the hand; the pad's face is at y = 0.
FINGER = (
    Shape.box((0.0105, 0.0115, 0.009), (0, 0.0165, 0.014), DARK),
    Shape.box((0.0085, 0.0065, 0.016), (0, 0.0115, 0.031), DARK),
    Shape.box((0.0095, 0.0045, 0.0095), (0, 0.0045, 0.0445), PAD_GREY),
)
PAD_SHAPE = Shape.box((0.0095, 0.0045, 0.0095), (0, 0.0045, 0.0445), PAD_GREY)
KNUCKLE = Shape.box((0.01, 0.0115, 0.017), (0, 0.0165, 0.0165), DARK)


def build() -> mujoco.MjSpec:
    """Return a spec of the hand: body, two coupled fingers, their actuator, and the site ``tcp``."""
    import mujoco

    spec = new_spec("franka_hand")
    hand = spec.worldbody.add_body(
        name="hand",
        mass=HAND_MASS,
        ipos=HAND_COM,
        inertia=HAND_INERTIA,
        explicitinertial=True,
        gravcomp=1,
    )
    add_shapes(hand, BODY)
    add_shape(hand, Shape.box((0.032, 0.1, 0.034), (0, 0, 0.034), WHITE), COLLISION)
    hand.add_site(name="tcp", pos=(0, 0, TCP_Z), group=4)
    for side, quat in (("left", (1, 0, 0, 0)), ("right", (0, 0, 0, 1))):
        finger = hand.add_body(
            name=f"{side}_finger",
            pos=(0, 0, FINGER_Z),
            quat=quat,
            mass=FINGER_MASS,
            ipos=(0, 0.011, 0.028),
            inertia=(3e-6, 3e-6, 1e-6),
            explicitinertial=True,
            gravcomp=1,
        )
        finger.add_joint(
            name=f"{side}_finger_joint",
            type=mujoco.mjtJoint.mjJNT_SLIDE,
            axis=(0, 1, 0),
            range=(0, FINGER_STROKE),
            armature=FINGER_ARMATURE,
            damping=5.0,
        )
        for shape in FINGER:
            add_shape(finger, shape, VISUAL)
        add_shape(finger, PAD_SHAPE, PAD, name=f"{side}_pad")
        add_shape(finger, KNUCKLE, COLLISION)
    tendon = spec.add_tendon(name="fingers")
    tendon.wrap_joint("left_finger_joint", 0.5)
    tendon.wrap_joint("right_finger_joint", 0.5)
    coupling = spec.add_equality(
        name="fingers_move_together",
        type=mujoco.mjtEq.mjEQ_JOINT,
        objtype=mujoco.mjtObj.mjOBJ_JOINT,
        name1="left_finger_joint",
        name2="right_finger_joint",
        solref=(0.005, 1),
    )
    coupling.data[:2] = (0, 1)
    servo = spec.add_actuator(
        name="fingers",
        trntype=mujoco.mjtTrn.mjTRN_TENDON,
        target="fingers",
        ctrlrange=(0, FINGER_STROKE),
        forcerange=(-2 * GRASP_FORCE, 2 * GRASP_FORCE),
    )
    servo.set_to_position(kp=FINGER_STIFFNESS, kv=FINGER_DAMPING)
    return spec


FRANKA_HAND = Hand(
    build=build,
    tcp_site="tcp",
    finger_joints=("left_finger_joint", "right_finger_joint"),
    finger_range=(0.0, FINGER_STROKE),
    actuator="fingers",
    open_position=FINGER_STROKE,
    closed_position=0.0,
    finger_geoms=("left_pad", "right_pad"),
    max_aperture=2 * FINGER_STROKE,
    cameras=(WRIST_CAMERA,),
)
