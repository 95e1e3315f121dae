"""A digital twin: a model of an arm outside the simulation, which is set to the positions that the arm measures.

It provides kinematics and images, so that actions, observations, operators and pages work as in simulated environments.
Nothing is simulated.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from gym_hil.core.clock import Clock
from gym_hil.core.errors import DeviceError
from gym_hil.integrations.lerobot.real_arm.connection import ConnectedArm, Measurement
from gym_hil.integrations.lerobot.real_arm.scene import MeasuredScene
from gym_hil.robots.geometry import Box
from gym_hil.simulation.joint_control import JointControl
from gym_hil.simulation.simulation import Array, Simulation, Vector

JOINT_RANGE_MARGIN = 0.3
"""Largest plausible distance of a measured position from the range of its joint (rad), because calibrations differ."""
MAX_JOINT_JUMP = 0.7
"""Largest plausible motion of a joint between two measurements (rad). A servo of an SO-101 turns by about 0.5 rad in
0.1 s."""
GOAL_PERIOD = 0.0125
"""Time between two goals that are sent within a control period (s). With a single goal per period, servos move
abruptly: on the virtual arm at 10 Hz, the load of the elbow was above 80 % in 40 % of the time, and a servo overheated
after nine minutes of training."""
BRAKE_PERIOD = 0.02
"""Time between two measurements while the arm brakes (s)."""
LONGEST_BRAKE = 0.2
"""Longest time for which the arm brakes before a change of control takes effect (s)."""
AT_REST = 0.002
"""Largest motion of a joint between two measurements of a braking arm that counts as rest (rad), a little more than one
count of the encoder."""
SLOWEST = 0.1
"""Smallest limit of a servo's speed (rad/s), with which it still reaches a goal that it has almost reached."""
LARGEST_LEAP = 2
"""Largest part of the way between two goals that are sent, in multiples of the part for `GOAL_PERIOD`. After a pause of
this program, the arm would otherwise rush to catch up."""
GOAL_TOLERANCE = 0.15
"""Largest distance of a joint from its goal at which the goal counts as reached (rad), because the servos of an SO-101
yield under its weight."""


@dataclass(frozen=True, kw_only=True)
class SafetyLimits:
    """Safety limits of an arm outside the simulation.

    Attributes:
        joint_speed: largest speed of every joint in an episode (rad/s).
        homing_speed: largest speed of every joint on the way to the start position of an episode (rad/s).
        lead: largest difference between the goal and the measured position of a servo (rad).
        current: largest current of every servo (A), if the arm measures currents. If a servo draws more for
            `current_time`, the arm stops and the episode ends.
        current_time: time for which a servo may draw more than `current` (s), because a joint that starts to move
            draws a high current for a moment.
        workspace: box to which the TCP is limited (world frame, whose origin is the arm's base); None for that of the
            robot.
    """

    joint_speed: float = 1.5
    homing_speed: float = 0.5
    lead: float = 0.3
    current: float = 1.5
    current_time: float = 0.5
    workspace: Box | None = None


DEFAULT_LIMITS = SafetyLimits()


class RemoteControl(JointControl):
    """Joint control whose set-points are the positions that were sent to the arm."""

    def command_joints(self, positions: Vector) -> list[float]:
        """Set the goal of the joints for the next control period (rad), limited to their ranges, and return it."""
        self._goal = goal = np.clip(positions, self._low, self._high).tolist()
        return goal

    def command(self, translation: Vector, rotation: Vector, limits: Box) -> None:
        """Move the TCP by inverse kinematics, but without a rotation not farther than commanded. When a joint is at its
        limit, the motions of the others would otherwise move the TCP up to 1.6 times as far.
        """
        super().command(translation, rotation, limits)
        start, goal = self.target_pos_w, self.goal_positions
        farthest = float(np.linalg.norm(np.subtract(limits.clipped_end(start, translation), start)))
        distance = float(np.linalg.norm(self.tcp_at(goal) - start))
        if distance > farthest and not np.any(rotation):
            self.command_joints(self._act + farthest / distance * (goal - self._act))

    @property
    def goal_positions(self) -> Array:
        """Goal of the joints for the next control period (rad), a new array."""
        return self._act.copy() if self._goal is None else np.array(self._goal)

    def set_target(self, positions: Array) -> None:
        """Set the positions that were sent to the arm (rad)."""
        self._act[:] = positions
        self._goal = None

    def tcp_at(self, positions: Array) -> Array:
        """Return the position of the TCP (3, m, world frame) for the joint positions `positions` (rad)."""
        self._commanded.qpos[self._qpos] = positions
        mujoco.mj_kinematics(self._model, self._commanded)
        return self._commanded.site_xpos[self._tcp].copy()


