"""Combines the results of the task and of the human for a step.

The first of these events in a step determines the result, and overrules the task:

| event | reward | terminated | truncated | success |
|---|---|---|---|---|
| none | the task's | the task's | by the time limit, unless terminated | the task's |
| success | 1 | yes | no | yes |
| failure | 0 | yes | no | no |
| re-record | 0 | yes | no | no |
| reset | the task's, 0 where the task succeeded | no | yes | no |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gym_hil.core.schema import EpisodeEvent, TerminationReason


class Verdict(NamedTuple):
    """The result of a step."""

    reward: float
    terminated: bool
    truncated: bool
    success: bool
    reason: TerminationReason | None = None


_HUMAN = {
    EpisodeEvent.SUCCESS: Verdict(1.0, True, False, True, TerminationReason.HUMAN_SUCCESS),
    EpisodeEvent.FAILURE: Verdict(0.0, True, False, False, TerminationReason.HUMAN_FAILURE),
    EpisodeEvent.RERECORD: Verdict(0.0, True, False, False, TerminationReason.RERECORD),
    EpisodeEvent.RESET: Verdict(0.0, False, True, False, TerminationReason.HUMAN_RESET),
}


def combine(task: Verdict, events: Sequence[EpisodeEvent]) -> Verdict:
    """Combine the results for a step.

    Args:
        task: the result of the task and the time limit.
        events: events of the human in the step, oldest first. Events that do not end an episode are ignored.

    Returns:
        The result according to the table above.
    """
    event = next((event for event in events if event in _HUMAN), None) if events else None
    if event is None:
        return task._replace(truncated=False) if task.terminated and task.truncated else task
    verdict = _HUMAN[event]
    if event is EpisodeEvent.RESET and not task.success:
        return verdict._replace(reward=task.reward)
    return verdict
