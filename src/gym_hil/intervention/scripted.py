"""The scripted expert as an operator that acts in every step."""

from __future__ import annotations

from gym_hil.intervention.operator import Decision, Operator, View


class Expert(Operator):
    """Acts in every step as the task's expert, which knows the state of the simulator and makes no mistakes."""

    name = "expert"

    def decide(self, view: View) -> Decision:
        """Return the expert's action."""
        return Decision(view.expert_action)
