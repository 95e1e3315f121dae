"""The clock that tests drive behaves like the real one."""

from __future__ import annotations

import time

import pytest

from gym_hil.core.clock import SYSTEM_CLOCK, Clock
from gym_hil.core.errors import InvalidArgumentError
from gym_hil.testing.clock import ManualClock


@pytest.mark.parametrize("clock", [SYSTEM_CLOCK, ManualClock(4.0)])
def test_sleeping_takes_at_least_as_long_as_asked(clock: Clock):
    before = clock.monotonic()
    clock.sleep(0.015625)
    clock.sleep(-1.0)
    assert clock.monotonic() - before >= 0.015625


def test_a_manual_clock_does_not_wait():
    clock = ManualClock()
    before = time.perf_counter()
    clock.sleep(3600.0)
    clock.advance(0.5)
    assert clock.monotonic() == 3600.5 and time.perf_counter() - before < 1.0
    with pytest.raises(InvalidArgumentError, match="does not go back"):
        clock.advance(-0.1)
