"""The speeds that a person can select, which are the same on every device."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from gym_hil.core.schema import EpisodeEvent


class Speed(str, enum.Enum):
    """Speed of the robot while a direction is held.

    With the default of 25 mm per unit of action, the speeds are 25 mm, 5 mm and 0.5 mm per control period. The finest
    suffices for a clearance of 1 mm.
    """

    COARSE = "coarse"
    MEDIUM = "medium"
    FINE = "fine"

    @property
    def factor(self) -> float:
        """Fraction of the full motion, in (0, 1]."""
        return _FACTORS[self]

    @property
    def label(self) -> str:
        """The name and the percentage of the full motion."""
        return f"{self.value} ({100 * self.factor:.0f} %)"

    def after(self, events: Sequence[EpisodeEvent]) -> Speed:
        """Return the speed after the events, each `NEXT_SPEED` of which selects the next one."""
        speeds = tuple(Speed)
        return speeds[(speeds.index(self) + events.count(EpisodeEvent.NEXT_SPEED)) % len(speeds)]


_FACTORS = {Speed.COARSE: 1.0, Speed.MEDIUM: 0.2, Speed.FINE: 0.02}
