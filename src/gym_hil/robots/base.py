"""Data classes that describe a robot: its end effectors, its workspace and its cameras.

A robot is data. Scenes attach its models, the simulation resolves its names, and tasks ask it for homes,
workspace and apertures, so that all of them work with any robot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gym_hil.core.errors import InvalidArgumentError, suggestion
from gym_hil.robots.geometry import Box, Camera, Quat, Vec3, Workspace

if TYPE_CHECKING:
    import mujoco


@dataclass(frozen=True, kw_only=True)
class JointServo:
    """Position control of an arm's joints: ``torque = stiffness * error - damping * velocity``, within torque
    limits.

    Attributes:
        stiffness: stiffness per joint (N m/rad).
        damping: damping per joint (N m s/rad).
        gravity_compensation: whether the arm compensates for the weight of its links.
    """

    stiffness: tuple[float, ...]
    damping: tuple[float, ...]
    gravity_compensation: bool


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A serial arm.

    Attributes:
        build: returns a new `mujoco.MjSpec`, whose frame is the arm's mounting face.
        joints: names of the joints from base to flange.
        joint_ranges: lower and upper limits of every joint (rad).
        flange_site: site on which a hand is mounted; its z axis points out of the flange.
        homes: joint configurations (rad, one value per joint) by purpose, such as ``"above_table"``.
        torque_limits: largest total actuator torque per joint (N m).
        servo: control of joint-position actions.
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
    """A gripper with two jaws that are driven by one position command.

    Attributes:
        build: returns a new `mujoco.MjSpec`, whose frame is mounted on the arm's flange.
        tcp_site: the controlled site between the jaws.
        finger_joints: joints of the fingers; the position of the first one determines the aperture.
        finger_range: lower and upper limits of the first finger joint (m or rad).
        actuator: the actuator that drives the fingers.
        open_position: position of a finger joint, and command of `actuator`, with open fingers (m or rad).
        closed_position: the same with closed fingers (m or rad).
        finger_geoms: geoms that are in contact with a held object.
        max_aperture: width of the widest object that fits (m).
        cameras: cameras that are fixed to the body with the TCP.
        fixed_jaw: distance of the TCP from the inner face of a jaw that does not move (m), against the x axis of the
            TCP's frame; None if both jaws move.
        aperture_at: returns the aperture (m) for a position of the first finger joint; None if it is
            proportional to the opening of the fingers.
    """

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
    fixed_jaw: float | None = None
    aperture_at: Callable[[float], float] | None = None


@dataclass(frozen=True, kw_only=True)
class Impedance:
    """Cartesian impedance of the TCP: ``force = stiffness * error + damping * velocity error``, within
    limits.

    Attributes:
        translation_stiffness: stiffness of the translation (N/m).
        translation_damping: damping of the translation (N s/m).
        force_limit: largest force per axis (N).
        rotation_stiffness: stiffness of the rotation (N m/rad).
        rotation_damping: damping of the rotation (N m s/rad).
        torque_limit: largest torque per axis (N m).
        max_lead: largest distance between the commanded and the measured TCP (m).
        max_rotation_lead: largest angle between their orientations (rad).
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

    An arm with seven joints has one redundant degree of freedom. A spring on a single joint determines it
    without a force at the TCP.

    Attributes:
        joint: the joint.
        stiffness: stiffness (N m/rad).
        damping: damping (N m s/rad).
    """

    joint: str
    stiffness: float
    damping: float


@dataclass(frozen=True)
class JointRotation:
    """A rotation of the TCP by several joints with parallel axes.

    Attributes:
        name: its name in `EndEffector.axes`.
        joints: factor of every joint in the rotation, 1 or -1. The rotation is about the first joint's axis.
    """

    name: str
    joints: Mapping[str, float] = field(hash=False)


@dataclass(frozen=True, kw_only=True)
class EndEffector:
    """An arm with a hand, its base pose, and the control of its TCP.

    Attributes:
        arm: the arm.
        hand: the hand.
        impedance: impedance of the TCP.
        axes: axes of the TCP that can be controlled independently: ``x``, ``y`` and ``z`` are translations
            along the world's axes, ``rx``, ``ry`` and ``rz`` rotations about them. An arm with fewer than six
            joints has its `rotations` instead. A command to rotate about another axis then executes the possible part,
            and also rotates the TCP about further axes.
        rotations: controlled rotations of an arm with fewer than six joints; empty for an arm that controls
            all three.
        pan_joint: joint that rotates the whole arm about the vertical. The `rotations` compensate for it, so
            that sideways motion does not rotate the gripper. None for an arm without `rotations`.
        posture: control of the redundant joint; None if there is none.
        name: prefix of its names in a composed model; empty for a single end effector.
        base_pos: position of the arm's mounting face (m, world frame).
        base_quat: orientation of the arm's mounting face (w x y z, world frame).
        reach: box to which its TCP is limited in addition to the task's (world frame); None if the task's is
            sufficient.
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
        """Prefix of all names of this end effector in a composed model."""
        return f"{self.name}_" if self.name else ""

    @property
    def arm_prefix(self) -> str:
        """Prefix of the arm's names in a composed model."""
        return f"{self.prefix}arm/"

    @property
    def hand_prefix(self) -> str:
        """Prefix of the hand's names in a composed model."""
        return f"{self.prefix}hand/"

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of the arm's joints in a composed model, from base to flange."""
        return tuple(self.arm_prefix + joint for joint in self.arm.joints)

    @property
    def flange_site(self) -> str:
        """Name of the flange in a composed model."""
        return self.arm_prefix + self.arm.flange_site

    @property
    def tcp_site(self) -> str:
        """Name of the TCP in a composed model."""
        return self.hand_prefix + self.hand.tcp_site

    @property
    def finger_joints(self) -> tuple[str, ...]:
        """Names of the finger joints in a composed model; the first one determines the aperture."""
        return tuple(self.hand_prefix + joint for joint in self.hand.finger_joints)

    @property
    def finger_actuator(self) -> str:
        """Name of the fingers' actuator in a composed model."""
        return self.hand_prefix + self.hand.actuator

    @property
    def finger_geoms(self) -> tuple[str, ...]:
        """Names of the geoms in contact with a held object in a composed model."""
        return tuple(self.hand_prefix + geom for geom in self.hand.finger_geoms)

    @property
    def cameras(self) -> tuple[Camera, ...]:
        """The hand's cameras, with their names in a composed model."""
        return tuple(
            Camera(self.prefix + camera.name, camera.pos, camera.quat, camera.fovy)
            for camera in self.hand.cameras
        )


