"""Delays of observations and actions, as of a robot behind a network."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from gym_hil.core.arguments import require_number

LONGEST_S = 2.0
"""Largest delay including jitter (s)."""


@dataclass(frozen=True, kw_only=True)
class Delays:
    """Delays between the robot and whoever drives or watches it."""

    observation_delay: float = 0.0
    """Age of observations (s), including what operators, viewers and cameras see."""
    action_delay: float = 0.0
    """Time from an action to the beginning of its execution (s)."""
    jitter: float = 0.0
    """Largest further delay (s), drawn uniformly for every observation and every action."""

    def __post_init__(self) -> None:
        """Validate the delays.

        Raises:
            InvalidArgumentError: a delay is negative, or not a number, or longer than `LONGEST_S`.
        """
        for name, value in asdict(self).items():
            require_number(name, value, at_least=0, at_most=LONGEST_S, unit="seconds")

    def __bool__(self) -> bool:
        """Return whether there is a delay."""
        return any(self.arguments().values())

    def arguments(self) -> dict[str, float]:
        """Return the delays that are not 0, as arguments of `gym_hil.make_env`."""
        return {name: float(value) for name, value in asdict(self).items() if value}


NO_DELAYS = Delays()
