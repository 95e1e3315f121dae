"""A few numbers of an array are read and written as plain numbers."""

from __future__ import annotations

import numpy as np
import pytest

from gym_hil.simulation.few_numbers import reader, write


@pytest.mark.parametrize("entries", [[3], [2, 3, 4], [1, 3, 5], [5, 7], [0, 1, 5], [4, 2, 0], [2, 2]])
def test_the_present_values_are_read_in_the_given_order(entries):
    array = np.arange(8.0)
    read = reader(array, entries)
    array += 10.0
    assert list(read()) == [10.0 + entry for entry in entries]
    assert all(type(number) is float for number in read())


def test_numbers_are_written_into_a_view():
    array = np.zeros(5)
    write(array[1:3], [4.0, 5.0])
    assert array.tolist() == [0.0, 4.0, 5.0, 0.0, 0.0]
