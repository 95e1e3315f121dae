"""Shared names: observation keys, info keys, episode events and gripper commands."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

ID_NAMESPACE = "gym_hil"

# Observation keys.
AGENT_POS = "agent_pos"
ENVIRONMENT_STATE = "environment_state"
TCP_WRENCH = "tcp_wrench"
PIXELS = "pixels"

# Info keys of every step.
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

# Info key of steps in which a human acts.
INTERVENE_ACTION = "intervene_action"

FULLY_CLOSED = 255.0
"""Gripper entry of `agent_pos` when the gripper is closed; 0 is fully open."""


class GripperCommand(enum.IntEnum):
    """Gripper command of an action, with the numbers of LeRobot's `GripperAction`."""

    CLOSE = 0
    STAY = 1
    OPEN = 2


class EpisodeEvent(str, enum.Enum):
    """An event that a person triggers by pressing a button."""

    SUCCESS = "success"
    FAILURE = "failure"
    RERECORD = "rerecord_episode"
    PAUSE = "pause"
    RESET = "reset"
    TOGGLE_INTERVENTION = "toggle_intervention"
    NEXT_SPEED = "next_speed"


class TerminationReason(str, enum.Enum):
    """Reason of the end of an episode. There is none at a time limit; a human's reset is a truncation."""

    SUCCESS = "success"
    OUT_OF_REACH = "object_out_of_reach"
    TOPPLED = "object_toppled"
    UNSTABLE = "simulation_unstable"
    DEVICE_ERROR = "device_error"
    """A robot outside the simulation did not answer, or was stopped by its limits; a truncation."""
    LEARNED_SUCCESS = "learned_success"
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
"""Reasons that a human has given."""


EARLIER_KEYS: Mapping[str, str] = {"about": "settings", "hand": "end_effector", "entrant": "submitter"}
"""Keys of stored files in earlier versions, and their present names."""


def with_present_keys(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a stored JSON object with the present names of its keys.

    Raises:
        TypeError: `facts` is not a JSON object.
    """
    return {EARLIER_KEYS.get(key, key): value for key, value in dict(facts).items()}
