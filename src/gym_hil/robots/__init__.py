"""Robots as data. A new arm or hand is a new file here and a line below."""

from __future__ import annotations

from gym_hil.robots.base import Arm as Arm
from gym_hil.robots.base import Hand as Hand
from gym_hil.robots.base import Impedance as Impedance
from gym_hil.robots.base import Robot as Robot
from gym_hil.robots.franka_hand import FRANKA_HAND
from gym_hil.robots.panda import PANDA

PANDA_WITH_FRANKA_HAND = Robot(
    name="panda",
    arm=PANDA,
    hand=FRANKA_HAND,
    impedance=Impedance(
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
    ),
)
