"""What options of several commands may be, taken from where it is defined."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from tyro.extras import literal_type_from_choices

from gym_hil.intervention.named import NAMES, TEACHERS
from gym_hil.intervention.simulated_human import PRESETS
from gym_hil.learning.methods import METHODS

if TYPE_CHECKING:
    OperatorName: TypeAlias = str
    OperatorOrNobody: TypeAlias = str
    Teacher: TypeAlias = str
    Preset: TypeAlias = str
    Method: TypeAlias = str
else:
    OperatorName = literal_type_from_choices(NAMES)
    OperatorOrNobody = literal_type_from_choices(("none", *NAMES))
    Teacher = literal_type_from_choices(TEACHERS)
    Preset = literal_type_from_choices(PRESETS)
    Method = literal_type_from_choices(METHODS.names())
