"""Names shared by everything: observation keys, info keys, episode events, gripper commands."""

from __future__ import annotations

import enum

ID_NAMESPACE = "gym_hil"

# Observation keys.
AGENT_POS = "agent_pos"
ENVIRONMENT_STATE = "environment_state"
TCP_WRENCH = "tcp_wrench"
PIXELS = "pixels"

# Info keys that every step carries.
STEP = "step"
IS_INTERVENTION = "is_intervention"
TELEOP_ACTION = "teleop_action"
ACTION_INTERVENTION = "action_intervention"
POLICY_ACTION = "policy_action"
HUMAN_ACTION = "human_action"
INTERVENTION_ID = "intervention_id"
PHASE = "phase"
SUCCEED = "succeed"
IS_SUCCESS = "is_success"
DISCRETE_PENALTY = "discrete_penalty"
NEXT_SUCCESS = "next.success"
RERECORD_EPISODE = "rerecord_episode"
TERMINATE_EPISODE = "terminate_episode"
TERMINATION_REASON = "termination_reason"

# Info key present only while a human acts.
INTERVENE_ACTION = "intervene_action"

FULLY_CLOSED = 255.0
"""Gripper entry of `agent_pos` when the fingers touch; 0 is fully open."""


class GripperCommand(enum.IntEnum):
    """Gripper part of a wrapped action, as LeRobot's `GripperAction` numbers it."""

    CLOSE = 0
    STAY = 1
    OPEN = 2


class EpisodeEvent(str, enum.Enum):
    """Something a person tells about the episode by pressing a button once."""

    SUCCESS = "success"
    FAILURE = "failure"
    RERECORD = "rerecord_episode"
    PAUSE = "pause"
    RESET = "reset"
    TOGGLE_INTERVENTION = "toggle_intervention"
    NEXT_SPEED = "next_speed"


class TerminationReason(str, enum.Enum):
    """Why an episode ended. A time limit is a truncation without one; a human's reset is a truncation."""

    SUCCESS = "success"
    OUT_OF_REACH = "object_out_of_reach"
    TOPPLED = "object_toppled"
    UNSTABLE = "simulation_unstable"
    HUMAN_SUCCESS = "human_success"
    HUMAN_FAILURE = "human_failure"
    RERECORD = "rerecord_episode"
    HUMAN_RESET = "human_reset"


HUMAN_REASONS = frozenset(
    {
        TerminationReason.HUMAN_SUCCESS,
        TerminationReason.HUMAN_FAILURE,
        TerminationReason.RERECORD,
        TerminationReason.HUMAN_RESET,
    }
)
"""Reasons that a human gave."""
