"""The scripted expert: turns a task's intent into end-effector actions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.schema import GripperCommand
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.intervention.operator import Action, Decision, Operator, View, ee_action


def expert_command(
    env: ManipulationEnv, scale: NDArray[np.float64], misplaced: NDArray[np.float64] | float = 0.0
) -> Action:
    """Return the expert's action (4) in the state of `env`; `scale` is in metres per unit. The expert sees
    its goal `misplaced` by as much (3, m, world axes).
    """
    goal, opening = env.expert_intent()
    x, y, z = np.clip((goal + misplaced - env.simulation.target_pos_w) / scale, -1.0, 1.0)
    gripper = GripperCommand.OPEN if opening > 0.5 else GripperCommand.CLOSE
    return ee_action(x, y, z, gripper)


def expert_action(view: View) -> Action:
    """Return the expert's action (4) for the step that `view` shows."""
    return expert_command(view.env, view.scale)


class Expert(Operator):
    """Acts at every step."""

    name = "expert"

    def decide(self, view: View) -> Decision:
        """Act."""
        return Decision(expert_action(view))
