"""The scripted expert: turns a task's intent into end-effector actions."""

from __future__ import annotations

import numpy as np

from gym_hil.operators.base import Action, Decision, Operator, View, ee_action
from gym_hil.schema import GripperCommand


def expert_action(view: View) -> Action:
    """Return the expert's action (4) for the state that `view` shows."""
    goal, opening = view.env.expert_intent()
    way = (goal - view.env.simulation.target_pos_w) / view.scale
    x, y, z = np.clip(way, -1.0, 1.0)
    gripper = GripperCommand.OPEN if opening > 0.5 else GripperCommand.CLOSE
    return ee_action(x, y, z, gripper)


class Expert(Operator):
    """Acts at every step."""

    name = "expert"

    def decide(self, view: View) -> Decision:
        """Act."""
        return Decision(expert_action(view))
