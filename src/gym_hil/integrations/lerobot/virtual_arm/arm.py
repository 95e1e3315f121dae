"""An arm in a simulation that its servos drive, and a hand that may hold it."""

from __future__ import annotations

import mujoco

from gym_hil.integrations.lerobot.virtual_arm import registers as reg
from gym_hil.integrations.lerobot.virtual_arm.bus import Bus
from gym_hil.integrations.lerobot.virtual_arm.hand import Hand
from gym_hil.integrations.lerobot.virtual_arm.servo import COUNTS, RAD_PER_COUNT, JointState, Servo
from gym_hil.robots.base import EndEffector

GRIPPER = "gripper"
FULL_TURN = "wrist_roll"
"""The joint whose range LeRobot takes to be a whole turn."""
HORNS = (137, -205, 88, -61, 310, -420)
"""How far each horn is from where it should be (counts), so that an arm works only with its own calibration."""
STATES = ("calibrated", "assembled", "new")
"""How the servos begin: calibrated; with addresses and no calibration; or as the factory delivers them, all with
address 1."""
SOFT, HARD = (0.9, 0.95), (0.99999, 0.99999)
"""How hard the engine holds a joint by its friction: as usual, and so hard that one that is stiff does not creep."""
HAND_STIFFNESS = 150.0  # N m/rad
HAND_DAMPING = 3.0  # N m s/rad
HAND_STRENGTH = 8.0  # N m


class Arm:
    """One arm: six joints, their servos, and the hand of a person.

    Args:
        model: a model that holds the arm, composed for control of its joints.
        data: its state.
        effector: the arm and its gripper.
        state: one of `STATES`.

    Attributes:
        bus: its servos.
        hand: the person who may hold it.
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
        self.hand = Hand()
        self.measure(0.0)

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of the joints, from base to gripper."""
        return tuple(self.ranges)

    @property
    def positions(self) -> list[float]:
        """Positions of the joints (rad)."""
        return [float(self._data.qpos[at]) for at in self._qpos]

    def add_friction(self, joint: str, torque: float) -> None:
        """Make a joint stiffer than it is built (N m); 0 for as it is built."""
        number = self.joints.index(joint)
        dof = self._dofs[number]
        self._model.dof_frictionloss[dof] = self._friction[number] + torque
        self._model.dof_solimp[dof, :2] = HARD if torque else SOFT

    def measure(self, dt: float) -> None:
        """Let the servos measure and drive the joints, and the hand hold them, for the next `dt` seconds."""
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
        """Return what is written in the servos, in the form of LeRobot's calibration files."""
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
        """Write into the servos what ``lerobot-calibrate`` would find, with the joints' zeros as their middles."""
        middle = COUNTS // 2 - 1
        for (name, servo), horn in zip(self.bus.servos.items(), HORNS, strict=True):
            low, high = self.ranges[name]
            half = (
                (low + high) / 2 if name == GRIPPER else 0.0
            )  # an arm's joint at 0 is at LeRobot's 0 degrees
            servo.keep(reg.HOMING_OFFSET, COUNTS // 2 + horn + round(half / RAD_PER_COUNT) - middle)
            whole = name == FULL_TURN
            ends = (0, COUNTS - 1) if whole else (round((end - half) / RAD_PER_COUNT) for end in (low, high))
            least, greatest = ends if whole else (middle + end for end in ends)
            servo.keep(reg.MIN_POSITION, least)
            servo.keep(reg.MAX_POSITION, greatest)
