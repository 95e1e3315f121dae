"""A model of an arm outside the simulation, which is moved to where the arm says that it is.

It serves for kinematics and pictures only, so that actions, observations, operators and pages are those of simulated
environments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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

BEYOND = 0.3
"""Largest distance of a position from the joint's range (rad): calibrations differ."""
SUDDEN = 0.7
"""Largest motion of a joint between two measurements (rad); an SO-101's servo turns by about 0.5 rad in 0.1 s."""
GOAL_PERIOD = 0.0125
"""Time between two goals that are sent within a control period (s). With a single goal per period, a servo rushes there
and stops: on the virtual arm at 10 Hz, the elbow's load was above 80 % in 40 % of the time, and a servo overheated
after nine minutes of training.
"""
ARRIVED = 0.15
"""An arm is at its start if no joint is farther away (rad): the servos of an SO-101 give way under its weight."""


@dataclass(frozen=True, kw_only=True)
class SafetyLimits:
    """What an arm outside the simulation never exceeds.

    Attributes:
        joint_speed: of every joint, while it acts (rad/s).
        homing_speed: of every joint, on the way to the start (rad/s).
        lead: farthest that a servo's goal is from its measured position (rad).
        current: of every servo (A), where the arm measures it; if one draws more for `current_time`, the arm stops and
            the episode ends.
        current_time: s; a joint that starts to move draws much current for a moment.
        workspace: box that the TCP is kept in (world frame, which is the arm's base); None for the robot's.
    """

    joint_speed: float = 1.5
    homing_speed: float = 0.5
    lead: float = 0.3
    current: float = 1.5
    current_time: float = 0.5
    workspace: Box | None = None


USUAL_LIMITS = SafetyLimits()


class RemoteControl(JointControl):
    """Joint control whose set-points are what an arm was sent; nothing is simulated."""

    def command_joints(self, positions: Vector) -> None:
        """Send the joints to `positions` (rad) in the next control period, or as far as they turn."""
        self._goal = np.clip(positions, self._low, self._high).tolist()

    @property
    def wanted(self) -> Array:
        """Where the joints are to go in the next control period (rad), a fresh array."""
        return self._act.copy() if self._goal is None else np.array(self._goal)

    def set_target(self, positions: Array) -> None:
        """Note that the joints were sent to `positions` (rad)."""
        self._act[:] = positions
        self._goal = None

    def tcp_at(self, positions: Array) -> Array:
        """Return where the TCP is (3, m, world frame) with the joints at `positions` (rad)."""
        self._commanded.qpos[self._qpos] = positions
        mujoco.mj_kinematics(self._model, self._commanded)
        return self._commanded.site_xpos[self._tcp].copy()