class DigitalTwin(Simulation):
    """A model that follows an arm outside the simulation. A step is one control period of the arm.

    Attributes:
        arm: the connection to the arm.
        measured: the latest measurements; None before the first connection.
        limits: safety limits of the arm.
        box: box to which the TCP is limited (world frame).
        clock: clock that keeps the control rate.
        objects: measured poses of the objects; None if they are not measured.
        steps: number of steps so far.
        overruns: number of steps that took longer than a control period.
        worst_overrun_s: largest delay of a step (s).
    """

    arm: ConnectedArm
    limits: SafetyLimits
    box: Box
    clock: Clock
    objects: MeasuredScene | None = None
    measured: Measurement | None = None
    steps: int = 0
    overruns: int = 0
    worst_overrun_s: float = 0.0
    _due: float | None = None
    _overcurrent_s: float = 0.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, control="joint", **options)
        effector = self._simulated
        self._control = RemoteControl(self.model, self.data, effector.spec, self.control_dt)
        effector.control = self._control
        self._controls = [self._control]

    def step(self) -> None:
        """Send the goal to the arm, within its limits, and measure at the end of the control period.

        Raises:
            DeviceError: the arm does not answer, or a servo draws too much current. The arm holds its position.
        """
        start_s, end_s = self._next_period()
        largest = self.limits.joint_speed * (end_s - start_s)
        goal = self._within_limits(self._control.goal_positions, largest)
        late_s = self._travel(goal, start_s, end_s, self.limits.joint_speed)
        self.steps += 1
        if late_s > 0.0:
            self.overruns += 1
            self.worst_overrun_s = max(self.worst_overrun_s, late_s)
        self.measure()

    def connect(self) -> None:
        """Connect to the arm, and hold its current position."""
        self.arm.connect()
        self.measured = None
        self.restart_timing()
        self.measure()
        self.hold()

    def brake(self) -> None:
        """Wait until the arm rests at the goal that was sent to it, which it follows with a delay, but not for longer
        than `LONGEST_BRAKE`.

        Raises:
            DeviceError: see `measure`.
        """
        for _ in range(round(LONGEST_BRAKE / BRAKE_PERIOD)):
            assert self.measured is not None
            before = self.measured.joints
            self.clock.sleep(BRAKE_PERIOD)
            self.measure(BRAKE_PERIOD)
            if np.allclose(self.measured.joints, before, rtol=0.0, atol=AT_REST):
                break
        self.restart_timing()

    def measure(self, period: float | None = None) -> None:
        """Set the model to the current measurements.

        Args:
            period: time since the previous measurement (s); None for a control period.

        Raises:
            DeviceError: the arm does not answer, its measurements are not plausible, a servo reports an error, or it
                draws too much current.
        """
        period = self.control_dt if period is None else period
        measured = self.arm.read()
        self._require_plausible(measured.joints)
        self.measured = measured
        effector, data = self.robot.end_effectors[0], self.data
        near, far = effector.hand.finger_range
        positions = (*measured.joints, near + measured.opening * (far - near))
        for name, position in zip((*effector.joints, effector.finger_joints[0]), positions, strict=True):
            joint = self.model.joint(name)
            data.qvel[joint.dofadr] = (position - data.qpos[joint.qposadr]) / period
            data.qpos[joint.qposadr] = position
        if self.objects is not None:
            self._place(self.objects.poses(tuple(self._mocap)))
        mujoco.mj_kinematics(self.model, data)
        if measured.errors:
            self.hold()
            raise DeviceError(", ".join(measured.errors))
        current = max(measured.currents, default=0.0)
        self._overcurrent_s = self._overcurrent_s + period if current > self.limits.current else 0.0
        if self._overcurrent_s > self.limits.current_time:
            self._overcurrent_s = 0.0
            self.hold()
            raise DeviceError(
                f"a servo draws {current:.2f} A, and has drawn more than {self.limits.current:.2f} A for "
                f"{self.limits.current_time:.1f} s"
            )

    def restart_timing(self) -> None:
        """Begin the next control period with the next step, so that a pause before it does not count as a delay."""
        self._due = None

    def hold(self) -> None:
        """Make the measured position the goal of all servos."""
        measured = self.measured
        assert measured is not None
        self._control.set_target(np.array(measured.joints))
        self._command_opening(measured.opening)
        self.arm.send(measured.joints, measured.opening)

    def move_to(self, joints: Sequence[float], opening: float) -> None:
        """Move slowly to joint positions (rad) along a straight line in joint space, and wait until they are reached.

        Raises:
            DeviceError: the arm does not answer, or does not reach the positions.
        """
        self.arm.reset_gripper()
        for _ in self.motion_to(joints, opening):
            self.measure()
        self.restart_timing()

    def motion_to(self, joints: Sequence[float], opening: float) -> Iterator[None]:
        """Yield after each control period of a slow motion to joint positions (rad). The caller must then measure.

        Raises:
            DeviceError: the arm does not answer, or does not reach the positions.
        """
        self._command_opening(opening)
        goal, speed = np.array(joints), self.limits.homing_speed * self.control_dt
        steps = 20 + 2 * int(np.abs(goal - self._control.target_joint_pos).max() / speed)
        while not self._is_at(goal):
            steps -= 1
            if steps < 0:
                self.hold()
                raise DeviceError("the arm does not reach its start: it may be blocked")
            start_s, end_s = self._next_period()
            largest = self.limits.homing_speed * (end_s - start_s)
            within = self._within_limits(goal, largest, keep_in_box=False)
            self._travel(within, start_s, end_s, self.limits.homing_speed)
            yield

    def tcp_at(self, joints: Sequence[float]) -> Array:
        """Return the position of the TCP (3, m, world frame) for joint positions (rad)."""
        return self._control.tcp_at(np.array(joints))

    def object_poses(self) -> dict[str, Array]:
        """Return the measured poses of the parts of the task's props, in the form of the task's initial state."""
        assert self.objects is not None
        return {name: np.array(pose) for name, pose in self.objects.poses(tuple(self._mocap)).items()}

    def reset(self, poses: Mapping[str, Sequence[float]]) -> None:
        """Do nothing after the first reset: the arm and the objects stay where they are."""
        if self.measured is None:
            super().reset(poses)

    def _is_at(self, goal: Array) -> bool:
        """Return whether the joint positions `goal` (rad) have been sent to the arm, and the arm is near them."""
        assert self.measured is not None
        sent = np.allclose(self._control.target_joint_pos, goal, atol=1e-6)
        return sent and np.allclose(self.measured.joints, goal, atol=GOAL_TOLERANCE)

    def _next_period(self) -> tuple[float, float]:
        """Return the time from which the arm can move in the next control period, and the end of the period (s).

        The time that has passed since the end of the previous period is lost: the arm does not catch up by moving
        faster.
        """
        now = self.clock.monotonic()
        due = now if self._due is None else self._due
        end = due + self.control_dt
        return min(max(now, due), end), end

    def _within_limits(self, goal: Array, farthest: float, *, keep_in_box: bool = True) -> Array:
        """Return `goal` (rad), or a point on the way to it, so that no joint moves by more than `farthest` (rad) and
        the other limits are kept.
        """
        assert self.measured is not None
        commanded, measured = self._control.target_joint_pos, np.array(self.measured.joints)
        displacement = goal - commanded
        largest = float(np.abs(displacement).max())
        if largest > farthest:  # the same factor for all joints keeps the direction
            displacement *= farthest / largest
        goal = np.clip(commanded + displacement, measured - self.limits.lead, measured + self.limits.lead)
        before, after = (self._outside(self._control.tcp_at(joints)) for joints in (commanded, goal))
        return commanded if keep_in_box and after > before + 1e-4 else goal

    def _outside(self, tcp_pos_w: Array) -> float:
        """Return the largest distance of a position from the box along an axis (m); 0 inside the box."""
        return float(
            np.maximum(np.subtract(self.box.low, tcp_pos_w), tcp_pos_w - self.box.high).max().clip(0.0)
        )

    def _travel(self, goal: Array, start_s: float, end_s: float, speed: float) -> float:
        """Move towards `goal` (rad) along a straight line in joint space until the end of the control period.

        The servos limit their speed themselves, to that with which they reach the goal at the end of the period.
        Without this, they rush from goal to goal and then stop, with high currents, and catch up with goals ahead of
        them at several times the speed. Goals whose time has passed are left out. After a long pause of this program,
        the goal is not reached.

        Args:
            goal: joint positions (rad).
            start_s: time at which the motion starts, see `_next_period`.
            end_s: end of the period (s).
            speed: largest speed of every joint (rad/s).

        Returns:
            The delay at the end of the period (s); at most 0 if there is none.
        """
        start = self._control.target_joint_pos.copy()
        near, far = self.robot.end_effectors[0].hand.finger_range
        opening = (self._simulated.commanded_fingers - near) / (far - near)
        count = max(1, round(self.control_dt / GOAL_PERIOD))
        between_s = self.control_dt / count
        duration_s = max(end_s - start_s, between_s)
        leap = LARGEST_LEAP * between_s / duration_s
        assert self.measured is not None
        needed = np.abs(goal - np.array(self.measured.joints)) / duration_s
        self.arm.limit_speed(needed.clip(min(SLOWEST, speed), speed).tolist())
        now, share = self.clock.monotonic(), 0.0
        for number in range(1, count + 1):
            due = end_s - between_s * (count - number)
            if number < count and now > due:
                continue
            planned = 1.0 if number == count else (due - start_s) / (end_s - start_s)
            share = min(planned, share + leap)
            position = start + (goal - start) * share
            self._control.set_target(position)
            self.arm.send(position.tolist(), opening)
            now = self.clock.monotonic()
            late_s = now - due
            self.clock.sleep(max(0.0, -late_s))
            now = max(now, due)
        self._due = now
        return late_s

    def _command_opening(self, opening: float) -> None:
        near, far = self.robot.end_effectors[0].hand.finger_range
        self._simulated.command_fingers(near + opening * (far - near))

    def _require_plausible(self, joints: Sequence[float]) -> None:
        """Require plausible positions: after a late answer, a bus can confuse the answers to different requests.

        Raises:
            DeviceError: a joint is out of its range, or has moved faster than possible.
        """
        arm = self.robot.end_effectors[0].arm
        before = joints if self.measured is None else self.measured.joints
        for name, at, last, (low, high) in zip(arm.joints, joints, before, arm.joint_ranges, strict=True):
            if (
                not low - JOINT_RANGE_MARGIN < at < high + JOINT_RANGE_MARGIN
                or abs(at - last) > MAX_JOINT_JUMP
            ):
                raise DeviceError(
                    f"the arm reports {math.degrees(at):.0f} degrees for {name}, and {math.degrees(last):.0f} degrees "
                    "in the previous measurement, which is not plausible"
                )