@dataclass(frozen=True, kw_only=True)
class Robot:
    """One or more end effectors with a common workspace.

    Attributes:
        name: name of the robot in the registry.
        id_prefix: first part of the ids of its environments, such as ``"Panda"``; empty for a robot without ids.
        end_effectors: its end effectors, such as two for a robot with two arms.
        workspace: its workspace.
        cameras: cameras that are fixed in the world: ``front`` is observed, ``third_person`` is for people.
        front_views: cameras in place of ``front`` by purpose, with the same name, where ``front`` does not see all
            objects; empty if it always does.
    """

    name: str
    id_prefix: str
    end_effectors: tuple[EndEffector, ...]
    workspace: Workspace
    cameras: tuple[Camera, ...]
    front_views: Mapping[str, Camera] = field(default_factory=dict, hash=False)

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of the joints of all arms in a composed model."""
        return tuple(joint for effector in self.end_effectors for joint in effector.joints)

    @property
    def observed_cameras(self) -> tuple[str, ...]:
        """Names of the cameras in image observations: ``front``, then those on the hands."""
        return ("front", *(camera.name for effector in self.end_effectors for camera in effector.cameras))

    def cameras_for(self, purpose: str) -> tuple[Camera, ...]:
        """Return the fixed cameras for a purpose of the front view; a robot without this view has its usual ones."""
        views = {"front": self.front_views[purpose]} if purpose in self.front_views else {}
        return tuple(views.get(camera.name, camera) for camera in self.cameras)

    def home(self, purpose: str) -> tuple[float, ...]:
        """Return a home configuration.

        Args:
            purpose: ``"above_table"`` with the fingers pointing down close to the table, or ``"upright"``
                with a free view of the table.

        Returns:
            The joint positions (rad), in the order of `joints`.

        Raises:
            InvalidArgumentError: an arm does not have this home.
        """
        positions: list[float] = []
        for effector in self.end_effectors:
            homes = effector.arm.homes
            if purpose not in homes:
                hint = suggestion(purpose, homes)
                raise InvalidArgumentError(f"robot {self.name!r} has no home for purpose={purpose!r}{hint}")
            positions.extend(homes[purpose])
        return tuple(positions)