class Mirror(Simulation):
    """A model of an arm that is where the arm is; its step is one control period of the arm.

    Attributes:
        arm: the arm.
        measured: what it measured last; None before it was reached.
        limits: what it never exceeds.
        box: what the TCP is kept in (world frame).
        clock: keeps the control rate.
        objects: where the objects are; None if nobody measures that.
        steps: number of control periods in which it acted.
        overruns: number of those that took longer than planned.
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
    _strained_s: float = 0.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, control="joint", **options)
        effector = self._simulated
        self._control = RemoteControl(self.model, self.data, effector.spec, self.control_dt)
        effector.control = self._control
        self._controls = [self._control]

    def step(self) -> None:
        """Send the arm where it is told to go, within its limits, and measure at the end of the period.

        Raises:
            DeviceError: it does not answer, or a servo draws too much current. It holds its position.
        """
        late_s = self._travel(self._within_limits(self._control.wanted, self.limits.joint_speed))
        self.steps += 1
        if late_s > 0.0:
            self.overruns += 1
            self.worst_overrun_s = max(self.worst_overrun_s, late_s)
        self._measure()

    def reach(self) -> None:
        """Connect to the arm, and begin where it is."""
        self.arm.connect()
        self.measured = None
        self.rest()
        self._measure()
        self.hold()

    def rest(self) -> None:
        """Let the next control period begin when its step is called, however long ago the last one was."""
        self._due = None

    def hold(self) -> None:
        """Make the measured position the goal of all servos."""
        measured = self.measured
        assert measured is not None
        self._control.set_target(np.array(measured.joints))
        self._command_opening(measured.opening)
        self.arm.send(measured.joints, measured.opening)

    def go(self, joints: Sequence[float], opening: float) -> None:
        """Go to a configuration (rad) along a straight line in joint space, slowly, and wait for it.

        Raises:
            DeviceError: the arm does not answer, or does not get there.
        """
        self.arm.renew_grip()
        self._command_opening(opening)
        goal, speed = np.array(joints), self.limits.homing_speed * self.control_dt
        steps = 20 + 2 * int(np.abs(goal - self._control.target_joint_pos).max() / speed)
        while not self._is_at(goal):
            steps -= 1
            if steps < 0:
                self.hold()
                raise DeviceError("the arm does not get to its start: something is in its way")
            self._travel(self._within_limits(goal, self.limits.homing_speed, keep_in_box=False))
            self._measure()
        self.rest()

    def places(self) -> dict[str, Array]:
        """Return where the parts of the task's props are, in the form of the task's start."""
        assert self.objects is not None
        return {name: np.array(pose) for name, pose in self.objects.poses(tuple(self._mocap)).items()}

    def reset(self, poses: Mapping[str, Sequence[float]]) -> None:
        """Leave the arm and the objects where they are."""
        if self.measured is None:
            super().reset(poses)

    def _is_at(self, goal: Array) -> bool:
        """Return whether the arm was sent to a configuration (rad) and is near it."""
        assert self.measured is not None
        sent = np.allclose(self._control.target_joint_pos, goal, atol=1e-6)
        return sent and np.allclose(self.measured.joints, goal, atol=ARRIVED)

    def _within_limits(self, wanted: Array, speed: float, *, keep_in_box: bool = True) -> Array:
        assert self.measured is not None
        now, here = self._control.target_joint_pos, np.array(self.measured.joints)
        way = wanted - now
        largest = float(np.abs(way).max())
        if largest > speed * self.control_dt:  # all joints alike, so that the direction stays
            way *= speed * self.control_dt / largest
        goal = np.clip(now + way, here - self.limits.lead, here + self.limits.lead)
        before, after = (self._outside(self._control.tcp_at(joints)) for joints in (now, goal))
        return now if keep_in_box and after > before + 1e-4 else goal

    def _outside(self, tcp_pos_w: Array) -> float:
        """Return how far a position is outside the box, along the axis where it is farthest (m); 0 inside."""
        return float(
            np.maximum(np.subtract(self.box.low, tcp_pos_w), tcp_pos_w - self.box.high).max().clip(0.0)
        )

    def _travel(self, goal: Array) -> float:
        """Move to `goal` (rad) along a straight line in joint space until the end of the control period.

        Returns:
            By how much the end was missed (s); at most 0 if it was not.
        """
        start = self._control.target_joint_pos.copy()
        self._control.set_target(goal)
        near, far = self.robot.end_effectors[0].hand.finger_range
        opening = (self._simulated.commanded_fingers - near) / (far - near)
        now = self.clock.monotonic()
        due = now if self._due is None else self._due
        period = self.control_dt
        count = max(1, round(period / GOAL_PERIOD))
        for number in range(1, count + 1):
            due += period / count
            if number < count and now > due:
                continue
            self.arm.send((start + (goal - start) * (number / count)).tolist(), opening)
            now = self.clock.monotonic()
            late_s = now - due
            self.clock.sleep(max(0.0, -late_s))
            now = max(now, due)
        self._due = now
        return late_s

    def _command_opening(self, opening: float) -> None:
        near, far = self.robot.end_effectors[0].hand.finger_range
        self._simulated.command_fingers(near + opening * (far - near))

    def _measure(self) -> None:
        measured = self.arm.read()
        self._require_plausible(measured.joints)
        self.measured = measured
        effector, data = self.robot.end_effectors[0], self.data
        near, far = effector.hand.finger_range
        positions = (*measured.joints, near + measured.opening * (far - near))
        for name, position in zip((*effector.joints, effector.finger_joints[0]), positions, strict=True):
            joint = self.model.joint(name)
            data.qvel[joint.dofadr] = (position - data.qpos[joint.qposadr]) / self.control_dt
            data.qpos[joint.qposadr] = position
        if self.objects is not None:
            self._place(self.objects.poses(tuple(self._mocap)))
        mujoco.mj_kinematics(self.model, data)
        current = max(measured.currents, default=0.0)
        self._strained_s = self._strained_s + self.control_dt if current > self.limits.current else 0.0
        if self._strained_s > self.limits.current_time:
            self._strained_s = 0.0
            self.hold()
            raise DeviceError(
                f"a servo draws {current:.2f} A, and for {self.limits.current_time:.1f} s has drawn more than "
                f"{self.limits.current:.2f} A"
            )

    def _require_plausible(self, joints: Sequence[float]) -> None:
        """Refuse positions that an arm cannot have: after a late answer, a bus confuses answers to different requests.

        Raises:
            DeviceError: a joint is out of its range, or has moved faster than it can.
        """
        arm = self.robot.end_effectors[0].arm
        before = joints if self.measured is None else self.measured.joints
        for name, at, last, (low, high) in zip(arm.joints, joints, before, arm.joint_ranges, strict=True):
            if not low - BEYOND < at < high + BEYOND or abs(at - last) > SUDDEN:
                raise DeviceError(
                    f"the arm says that {name} is at {math.degrees(at):.0f} degrees, and said {math.degrees(last):.0f} "
                    "before: its answers cannot be right"
                )
