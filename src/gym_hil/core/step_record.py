"""The record of a step: the actions of policy and human, the executed action, and the result.

The takeover wrapper builds one record per step, or the environment if there is no such wrapper. All other
descriptions of a step are derived from it: the info keys of LeRobot, HIL-SERL and gym-hil 0.1.14
(`StepRecord.to_info`), the columns of a recording, the transition for a learner, and the display of viewers.
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
"""Phases of a step: ``"takeover"`` is the first step of an intervention, and also a step in which the human begins to
drive other end effectors. ``"release"`` is the first step after an intervention."""


@dataclass(kw_only=True, eq=False, slots=True)
class StepRecord:
    """The record of one step. Actions are in the environment's action space.

    Records are compared by value, cannot be hashed, and must not be changed.

    Attributes:
        step: number of steps of the episode, including this one; 0 in the record of a reset.
        policy_action: the policy's action, clipped to the action space.
        human_action: the human's action, or None while the policy acts.
        executed_action: the action that the robot executed. Learners store this action.
        neutral_action: the action that causes no motion.
        phase: phase of the step, see `PHASES`.
        intervention_id: number of the intervention in the episode, from 1; 0 while the policy acts.
        events: events of the human in this step, oldest first.
        reading: the `DeviceReading` of the human's action, or None without a device.
        reward: the reward, after the human's verdict.
        terminated: whether the episode ended by success, failure or a human's verdict.
        truncated: whether the episode ended by a time limit or a human's reset. Never true together with
            `terminated`.
        reason: reason of the episode's end; None before the end and at a time limit.
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
        """Return whether all fields are equal, including all entries of arrays."""
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
            A dictionary with the same keys for every step and reset, except ``intervene_action``, which
            HIL-SERL expects only while a human acts.
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
