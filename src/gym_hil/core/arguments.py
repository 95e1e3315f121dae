"""Validation of arguments, with error messages that contain the name, the value and the valid values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

from gym_hil.core.errors import InvalidArgumentError


def require_number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    unit: str = "",
) -> float:
    """Validate a number and return it as a float.

    Args:
        name: name of the argument.
        value: its value.
        above: exclusive lower bound.
        at_least: inclusive lower bound.
        at_most: inclusive upper bound.
        unit: unit of the number for the error message, such as ``"seconds"``.

    Raises:
        InvalidArgumentError: `value` is not a finite number within the bounds. Strings and booleans are not
            numbers.
    """
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    within = (
        math.isfinite(number)
        and (above is None or number > above)
        and (at_least is None or number >= at_least)
        and (at_most is None or number <= at_most)
    )
    if not within:
        bounds = {"above": above, "of at least": at_least, "of at most": at_most}
        limits = " and ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)
        if at_least is not None and at_most is not None:
            limits = f"from {at_least:g} to {at_most:g}"
        expected = f"a number {limits}".strip() + (f", in {unit}" if unit else "")
        raise InvalidArgumentError(f"{name}={value!r} must be {expected}")
    return number


def require_mapping(name: str, value: Any, example: str) -> Mapping[Any, Any]:
    """Validate that `value` is a mapping, and return it.

    Args:
        name: name of the argument.
        value: its value.
        example: a valid value for the error message, such as ``"{'x': 0.025}"``.

    Raises:
        InvalidArgumentError: `value` is not a mapping.
    """
    if not isinstance(value, Mapping):
        raise InvalidArgumentError(f"{name}={value!r} must be a mapping, such as {example}")
    return value
