"""The Franka Emika Panda with the Franka Hand or a Robotiq 2F-85.

Workspace, cameras and homes follow the scene of the cube-lifting task of HIL-SERL and gym-hil.
"""

from __future__ import annotations

from gym_hil.robots.base import EndEffector, Impedance, Posture, Robot
from gym_hil.robots.franka_hand import FRANKA_HAND
from gym_hil.robots.geometry import Area, Box, Camera, Workspace
from gym_hil.robots.panda_arm import PANDA_ARM
from gym_hil.robots.robotiq_2f85 import ROBOTIQ_2F85

IMPEDANCE = Impedance(
    translation_stiffness=5000.0,
    translation_damping=350.0,
    force_limit=80.0,
    rotation_stiffness=200.0,
    rotation_damping=14.0,
    torque_limit=15.0,
    max_lead=0.03,
    max_rotation_lead=0.25,
)
POSTURE = Posture(joint="joint3", stiffness=20.0, damping=6.0)
WORKSPACE = Workspace(
    tcp=Box((0.2, -0.3, 0.0), (0.6, 0.3, 0.5)),
    table=Area((0.3, -0.15), (0.5, 0.15)),
    wide_tcp=Box((0.2, -0.5, 0.0), (0.6, 0.5, 0.5)),
    wide_table=Area((0.3, -0.3), (0.5, 0.3)),
)
CAMERAS = (
    Camera("front", (1.3, 0.0, 0.7), (0.5963678, 0.3799282, 0.3799282, 0.5963678), 45.0),
    Camera("third_person", (1.28, -1.02, 0.68), (0.737, 0.5523, 0.2336, 0.3117), 42.0),
)

PANDA = Robot(
    name="panda",
    id_prefix="Panda",
    end_effectors=(EndEffector(arm=PANDA_ARM, hand=FRANKA_HAND, impedance=IMPEDANCE, posture=POSTURE),),
    workspace=WORKSPACE,
    cameras=CAMERAS,
)
PANDA_ROBOTIQ_2F85 = Robot(
    name="panda_robotiq_2f85",
    id_prefix="PandaRobotiq2F85",
    end_effectors=(EndEffector(arm=PANDA_ARM, hand=ROBOTIQ_2F85, impedance=IMPEDANCE, posture=POSTURE),),
    workspace=WORKSPACE,
    cameras=CAMERAS,
)
