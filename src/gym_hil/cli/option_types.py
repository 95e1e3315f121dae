"""Types of options of several commands, with their valid values."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from tyro.extras import literal_type_from_choices

from gym_hil.datasets.formats.registry import format_names
from gym_hil.envs.observations import OBSERVATION_TERMS
from gym_hil.intervention.limits import PRESET_NAMES
from gym_hil.intervention.named import operator_names, training_operator_names
from gym_hil.learning.methods import METHODS

if TYPE_CHECKING:
    OperatorName: TypeAlias = str
    OperatorOrNobody: TypeAlias = str
    Teacher: TypeAlias = str
    Preset: TypeAlias = str
    Method: TypeAlias = str
    FormatName: TypeAlias = str
    TermName: TypeAlias = str
else:
    OperatorName = literal_type_from_choices(operator_names())
    OperatorOrNobody = literal_type_from_choices(("none", *operator_names()))
    Teacher = literal_type_from_choices(training_operator_names())
    Preset = literal_type_from_choices(PRESET_NAMES)
    Method = literal_type_from_choices(METHODS)
    FormatName = literal_type_from_choices(format_names())
    TermName = literal_type_from_choices(OBSERVATION_TERMS)
