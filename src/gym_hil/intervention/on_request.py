"""A human who does not watch, and acts when called by a policy that recognises its own uncertainty."""

from __future__ import annotations

from typing import Any

from gym_hil.core.environment import EnvironmentInterface
from gym_hil.intervention.operator import POLICY_ACTS, Decision, Operator, View


class OnRequest(Operator):
    """Acts when called, after the human's reaction time.

    Args:
        operator: the operator who then acts. It must take over at once and never hand back, as those of
            `gym_hil.intervention.named.make_demonstrator` do.

    Attributes:
        called: whether the human should act in the next step.
    """

    name = "on request"

    def __init__(self, operator: Operator) -> None:
        self.called = False
        self._operator = operator
        self._was_called = False

    def reset(self, env: EnvironmentInterface, seed: int | None) -> None:
        """Begin an episode."""
        self._was_called = False
        self._operator.reset(env, seed)

    def decide(self, view: View) -> Decision:
        """Act if called."""
        begins, self._was_called = self.called and not self._was_called, self.called
        if begins:
            self._operator.reset(view.env, None)  # the reaction time applies to every call
        return self._operator.decide(view) if self.called else POLICY_ACTS

    def get_state(self) -> Any:
        """Return whether the human is called, and the operator's state."""
        return self.called, self._was_called, self._operator.get_state()

    def set_state(self, state: Any) -> None:
        """Restore what `get_state` returned."""
        self.called, self._was_called, operator = state
        self._operator.set_state(operator)

    def close(self) -> None:
        """Release the operator."""
        self._operator.close()
