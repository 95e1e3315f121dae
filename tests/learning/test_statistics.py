"""Statistics over seeds and evaluations."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("scipy")

from gym_hil.experiments.statistics import first_reached, iqm_and_interval, lower_bound, minutes_to_threshold


def test_the_interquartile_mean_leaves_out_a_quarter_on_each_side():
    mean, low, high = iqm_and_interval(np.array([0.0, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]))
    assert mean == 1.0 and low < high == 1.0
    assert np.isnan(iqm_and_interval(np.array([0.5]))[1])
    assert iqm_and_interval(np.ones((4, 3)))[0].shape == (3,)


def test_the_bootstrap_interval_has_its_nominal_coverage():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        _, low, high = iqm_and_interval(rng.normal(1.0, 0.2, size=20))
        covered += low <= 1.0 <= high
    assert covered >= 85


def test_the_bound_is_that_of_clopper_and_pearson():
    assert lower_bound(200, 200, 0.95) == pytest.approx(0.05 ** (1 / 200))
    assert lower_bound(0, 10, 0.95) == 0.0


def test_a_policy_below_the_threshold_rarely_passes_and_one_above_it_soon_does():
    rng = np.random.default_rng(1)
    episodes = [20] * 40
    passed = sum(
        first_reached(rng.binomial(20, 0.95, 40).tolist(), episodes, 0.95) is not None for _ in range(200)
    )
    assert passed <= 0.05 * 200
    assert all(first_reached(rng.binomial(20, 0.85, 40).tolist(), episodes, 0.95) is None for _ in range(200))
    assert first_reached([0] * 5 + [20] * 35, episodes, 0.95) == 5


def test_minutes_are_those_of_the_first_evaluation_of_the_window():
    success, minutes = np.array([0.2, 0.995, 1.0, 1.0]), np.array([1.0, 2.0, 3.0, 4.0])
    assert minutes_to_threshold(success, minutes, [200] * 4, 0.95) == 2.0
    assert minutes_to_threshold(success, minutes, [20] * 4, 0.95) == math.inf, "too few episodes"
