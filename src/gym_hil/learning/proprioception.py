"""The end effector's state as policies observe it, read from `agent_pos`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.robots.base import Robot

CENTRE = np.array([0.4, 0.0, 0.1], np.float32)
"""Middle of the workspace (m, world frame)."""
REACH = 0.2
"""Scale of positions in the features (m)."""


class Proprioception:
    """Reads the first end effector's state from observations.

    `agent_pos` contains the positions and the velocities of all joints, then the gripper, from 0 (open) to 255
    (closed), and the position of the TCP (m, world frame).

    Args:
        robot: the observed robot.
    """

    terms = ("tcp_pos[3]", "gripper[1]")

    def __init__(self, robot: Robot) -> None:
        self._joints = len(robot.end_effectors[0].joints)
        self._gripper = 2 * self._joints

    def tcp_pos(self, observation: dict[str, Any]) -> NDArray[Any]:
        """Return the position of the TCP (3, m, world frame)."""
        return observation[schema.AGENT_POS][self._gripper + 1 : self._gripper + 4]

    def joint_pos(self, observation: dict[str, Any]) -> NDArray[Any]:
        """Return the positions of all joints (rad)."""
        return observation[schema.AGENT_POS][: self._joints]

    def tcp_wrench(self, observation: dict[str, Any]) -> NDArray[Any]:
        """Return the wrench at the TCP (3, N, and 3, N m): an entry of its own, or else the end of `agent_pos`."""
        return observation.get(schema.TCP_WRENCH, observation[schema.AGENT_POS][-6:])

    def closure(self, observation: dict[str, Any]) -> float:
        """Return the closure of the gripper, from 0 (open) to 1 (closed)."""
        return float(observation[schema.AGENT_POS][self._gripper]) / schema.FULLY_CLOSED

    def features(self, observation: dict[str, Any]) -> NDArray[np.float32]:
        """Return the scaled position of the TCP and the scaled closure of the gripper (4)."""
        closed = observation[schema.AGENT_POS][self._gripper] * (2.0 / schema.FULLY_CLOSED) - 1.0
        return np.array([*((self.tcp_pos(observation) - CENTRE) / REACH), closed], np.float32)
