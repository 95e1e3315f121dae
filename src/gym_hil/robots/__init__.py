"""Robots as data. A new arm or hand is a new file here and a line below."""

from __future__ import annotations

from gym_hil.robots.base import Arm as Arm
from gym_hil.robots.base import Hand as Hand
from gym_hil.robots.base import Impedance as Impedance
from gym_hil.robots.base import Robot as Robot
from gym_hil.robots.franka_hand import FRANKA_HAND
from gym_hil.robots.panda import PANDA
from gym_hil.robots.robotiq_2f85 import ROBOTIQ_2F85

PANDA_IMPEDANCE = Impedance(
    translation_stiffness=5000.0,
    translation_damping=350.0,
    force_limit=80.0,
    rotation_stiffness=200.0,
    rotation_damping=14.0,
    torque_limit=15.0,
    posture_stiffness=20.0,
    posture_damping=6.0,
    max_lead=0.03,
    max_rotation_lead=0.25,
)
PANDA_WITH_FRANKA_HAND = Robot(name="panda", arm=PANDA, hand=FRANKA_HAND, impedance=PANDA_IMPEDANCE)
PANDA_WITH_ROBOTIQ_2F85 = Robot(
    name="panda_robotiq_2f85", arm=PANDA, hand=ROBOTIQ_2F85, impedance=PANDA_IMPEDANCE
)

ROBOTS = {robot.name: robot for robot in (PANDA_WITH_FRANKA_HAND, PANDA_WITH_ROBOTIQ_2F85)}
"""Every robot by its name."""
