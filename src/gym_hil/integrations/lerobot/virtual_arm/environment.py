"""The arm's task as an environment of this package, in which the servos act instead of the environment's action.

So everything that this package has for its environments works beside a program that drives the arm: operators move the
leader's handle, windows and pages show what happens, and a success ends an episode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mujoco
import numpy as np

from gym_hil.core.step_record import Action
from gym_hil.envs.actions import JointPositions
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.integrations.lerobot.virtual_arm.arm import Arm
from gym_hil.robots.base import Robot
from gym_hil.robots.geometry import Box
from gym_hil.simulation.simulation import Simulation

PHYSICS_DT = 0.004
"""Seconds per physics step, and between two looks at the servos."""


class ServedSimulation(Simulation):
    """A simulation that calls `serve` before every physics step, and whose robot stays where it is in a reset."""

    serve: Callable[[], None] | None = None

    def reset(self, poses: Mapping[str, Sequence[float]]) -> None:
        """Put the parts of props at `poses`. The robot is put at its home the first time, or if it went wild."""
        data = self.data
        if self.serve is None or not self.stable:
            super().reset(poses)
            return
        joints = [self.model.joint(number) for number in range(self.model.njnt)]
        prefixes = tuple(
            prefix for one in self.robot.end_effectors for prefix in (one.arm_prefix, one.hand_prefix)
        )
        arm = [joint for joint in joints if joint.name.startswith(prefixes)]
        qpos, dofs = [int(joint.qposadr[0]) for joint in arm], [int(joint.dofadr[0]) for joint in arm]
        kept = data.qpos[qpos], data.qvel[dofs], data.act.copy(), data.ctrl.copy()
        super().reset(poses)
        data.qpos[qpos], data.qvel[dofs], data.act[:], data.ctrl[:] = kept
        mujoco.mj_forward(self.model, data)

    def _advance(self) -> None:
        for substep in range(self._nstep):
            if self.serve is not None:
                self.serve()
            mujoco.mj_step(self.model, self.data, 1)
            if substep % self._watch_every == 0:
                for watcher in self.watchers:
                    watcher(self.data)


class LeaderHand(JointPositions):
    """Actions that move the handle of a leader arm: joint positions (degrees), and the opening (0 to 100).

    A person watches the follower and moves the leader so that the follower does the task. The motion is therefore
    computed from where the follower is told to be.

    Args:
        robot: the robot that follows, and a leader of the same size.
    """

    leader: Arm | None = None

    def __init__(self, robot: Robot) -> None:
        super().__init__(robot)
        self._at: Action | None = None

    def neutral(self) -> Action:
        """Return where the hand is."""
        if self._at is None:
            leader = self.leader
            *arm, fingers = leader.positions if leader is not None else self._follower()
            self._at = self.clip([*np.degrees(arm), self._opening(fingers)])
        return self._at.copy()

    def apply(self, values: list[float], limits: Box) -> None:
        """Move the hand there during the next control period, unless commands move it."""
        leader = self.leader
        if leader is None or leader.hand.scripted:
            self._at = None
            return
        self._at = np.array(values, np.float32)
        fingers = self._shut + values[-1] / self._FULLY_OPEN * (self._wide - self._shut)
        leader.hand.follow([*np.radians(values[:-1]), fingers], self._simulation.control_dt)

    def _follower(self) -> list[float]:
        return [*self._control.target_joint_pos, self._end_effector.commanded_fingers]


class VirtualArmEnv(ManipulationEnv):
    """A task whose robot is driven by a program at its serial port.

    Args:
        task: the task's name.
        robot: the robot.
        kwargs: of `ManipulationEnv`.
    """

    def __init__(self, task: str, robot: Robot, **kwargs: Any) -> None:
        self.hand = LeaderHand(robot)
        super().__init__(
            task,
            robot=robot,
            action_term=self.hand,
            physics_dt=PHYSICS_DT,
            random_block_position=True,
            **kwargs,
        )

    def hand_over(self) -> None:
        """Do nothing: the servos keep their set-points, whoever moves the leader."""

    def _simulate(self, robot: Robot, control_dt: float, physics_dt: float) -> Simulation:
        return ServedSimulation(
            robot, self.task.scene, control_dt=control_dt, physics_dt=physics_dt, control="joint"
        )
