"""The scripted expert: acts at every step, as the task's own script would."""

from __future__ import annotations

from gym_hil.intervention.operator import Decision, Operator, View


class Expert(Operator):
    """Acts at every step. An oracle for tests: it sees the simulator's state and makes no mistakes."""

    name = "expert"

    def decide(self, view: View) -> Decision:
        """Return the expert's action."""
        return Decision(view.expert_action)
