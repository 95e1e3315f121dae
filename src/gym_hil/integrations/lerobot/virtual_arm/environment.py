"""The arm's task as an environment of this package, in which the servos act instead of the environment's
action.

All features for environments therefore work while a program drives the arm: operators move the leader, windows and
pages show the scene, and a success ends an episode.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mujoco
import numpy as np

from gym_hil.core.step_record import Action
from gym_hil.envs.joint_actions import JointPositions
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.integrations.lerobot.virtual_arm.arm import ServoArm
from gym_hil.robots.base import Robot
from gym_hil.robots.geometry import Box
from gym_hil.simulation.joint_control import JointControl
from gym_hil.simulation.simulation import Array, Simulation

PHYSICS_DT = 0.004
"""Duration of a physics step, and time between two updates of the servos (s)."""
HAND_STEP = 0.008
"""Motion of a hand at full speed per control period (m). The follower lags by a few tenths of a second, so
that a person who watches it would overshoot at higher speeds."""


class ServedSimulation(Simulation):
    """A simulation that calls `serve` before every physics step, and whose reset does not move the robot."""

    serve: Callable[[], None] | None = None

    def reset(self, poses: Mapping[str, Sequence[float]]) -> None:
        """Set the props to `poses`. The robot is set to its home configuration only at the first reset and
        after an unstable step.
        """
        data = self.data
        if self.serve is None or not self.stable:
            super().reset(poses)
            return
        joints = [self.model.joint(number) for number in range(self.model.njnt)]
        prefixes = tuple(
            prefix
            for end_effector in self.robot.end_effectors
            for prefix in (end_effector.arm_prefix, end_effector.hand_prefix)
        )
        arm = [joint for joint in joints if joint.name.startswith(prefixes)]
        qpos, dofs = [int(joint.qposadr[0]) for joint in arm], [int(joint.dofadr[0]) for joint in arm]
        kept = data.qpos[qpos], data.qvel[dofs], data.act.copy(), data.ctrl.copy()
        super().reset(poses)
        data.qpos[qpos], data.qvel[dofs], data.act[:], data.ctrl[:] = kept
        mujoco.mj_forward(self.model, data)

    def advance(self, ticks: int) -> None:
        """Simulate some physics steps."""
        for substep in range(ticks):
            if self.serve is not None:
                self.serve()
            mujoco.mj_step(self.model, self.data, 1)
            if substep % self._watch_every == 0:
                for watcher in self.watchers:
                    watcher(self.data)


FOLLOWS_AFTER = 3
"""Number of control periods after which the follower is compared with the hand."""
LEARNING_RATE = 0.1
"""Share of a new displacement between hand and follower that the person learns per control period."""


class HandControl(JointControl):
    """Joint control by the hand at a leader: the set-points are the positions of the hand.

    A program can let the follower execute the motions of the leader in a different position. The person learns the
    displacement between them.

    Attributes:
        positions: positions at which the hand holds the arm's joints (rad).
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._act = self._act.copy()
        self._apart = np.zeros(3)
        self._before: deque[Array] = deque(maxlen=FOLLOWS_AFTER)

    @property
    def target_pos_w(self) -> Array:
        """Position to which the hand moves the follower's TCP (3, m, world frame), as the person expects."""
        return super().target_pos_w + self._apart

    def watch(self, tcp_pos_w: Array) -> None:
        """Learn the displacement between the leader and the follower, whose TCP is at `tcp_pos_w` (3, m)."""
        self._before.append(super().target_pos_w)
        self._apart += LEARNING_RATE * (tcp_pos_w - self._before[0] - self._apart)

    @property
    def positions(self) -> Array:
        """Positions at which the hand holds the arm's joints (rad)."""
        return self._act

    def anchor(self) -> None:
        """Do nothing: the set-points are those of the hand."""


class LeaderHand(JointPositions):
    """Actions that move a leader arm: joint positions (degrees), and the opening (0 to 100).

    A person watches the follower and moves the leader relative to the current position of the hand.

    Args:
        effector: the following arm; the leader has the same kinematics.
    """

    leader: ServoArm | None = None
    scale = np.full(3, HAND_STEP)

    def attach(self, leader: ServoArm) -> None:
        """Let actions move the hand at `leader` from now on."""
        self.leader = leader
        simulation = self._simulation
        effector = self._end_effector
        self._handle = HandControl(simulation.model, simulation.data, effector.spec, simulation.control_dt)
        effector.control = self._handle
        self._forget()

    def neutral(self) -> Action:
        """Return the position of the hand or, without a leader, the set-points of the follower."""
        if self.leader is None:
            return super().neutral()
        return self.clip([*np.degrees(self._handle.positions), self._opening(self._fingers)])

    def apply(self, values: list[float], limits: Box) -> None:
        """Move the hand during the next control period, unless commands of the console move it.

        While the leader's torque is enabled, a program holds or moves the leader, and the hand releases it.
        """
        leader = self.leader
        if leader is None:
            return
        if leader.hand.scripted:
            self._forget()
            return
        if leader.powered:
            leader.hand.release()
            self._forget()
            return
        self._handle.watch(self._simulation.tcp_pos_w)
        self._handle.positions[:] = np.radians(values[:-1])
        self._fingers = self._closed_position + values[-1] / self._FULLY_OPEN * (
            self._open_position - self._closed_position
        )
        leader.hand.follow([*self._handle.positions.tolist(), self._fingers], self._simulation.control_dt)

    def _forget(self) -> None:
        assert self.leader is not None
        positions = self.leader.positions
        self._handle.positions[:], self._fingers = positions[:-1], positions[-1]


class VirtualArmEnv(ManipulationEnv):
    """A task whose robot is driven by a program at its serial port.

    Args:
        task: the task's name.
        robot: the robot.
        kwargs: arguments of `ManipulationEnv`.
    """

    def __init__(self, task: str, robot: Robot, **kwargs: Any) -> None:
        self.hand = LeaderHand(robot.end_effectors[0])
        super().__init__(
            task,
            robot=robot,
            action_term=self.hand,
            physics_dt=PHYSICS_DT,
            random_block_position=True,
            **kwargs,
        )

    def hand_over(self) -> None:
        """Do nothing: the servos keep their set-points when the operator of the leader changes."""

    def _simulate(self, robot: Robot, control_dt: float, physics_dt: float) -> Simulation:
        return ServedSimulation(
            robot, self.task.scene, control_dt=control_dt, physics_dt=physics_dt, control="joint"
        )
