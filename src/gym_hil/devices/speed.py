"""The speeds that a person can choose from, the same on every device."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from gym_hil.core.schema import EpisodeEvent


class Speed(str, enum.Enum):
    """How far a direction that is held at full level moves the robot in one control period.

    With the usual 25 mm per unit of action the speeds are 25 mm, 5 mm and 0.5 mm per period: the finest
    places a peg with 1 mm of clearance, and few taps at one speed are one tap at the next.
    """

    COARSE = "coarse"
    MEDIUM = "medium"
    FINE = "fine"

    @property
    def factor(self) -> float:
        """Part of the full motion, in (0, 1]."""
        return _FACTORS[self]

    @property
    def label(self) -> str:
        """The name and the part of the full motion, for the person."""
        return f"{self.value} ({100 * self.factor:.0f} %)"

    def after(self, events: Sequence[EpisodeEvent]) -> Speed:
        """Return the speed after a person has asked for the next one as often as `events` says."""
        speeds = tuple(Speed)
        return speeds[(speeds.index(self) + events.count(EpisodeEvent.NEXT_SPEED)) % len(speeds)]


_FACTORS = {Speed.COARSE: 1.0, Speed.MEDIUM: 0.2, Speed.FINE: 0.02}
