"""What a robot declares: its end effectors, where it can work, and what it sees.

A robot is data. Scenes attach its models, the simulation resolves its names, and tasks ask it for homes,
workspace and apertures; none of them knows which robot it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gym_hil.core.errors import InvalidArgumentError, did_you_mean
from gym_hil.robots.geometry import Box, Camera, Quat, Vec3, Workspace

if TYPE_CHECKING:
    import mujoco


@dataclass(frozen=True, kw_only=True)
class JointServo:
    """Position control of an arm's joints: ``torque = stiffness * error - damping * velocity``, limited.

    Attributes:
        stiffness: N m/rad, per joint.
        damping: N m s/rad, per joint.
        gravity_compensation: whether the arm's controller takes the weight of its links off the servos.
    """

    stiffness: tuple[float, ...]
    damping: tuple[float, ...]
    gravity_compensation: bool


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A serial arm.

    Attributes:
        build: returns a fresh `mujoco.MjSpec` whose frame is the arm's mounting face.
        joints: joint names from base to flange.
        joint_ranges: least and greatest position of every joint (rad).
        flange_site: site that a hand is mounted on; its z axis points out of the flange.
        homes: joint configurations (rad, one value per joint) by purpose, such as ``"above_table"``.
        torque_limits: largest total actuator torque per joint (N m).
        servo: how joint-position actions are followed.
    """

    build: Callable[[], mujoco.MjSpec]
    joints: tuple[str, ...]
    joint_ranges: tuple[tuple[float, float], ...]
    flange_site: str
    homes: Mapping[str, tuple[float, ...]] = field(hash=False)
    torque_limits: tuple[float, ...]
    servo: JointServo


@dataclass(frozen=True, kw_only=True)
class Hand:
    """A gripper with two jaws that one position command drives.

    Attributes:
        kind: ``"parallel"`` where the jaws stay parallel, ``"pivoting"`` where one turns about a hinge.
        build: returns a fresh `mujoco.MjSpec` whose frame is mounted on the arm's flange.
        tcp_site: the site between the jaws that is controlled.
        finger_joints: joints of the fingers; the position of the first one tells the aperture.
        finger_range: least and greatest position of that one (m or rad).
        actuator: the actuator that drives them.
        open_position: position of a finger joint, and command of `actuator`, with open fingers (m or rad).
        closed_position: the same with the fingers touching.
        finger_geoms: geoms that touch an object held between the fingers.
        max_aperture: width of the widest object that fits (m).
        cameras: cameras fixed to the body that carries the TCP.
        aperture_at: returns the aperture (m) for a position of the first finger joint; None where it is
            proportional to how far the fingers are open.
    """

    kind: str = "parallel"
    build: Callable[[], mujoco.MjSpec]
    tcp_site: str
    finger_joints: tuple[str, ...]
    finger_range: tuple[float, float]
    actuator: str
    open_position: float
    closed_position: float
    finger_geoms: tuple[str, ...]
    max_aperture: float
    cameras: tuple[Camera, ...] = ()
    aperture_at: Callable[[float], float] | None = None


@dataclass(frozen=True, kw_only=True)
class Impedance:
    """Cartesian impedance of the TCP: ``force = stiffness * error + damping * velocity error``, limited.

    Attributes:
        translation_stiffness: N/m.
        translation_damping: N s/m.
        force_limit: N, per axis.
        rotation_stiffness: N m/rad.
        rotation_damping: N m s/rad.
        torque_limit: N m, per axis.
        max_lead: farthest that the commanded TCP may run ahead of the measured one (m).
        max_rotation_lead: the same for its orientation (rad).
    """

    translation_stiffness: float
    translation_damping: float
    force_limit: float
    rotation_stiffness: float
    rotation_damping: float
    torque_limit: float
    max_lead: float
    max_rotation_lead: float


@dataclass(frozen=True, kw_only=True)
class Posture:
    """A weak spring that holds one joint at its home angle.

    An arm with seven joints has one spare degree of freedom; a spring on a single joint settles it and leaves
    no force at the TCP.

    Attributes:
        joint: the joint.
        stiffness: N m/rad.
        damping: N m s/rad.
    """

    joint: str
    stiffness: float
    damping: float


@dataclass(frozen=True)
class JointRotation:
    """A rotation of the TCP that some joints make together, their axes being parallel.

    Attributes:
        name: what `EndEffector.axes` calls it.
        joints: the share of every joint in the rotation, 1 or -1; it is about the first joint's axis.
    """

    name: str
    joints: Mapping[str, float] = field(hash=False)


