"""A simulated arm that is driven by its servos and can be held by a person's hand."""

from __future__ import annotations

import mujoco

from gym_hil.integrations.lerobot.virtual_arm import registers as reg
from gym_hil.integrations.lerobot.virtual_arm.bus import Bus
from gym_hil.integrations.lerobot.virtual_arm.hand import ArmHand
from gym_hil.integrations.lerobot.virtual_arm.servo import COUNTS, RAD_PER_COUNT, JointState, Servo
from gym_hil.robots.base import EndEffector

GRIPPER = "gripper"
FULL_TURN = "wrist_roll"
"""The joint to which LeRobot assigns a range of one full turn."""
HORNS = (137, -205, 88, -61, 310, -420)
"""Mounting errors of the servo horns (counts), because of which each arm needs its own calibration."""
STATES = ("calibrated", "assembled", "new")
"""Initial states of the servos: calibrated; with addresses but without calibration; or as delivered by the
factory, all with address 1."""
SOFT, HARD = (0.9, 0.95), (0.99999, 0.99999)
"""Impedance of the friction constraint (MuJoCo's ``solimp``): the default, and one with which a stiff joint does not
creep."""
HAND_STIFFNESS = 150.0  # N m/rad
HAND_DAMPING = 3.0  # N m s/rad
HAND_STRENGTH = 8.0  # N m


class ServoArm:
    """One arm: six joints, their servos, and the hand of a person.

    Args:
        model: a model that contains the arm, with joint control.
        data: the state of the model.
        effector: the arm and its gripper.
        state: one of `STATES`.

    Attributes:
        bus: the servos.
        hand: the hand of a person.
    """

    def __init__(
        self, model: mujoco.MjModel, data: mujoco.MjData, effector: EndEffector, state: str = STATES[0]
    ) -> None:
        self._model, self._data = model, data
        arm, hand = effector.arm, effector.hand
        names = (*arm.joints, GRIPPER)
        joints = [model.joint(name) for name in (*effector.joints, effector.finger_joints[0])]
        servos = (*(f"{name}_servo" for name in effector.joints), effector.finger_actuator)
        actuators = [model.actuator(name) for name in servos]
        self.ranges = dict(zip(names, (*arm.joint_ranges, hand.finger_range), strict=True))
        """Least and greatest position of every joint (rad)."""
        self._qpos = [int(joint.qposadr[0]) for joint in joints]
        self._dofs = [int(joint.dofadr[0]) for joint in joints]
        self._actuators = [int(actuator.id) for actuator in actuators]
        self._acts = [int(actuator.actadr[0]) for actuator in actuators]
        self._friction = model.dof_frictionloss[self._dofs].copy()
        torque = [float(model.actuator_forcerange[number, 1]) for number in self._actuators]
        zeros = [COUNTS // 2 + horn for horn in HORNS]
        self.bus = Bus(
            {
                name: Servo(1 if state == "new" else number, zero, limit)
                for number, (name, zero, limit) in enumerate(zip(names, zeros, torque, strict=True), 1)
            }
        )
        if state == "calibrated":
            self._calibrate()
        self.hand = ArmHand()
        self.measure(0.0)

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of the joints, from base to gripper."""
        return tuple(self.ranges)

    @property
    def positions(self) -> list[float]:
        """Positions of the joints (rad)."""
        return [float(self._data.qpos[at]) for at in self._qpos]

    @property
    def powered(self) -> bool:
        """Whether the torque of a servo is enabled."""
        return any(servo.get(reg.TORQUE_ENABLE) for servo in self.bus.servos.values())

    def add_friction(self, joint: str, torque: float) -> None:
        """Add a friction torque (N m) to a joint; 0 for none."""
        number = self.joints.index(joint)
        dof = self._dofs[number]
        self._model.dof_frictionloss[dof] = self._friction[number] + torque
        self._model.dof_solimp[dof, :2] = HARD if torque else SOFT

    def measure(self, dt: float) -> None:
        """Update servos and hand, and apply their torques for the next `dt` seconds."""
        model, data = self._model, self._data
        held = self.hand.update(self.positions, dt)
        for number, servo in enumerate(self.bus.servos.values()):
            dof, actuator = self._dofs[number], self._actuators[number]
            position, velocity = float(data.qpos[self._qpos[number]]), float(data.qvel[dof])
            drive = servo.update(JointState(position, velocity, float(data.actuator_force[actuator])), dt)
            model.actuator_forcerange[actuator] = -drive.torque_limit, drive.torque_limit
            if self._acts[number] >= 0:  # an integrated set-point, see `gym_hil.simulation.joint_control`
                data.act[self._acts[number]], data.ctrl[actuator] = drive.setpoint, 0.0
            else:
                data.ctrl[actuator] = drive.setpoint
            push = 0.0
            if number in held:
                push = HAND_STIFFNESS * (held[number] - position) - HAND_DAMPING * velocity
            data.qfrc_applied[dof] = min(max(push, -HAND_STRENGTH), HAND_STRENGTH)

    def calibration(self) -> dict[str, dict[str, int]]:
        """Return the calibration in the servos, in the form of LeRobot's calibration files."""
        return {
            name: {
                "id": servo.get(reg.ID),
                "drive_mode": 0,
                "homing_offset": servo.get(reg.HOMING_OFFSET),
                "range_min": servo.get(reg.MIN_POSITION),
                "range_max": servo.get(reg.MAX_POSITION),
            }
            for name, servo in self.bus.servos.items()
        }

    def _calibrate(self) -> None:
        """Write the calibration that ``lerobot-calibrate`` would find, if its middle positions are the zeros
        of the joints.
        """
        middle = COUNTS // 2 - 1
        for (name, servo), horn in zip(self.bus.servos.items(), HORNS, strict=True):
            low, high = self.ranges[name]
            centre = (low + high) / 2 if name == GRIPPER else 0.0  # 0 rad is 0 degrees in LeRobot
            servo.keep(reg.HOMING_OFFSET, COUNTS // 2 + horn + round(centre / RAD_PER_COUNT) - middle)
            full_turn = name == FULL_TURN
            ends = (
                (0, COUNTS - 1)
                if full_turn
                else (round((end - centre) / RAD_PER_COUNT) for end in (low, high))
            )
            least, greatest = ends if full_turn else (middle + end for end in ends)
            servo.keep(reg.MIN_POSITION, least)
            servo.keep(reg.MAX_POSITION, greatest)
