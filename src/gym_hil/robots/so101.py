"""The SO-101 follower arm with its gripper.

Its five joints control the TCP's position and two rotations: the pitch in the plane of the arm, by shoulder,
elbow and wrist together, and the roll about the gripper's axis.
"""

from __future__ import annotations

from gym_hil.robots.base import EndEffector, Impedance, JointRotation, Robot
from gym_hil.robots.geometry import Area, Box, Camera, Workspace
from gym_hil.robots.so101_arm import BACKLASH, so101_arm
from gym_hil.robots.so101_gripper import SO101_GRIPPER

IMPEDANCE = Impedance(
    translation_stiffness=5000.0,
    translation_damping=120.0,
    force_limit=25.0,
    rotation_stiffness=50.0,
    rotation_damping=3.0,
    torque_limit=6.0,
    max_lead=0.03,
    max_rotation_lead=0.25,
)
"""The limits permit fast motion. Each servo is additionally limited to its own torque of 2.94 N m."""
WORKSPACE = Workspace(
    tcp=Box((0.1, -0.2, 0.0), (0.32, 0.2, 0.3)),
    table=Area((0.17, -0.1), (0.26, 0.1)),
    wide_tcp=Box((0.1, -0.25, 0.0), (0.32, 0.25, 0.3)),
    wide_table=Area((0.16, -0.16), (0.25, 0.16)),
    object_width=0.03,
    lift=0.06,
    ceiling=0.105,
    pushing=Area((0.21, -0.11), (0.25, 0.11)),
)
CAMERAS = (
    Camera("front", (0.52, 0.0, 0.29), (0.5963678, 0.3799282, 0.3799282, 0.5963678), 45.0),
    Camera("third_person", (0.56, -0.46, 0.33), (0.774, 0.5165, 0.2033, 0.3047), 36.0),
)
FRONT_VIEWS = {"wide_table": Camera("front", (0.78, 0.0, 0.42), CAMERAS[0].quat, 45.0)}
"""Views by purpose. The usual one ends at the far edge of the table, about 26 cm from the base."""


def so101(name: str, id_prefix: str, backlash: float = 0.0) -> Robot:
    """Return the arm with its gripper, and `backlash` (rad, each way) in every servo of the arm."""
    return Robot(
        name=name,
        id_prefix=id_prefix,
        end_effectors=(
            EndEffector(
                arm=so101_arm(backlash),
                hand=SO101_GRIPPER,
                impedance=IMPEDANCE,
                axes=("x", "y", "z", "pitch", "roll"),
                rotations=(
                    JointRotation("pitch", {"shoulder_lift": 1.0, "elbow_flex": 1.0, "wrist_flex": 1.0}),
                    JointRotation("roll", {"wrist_roll": 1.0}),
                ),
                pan_joint="shoulder_pan",
            ),
        ),
        workspace=WORKSPACE,
        cameras=CAMERAS,
        front_views=FRONT_VIEWS,
    )


SO101 = so101("so101", "SO101")
SO101_BACKLASH = so101("so101_backlash", "", BACKLASH)
"""The SO-101 with worn servos. It has no ids of its own: use those of the SO-101 with ``robot="so101_backlash"``."""
