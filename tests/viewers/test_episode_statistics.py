"""Rates in the window and on the page."""

from __future__ import annotations

import pytest

from gym_hil.viewers.episode_statistics import WINDOW, EpisodeStatistics


def episode(statistics: EpisodeStatistics, human: list[bool], success: bool) -> None:
    statistics.begin()
    for number, acts in enumerate(human, start=1):
        statistics.step(human=acts, success=success and number == len(human))


def test_an_episode_is_counted_when_the_next_one_begins():
    statistics = EpisodeStatistics()
    assert statistics.rates() is None
    episode(statistics, [False, True, True, True], success=True)
    assert statistics.rates() is None
    episode(statistics, [False] * 4, success=False)
    statistics.begin()
    statistics.begin()  # an episode without a step is none
    assert statistics.rates() == pytest.approx((0.5, 0.375))
    report = statistics.report()
    assert (report["episodes"], report["last"]) == (2, False)
    assert report["history"] == [(1.0, 0.75), (0.5, 0.375)]


def test_a_rerecorded_episode_is_not_counted():
    statistics = EpisodeStatistics()
    episode(statistics, [True], success=True)
    episode(statistics, [True], success=True)
    statistics.discard()  # re-record: as if it had never been
    statistics.begin()
    assert statistics.report()["episodes"] == 1 and statistics.rates() == (1.0, 1.0)


def test_only_recent_episodes_are_included_in_the_rates():
    statistics = EpisodeStatistics()
    for _ in range(WINDOW):
        episode(statistics, [True], success=True)
    for _ in range(WINDOW):
        episode(statistics, [False], success=False)
    statistics.begin()
    assert statistics.rates() == (0.0, 0.0)
