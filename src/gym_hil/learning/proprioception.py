"""The state of the end effectors as policies observe it, read from `agent_pos`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.envs.observations import proprioception_layout
from gym_hil.robots.base import Robot

CENTRE = np.array([0.4, 0.0, 0.1], np.float32)
"""Middle of the workspace (m, world frame)."""
REACH = 0.2
"""Scale of positions in the features (m)."""
TERMS = ("tcp_pos[3]", "gripper[1]")
"""Features of one end effector, each as ``name[size]``."""


class ProprioceptiveState:
    """Reads the state of the end effectors from observations, see `proprioception_layout`.

    Args:
        robot: the observed robot.

    Attributes:
        terms: names of the features, each as ``name[size]``.
    """

    def __init__(self, robot: Robot) -> None:
        layout, prefixes = (
            proprioception_layout(robot),
            [end_effector.prefix for end_effector in robot.end_effectors],
        )
        self._joints = [layout[f"{prefix}joint_pos"] for prefix in prefixes]
        self._wrench = 6 * len(prefixes)
        self._tcps = [layout[f"{prefix}tcp_pos"] for prefix in prefixes]
        self._grippers = [layout[f"{prefix}gripper"].start for prefix in prefixes]
        self.terms = tuple(prefix + name for prefix in prefixes for name in TERMS)

    def tcps_pos(self, observation: dict[str, Any]) -> list[NDArray[Any]]:
        """Return the position of every TCP (3, m, world frame)."""
        return [observation[schema.AGENT_POS][tcp] for tcp in self._tcps]

    def tcp_pos(self, observation: dict[str, Any]) -> NDArray[Any]:
        """Return the position of the first TCP (3, m, world frame)."""
        return observation[schema.AGENT_POS][self._tcps[0]]

    def joint_pos(self, observation: dict[str, Any]) -> NDArray[Any]:
        """Return the positions of all joints (rad)."""
        return np.concatenate([observation[schema.AGENT_POS][joints] for joints in self._joints])

    def tcp_wrench(self, observation: dict[str, Any]) -> NDArray[Any]:
        """Return force (3, N) and torque (3, N m) at every TCP, from their own entry or the end of `agent_pos`."""
        return observation.get(schema.TCP_WRENCH, observation[schema.AGENT_POS][-self._wrench :])

    def closure(self, observation: dict[str, Any]) -> float:
        """Return the closure of the first gripper, from 0 (open) to 1 (closed)."""
        return float(observation[schema.AGENT_POS][self._grippers[0]]) / schema.FULLY_CLOSED

    def features(self, observation: dict[str, Any]) -> NDArray[np.float32]:
        """Return the scaled position of every TCP and the scaled closure of its gripper."""
        agent, features_of_effectors = observation[schema.AGENT_POS], []
        for tcp, gripper in zip(self._tcps, self._grippers, strict=True):
            closed = agent[gripper] * (2.0 / schema.FULLY_CLOSED) - 1.0
            features_of_effectors += [*((agent[tcp] - CENTRE) / REACH), closed]
        return np.array(features_of_effectors, np.float32)