@dataclass(frozen=True, kw_only=True)
class EndEffector:
    """An arm with a hand, where it stands, and the way its TCP is controlled.

    Attributes:
        arm: the arm.
        hand: the hand.
        impedance: how the TCP is held at its target.
        axes: axes of the TCP that can be controlled independently of each other: ``x``, ``y`` and ``z`` are
            translations along the world's axes, ``rx``, ``ry`` and ``rz`` rotations about them; an arm with
            fewer than six joints names its `rotations` instead.
        rotations: the rotations that an arm with fewer than six joints controls; empty for one that controls
            all three.
        pan_joint: the joint that turns the whole arm about the vertical. The `rotations` make up for it, so
            that moving sideways does not turn the gripper; None for an arm without `rotations`.
        posture: what settles the joint that the TCP leaves free; None where there is no such joint.
        name: sets its names in a composed model apart from those of others; empty for the only one.
        base_pos: position of the arm's mounting face (m, world frame).
        base_quat: orientation of the arm's mounting face (w x y z, world frame).
        reach: box (world frame) that its TCP is kept in besides the task's; None where the task's is enough.
    """

    arm: Arm
    hand: Hand
    impedance: Impedance
    axes: tuple[str, ...] = ("x", "y", "z", "rx", "ry", "rz")
    rotations: tuple[JointRotation, ...] = ()
    pan_joint: str | None = None
    posture: Posture | None = None
    name: str = ""
    base_pos: Vec3 = (0.0, 0.0, 0.0)
    base_quat: Quat = (1.0, 0.0, 0.0, 0.0)
    reach: Box | None = None

    @property
    def prefix(self) -> str:
        """Beginning of the names of what belongs to this end effector in a composed model."""
        return f"{self.name}_" if self.name else ""

    @property
    def arm_prefix(self) -> str:
        """Beginning of the arm's names in a composed model."""
        return f"{self.prefix}arm/"

    @property
    def hand_prefix(self) -> str:
        """Beginning of the hand's names in a composed model."""
        return f"{self.prefix}hand/"

    @property
    def joints(self) -> tuple[str, ...]:
        """The arm's joints as a composed model names them, from base to flange."""
        return tuple(self.arm_prefix + joint for joint in self.arm.joints)

    @property
    def flange_site(self) -> str:
        """The flange as a composed model names it."""
        return self.arm_prefix + self.arm.flange_site

    @property
    def tcp_site(self) -> str:
        """The TCP as a composed model names it."""
        return self.hand_prefix + self.hand.tcp_site

    @property
    def finger_joints(self) -> tuple[str, ...]:
        """The fingers' joints as a composed model names them; the first one tells the aperture."""
        return tuple(self.hand_prefix + joint for joint in self.hand.finger_joints)

    @property
    def finger_actuator(self) -> str:
        """The fingers' actuator as a composed model names it."""
        return self.hand_prefix + self.hand.actuator

    @property
    def finger_geoms(self) -> tuple[str, ...]:
        """The geoms that touch a held object, as a composed model names them."""
        return tuple(self.hand_prefix + geom for geom in self.hand.finger_geoms)

    @property
    def cameras(self) -> tuple[Camera, ...]:
        """The hand's cameras as a composed model names them."""
        return tuple(
            Camera(self.prefix + camera.name, camera.pos, camera.quat, camera.fovy)
            for camera in self.hand.cameras
        )


@dataclass(frozen=True, kw_only=True)
class Robot:
    """One or more end effectors that work in one workspace.

    Attributes:
        name: what users call it, and the key under which it is registered.
        id_prefix: how the ids of its environments begin, such as ``"Panda"``.
        end_effectors: its arms with their hands; two arms are two entries.
        workspace: where it can work.
        cameras: cameras that stand in the world: ``front`` is observed, ``third_person`` is for people.
    """

    name: str
    id_prefix: str
    end_effectors: tuple[EndEffector, ...]
    workspace: Workspace
    cameras: tuple[Camera, ...]

    @property
    def joints(self) -> tuple[str, ...]:
        """The joints of all arms as a composed model names them."""
        return tuple(joint for effector in self.end_effectors for joint in effector.joints)

    @property
    def joint_groups(self) -> dict[str, tuple[str, ...]]:
        """The joints of every arm and of every hand, by names such as ``"arm"`` and ``"left_arm"``."""
        groups = {}
        for effector in self.end_effectors:
            groups[f"{effector.prefix}arm"] = effector.joints
            groups[f"{effector.prefix}hand"] = effector.finger_joints
        return groups

    @property
    def observed_cameras(self) -> tuple[str, ...]:
        """Names of the cameras that image observations show: ``front``, then those on the hands."""
        return ("front", *(camera.name for effector in self.end_effectors for camera in effector.cameras))

    def home(self, purpose: str) -> tuple[float, ...]:
        """Return the joint positions (rad), in the order of `joints`, from which a task begins.

        Args:
            purpose: ``"above_table"`` with the fingers down and close above the table, ``"upright"`` with a
                free view of it.

        Raises:
            InvalidArgumentError: an arm declares no home for this purpose.
        """
        positions: list[float] = []
        for effector in self.end_effectors:
            homes = effector.arm.homes
            if purpose not in homes:
                hint = did_you_mean(purpose, homes)
                raise InvalidArgumentError(f"robot {self.name!r} has no home for purpose={purpose!r}{hint}")
            positions.extend(homes[purpose])
        return tuple(positions)
