"""Labels of recorded observations: whether they show a success.

An episode of n steps has n + 1 observations. Only the last one of a success shows a success. All earlier ones, those
just before the success included, and all observations of failures show none. People need a moment until they press
the button, so that the last `HESITATION_S` seconds before a person's verdict have no label, except the last
observation. Episodes that a learned reward has ended have no labels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.schema import TerminationReason
from gym_hil.datasets.episode import Episode

HESITATION_S = 0.5
"""Time before a person's verdict without labels (s): longer than a reaction to what is seen."""
NO_SUCCESS, SUCCESS, UNKNOWN = 0, 1, -1
"""Labels."""


def observation_labels(episode: Episode) -> NDArray[np.int8] | None:
    """Return the labels of an episode's observations (n + 1), or None if a learned reward has ended it."""
    end, labels = episode.meta["end"], np.full(episode.length + 1, NO_SUCCESS, np.int8)
    if end == TerminationReason.LEARNED_SUCCESS.value:
        return None
    if end == TerminationReason.HUMAN_SUCCESS.value:
        labels[-1 - round(HESITATION_S * episode.meta["fps"]) :] = UNKNOWN
    if episode.success:
        labels[-1] = SUCCESS
    return labels
