"""Combination of the task's outcome with the events of the human, in every key that contains it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from gym_hil.core import verdicts
from gym_hil.core.schema import EpisodeEvent, TerminationReason
from gym_hil.core.verdicts import Verdict, combine
from gym_hil.intervention.operator import Decision, Operator
from gym_hil.stacks.build import make_env

ENDING = [EpisodeEvent.SUCCESS, EpisodeEvent.FAILURE, EpisodeEvent.RERECORD, EpisodeEvent.RESET]
STAY = np.array([0, 0, 0, 1], np.float32)
DONE = Verdict(1.0, True, False, True, TerminationReason.SUCCESS)
GOING_ON = Verdict(0.25, False, False, False)
CUT_OFF = Verdict(0.25, False, True, False)


class Says(Operator):
    """Calls one event in every step."""

    name = "says"

    def __init__(self, *events: EpisodeEvent) -> None:
        self.events = events

    def decide(self, view):
        return Decision(events=self.events)


@pytest.mark.parametrize("task", [DONE, GOING_ON, CUT_OFF])
@pytest.mark.parametrize(
    "event, terminated, truncated, success",
    [
        (EpisodeEvent.SUCCESS, True, False, True),
        (EpisodeEvent.FAILURE, True, False, False),
        (EpisodeEvent.RERECORD, True, False, False),
        (EpisodeEvent.RESET, False, True, False),
    ],
)
def test_the_human_overrules_the_task(task, event, terminated, truncated, success):
    verdict = combine(task, [event])
    assert (verdict.terminated, verdict.truncated, verdict.success) == (terminated, truncated, success)
    if event is EpisodeEvent.SUCCESS:
        assert verdict.reward == 1.0
    elif event is EpisodeEvent.RESET and not task.success:
        assert verdict.reward == task.reward
    else:
        assert verdict.reward == 0.0


def test_without_a_human_the_task_decides_and_never_both_ends():
    assert combine(DONE, []) is DONE
    assert combine(GOING_ON, [EpisodeEvent.PAUSE]) is GOING_ON
    both = combine(Verdict(1.0, True, True, True, TerminationReason.SUCCESS), [])
    assert both.terminated and not both.truncated


def test_the_first_event_decides():
    verdict = combine(GOING_ON, [EpisodeEvent.PAUSE, EpisodeEvent.FAILURE, EpisodeEvent.SUCCESS])
    assert verdict.reason is TerminationReason.HUMAN_FAILURE


@pytest.mark.parametrize(
    "event", [EpisodeEvent.SUCCESS, EpisodeEvent.FAILURE, EpisodeEvent.RERECORD, EpisodeEvent.RESET]
)
@pytest.mark.parametrize("done", [False, True])
def test_all_success_keys_agree(event, done, monkeypatch):
    env = make_env("gym_hil/PandaPickCube-v1", operator=Says(event))
    env.reset(seed=0)
    monkeypatch.setattr(type(env.unwrapped.task), "success", lambda *_: done)
    _, reward, terminated, truncated, info = env.step(STAY)
    expected = combine(DONE if done else Verdict(0.0, False, False, False), [event])
    assert (reward, terminated, truncated) == (expected.reward, expected.terminated, expected.truncated)
    assert {info[key] for key in ("succeed", "is_success", "next.success")} == {expected.success}
    assert info["termination_reason"] == expected.reason.value
    assert info["rerecord_episode"] is (event is EpisodeEvent.RERECORD) and info["terminate_episode"]
    record = info["step"]
    assert (record.reward, record.success, record.done, record.events) == (
        reward,
        expected.success,
        True,
        (event,),
    )


def test_the_documentation_has_the_same_table():
    table = re.findall(r"^\|.*\|$", verdicts.__doc__, flags=re.M)
    page = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert len(table) == 7 and all(row in page for row in table)
