"""The record of one step: who wanted what, what was executed, and what came of it.

The record is built once per step, by the takeover wrapper or, without one, by the environment. Whatever else
tells of a step is derived from it: the info keys of LeRobot, HIL-SERL and gym-hil 0.1.14 (`StepRecord.to_info`),
the columns of a recording, the transition that a learner stores, and what viewers show.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gym_hil.core import schema
from gym_hil.core.schema import EpisodeEvent, TerminationReason

Action = NDArray[np.float32]
Phase = Literal["policy", "takeover", "human", "release"]
PHASES: tuple[Phase, ...] = ("policy", "takeover", "human", "release")
"""``"takeover"`` is the first step of an intervention, or of one with other hands, and ``"release"`` the
first step after it."""


@dataclass(kw_only=True, eq=False, slots=True)
class StepRecord:
    """Everything that is known of one step. Actions are in the environment's action space.

    Records are compared by value and cannot be hashed. Nobody changes a record that has been handed out.

    Attributes:
        step: number of steps of the episode so far, this one included; 0 in the record of a reset.
        policy_action: what the policy proposed, clipped to the action space.
        human_action: what the human wanted, or None while the policy acts.
        executed_action: what the robot executed. Learners store this action.
        neutral_action: the action that moves nothing.
        phase: where in an intervention the step lies.
        intervention_id: 0 while the policy acts; 1, 2, ... count the interventions of the episode.
        events: what the human told about the episode in this step, oldest first.
        reading: the `DeviceReading` that the human's action came from, or None without a device.
        reward: the reward, after the human's verdict.
        terminated: whether the episode ended by success, failure or a human's verdict.
        truncated: whether it was cut off by a time limit or by a human's reset. Never together with `terminated`.
        reason: why the episode ended; None while it goes on and at a time limit.
        success: whether the episode ended in success.
        discrete_penalty: penalty for switching the gripper, or 0.
    """

    executed_action: Action
    policy_action: Action
    neutral_action: Action
    human_action: Action | None = None
    step: int = 0
    phase: Phase = "policy"
    intervention_id: int = 0
    events: tuple[EpisodeEvent, ...] = ()
    reading: Any = None
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    reason: TerminationReason | None = None
    success: bool = False
    discrete_penalty: float = 0.0

    def __eq__(self, other: object) -> bool:
        """Return whether another record tells the same, number by number."""
        if not isinstance(other, StepRecord):
            return NotImplemented
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a is b or a == b for a, b in pairs)

    @property
    def is_intervention(self) -> bool:
        """Whether the human acted."""
        return self.human_action is not None

    @property
    def done(self) -> bool:
        """Whether the episode ended with this step."""
        return self.terminated or self.truncated

    def to_info(self) -> dict[str, Any]:
        """Return the info of the step: the record, and the keys that existing programs read.

        Returns:
            A dictionary with the same keys in every step and reset, but for ``intervene_action``, which HIL-SERL
            expects only while a human acts.
        """
        human = self.human_action
        info: dict[str, Any] = {
            schema.STEP: self,
            schema.IS_INTERVENTION: human is not None,
            schema.TELEOP_ACTION: self.executed_action,
            schema.ACTION_INTERVENTION: self.executed_action,
            schema.POLICY_ACTION: self.policy_action,
            schema.HUMAN_ACTION: self.neutral_action.copy() if human is None else human,
            schema.INTERVENTION_ID: self.intervention_id,
            schema.PHASE: self.phase,
            schema.SUCCEED: self.success,
            schema.IS_SUCCESS: self.success,
            schema.NEXT_SUCCESS: self.success,
            schema.DISCRETE_PENALTY: self.discrete_penalty,
            schema.TERMINATION_REASON: self.reason.value if self.reason else "",
            schema.RERECORD_EPISODE: self.reason is TerminationReason.RERECORD,
            schema.TERMINATE_EPISODE: self.reason in schema.HUMAN_REASONS,
        }
        if human is not None:
            info[schema.INTERVENE_ACTION] = human
        return info
