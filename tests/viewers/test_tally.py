"""The rates that window and page show."""

from __future__ import annotations

import pytest

from gym_hil.viewers.episode_statistics import WINDOW, Tally


def episode(tally: Tally, human: list[bool], success: bool) -> None:
    tally.begin()
    for number, acts in enumerate(human, start=1):
        tally.step(human=acts, success=success and number == len(human))


def test_an_episode_counts_when_the_next_begins():
    tally = Tally()
    assert tally.rates() is None
    episode(tally, [False, True, True, True], success=True)
    assert tally.rates() is None
    episode(tally, [False] * 4, success=False)
    tally.begin()
    tally.begin()  # an episode without a step is none
    assert tally.rates() == pytest.approx((0.5, 0.375))
    report = tally.report()
    assert (report["episodes"], report["last"]) == (2, False)
    assert report["history"] == [(1.0, 0.75), (0.5, 0.375)]


def test_a_person_has_the_last_word():
    tally = Tally()
    episode(tally, [True], success=False)
    tally.judge(True)
    episode(tally, [True], success=True)
    tally.void()  # re-record: as if it had never been
    tally.begin()
    assert tally.report()["episodes"] == 1 and tally.rates() == (1.0, 1.0)


def test_old_episodes_leave_the_rates():
    tally = Tally()
    for _ in range(WINDOW):
        episode(tally, [True], success=True)
    for _ in range(WINDOW):
        episode(tally, [False], success=False)
    tally.begin()
    assert tally.rates() == (0.0, 0.0)
