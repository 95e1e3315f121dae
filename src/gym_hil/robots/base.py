"""What a robot declares: an arm, a hand, and the control that holds them together.

A robot is data. Scenes attach its `MjSpec`, the simulator resolves its names, tasks ask it for its
TCP, its fingers and its workspace; none of them knows which robot it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import mujoco

ARM_PREFIX = "arm/"
HAND_PREFIX = "hand/"
"""Prefixes of the names of an arm and a hand in a composed model."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A serial arm. `build` returns a fresh spec whose frame is the arm's mounting face."""

    build: Callable[[], mujoco.MjSpec]
    joints: tuple[str, ...]
    """Joint names from base to flange."""
    flange_site: str
    """Site that a hand is mounted on; z points out of the flange."""
    homes: Mapping[str, tuple[float, ...]]
    """Named joint configurations (rad), one value per joint."""
    posture_joint: str
    """The joint that a weak spring holds at its home angle. A 7-joint arm has one spare degree of freedom:
    a spring on a single joint settles it and leaves no force at the TCP."""
    torque_limits: tuple[float, ...]
    """Largest total actuator torque per joint (N m)."""


@dataclass(frozen=True, kw_only=True)
class Hand:
    """A two-finger hand driven by one position command."""

    build: Callable[[], mujoco.MjSpec]
    tcp_site: str
    finger_joints: tuple[str, ...]
    """Joints of the fingers; the first one's position tells the aperture."""
    actuator: str
    open_position: float
    """Position of a finger joint, and command of `actuator`, with the fingers fully open (m or rad)."""
    closed_position: float
    """The same with the fingers touching."""
    finger_geoms: tuple[str, ...]
    """Geoms that touch an object held between the fingers."""
    max_aperture: float
    """Widest object that fits (m)."""


@dataclass(frozen=True, kw_only=True)
class Impedance:
    """Cartesian impedance of the TCP: ``force = stiffness * error + damping * velocity error``, limited."""

    translation_stiffness: float
    """N/m"""
    translation_damping: float
    """N s/m"""
    force_limit: float
    """N, per axis"""
    rotation_stiffness: float
    """N m/rad"""
    rotation_damping: float
    """N m s/rad"""
    torque_limit: float
    """N m, per axis"""
    posture_stiffness: float
    """N m/rad at the arm's posture joint"""
    posture_damping: float
    """N m s/rad at the arm's posture joint"""
    max_lead: float
    """Farthest the commanded TCP may run ahead of the measured one (m)."""
    max_rotation_lead: float
    """The same for orientation (rad)."""


@dataclass(frozen=True, kw_only=True)
class Robot:
    """An arm with a hand and the way its TCP is controlled."""

    name: str
    arm: Arm
    hand: Hand
    impedance: Impedance

    @property
    def joints(self) -> tuple[str, ...]:
        """The arm's joints as a composed model names them, from base to flange."""
        return tuple(ARM_PREFIX + joint for joint in self.arm.joints)

    @property
    def posture_joint(self) -> str:
        """The arm's posture joint as a composed model names it."""
        return ARM_PREFIX + self.arm.posture_joint

    @property
    def flange_site(self) -> str:
        """The flange as a composed model names it."""
        return ARM_PREFIX + self.arm.flange_site

    @property
    def tcp_site(self) -> str:
        """The TCP as a composed model names it."""
        return HAND_PREFIX + self.hand.tcp_site

    @property
    def finger_joints(self) -> tuple[str, ...]:
        """The fingers' joints as a composed model names them; the first one tells the aperture."""
        return tuple(HAND_PREFIX + joint for joint in self.hand.finger_joints)

    @property
    def finger_actuator(self) -> str:
        """The fingers' actuator as a composed model names it."""
        return HAND_PREFIX + self.hand.actuator

    @property
    def finger_geoms(self) -> tuple[str, ...]:
        """The geoms that touch a held object, as a composed model names them."""
        return tuple(HAND_PREFIX + geom for geom in self.hand.finger_geoms)
