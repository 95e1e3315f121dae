"""The arm reacts to an input of a person within one control period."""

from __future__ import annotations

import numpy as np
import pytest

import gym_hil  # noqa: F401
from gym_hil.experiments import latency


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("image_obs", [False, True])
def test_a_key_press_moves_the_arm_within_one_control_period(image_obs):
    found = latency.measure("gym_hil/PandaPickCube-v1", image_obs=image_obs, presses=30, seed=0)
    assert found.period_ms == pytest.approx(100.0)
    assert 20.0 < found.median_ms < 80.0, "half a period, as presses come at random moments"
    on_time = found.waits_ms <= found.period_ms + 5.0
    assert np.mean(on_time) >= 0.9, "a machine with other work may delay a few"
