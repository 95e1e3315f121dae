"""Any control period works, and the value that an error message proposes is accepted."""

from __future__ import annotations

import re

import pytest

from gym_hil.core.errors import InvalidArgumentError
from gym_hil.simulation.timing import LARGEST_PHYSICS_DT, physics_step, substeps


def test_substeps_are_counted_without_rounding_errors():
    assert substeps(0.06, 0.002) == 30
    with pytest.raises(InvalidArgumentError, match="physics_dt=-1"):
        substeps(0.1, -1)


def test_the_default_physics_step_is_the_largest_that_divides_the_control_period():
    assert physics_step(0.1) == 0.004
    assert physics_step(0.05) == 0.05 / 13
    assert physics_step(0.001) == 0.001
    for control_dt in (0.1, 0.05, 1 / 30, 1 / 60, 0.0123456, 0.5):
        count = substeps(control_dt, physics_step(control_dt))
        assert control_dt / count <= LARGEST_PHYSICS_DT + 1e-12
        assert count == 1 or control_dt / (count - 1) > LARGEST_PHYSICS_DT


@pytest.mark.parametrize(
    ("control_dt", "physics_dt"), [(0.1, 0.003), (0.05, 0.004), (1 / 3, 0.004), (0.01, 0.1)]
)
def test_every_proposed_value_is_accepted(control_dt, physics_dt):
    with pytest.raises(InvalidArgumentError, match="not a multiple") as caught:
        substeps(control_dt, physics_dt)
    proposed = re.findall(r"physics_dt=([\d.e-]+)", str(caught.value).split(";")[1])
    assert proposed
    for value in proposed:
        assert substeps(control_dt, float(value)) >= 1
