"""Operators decide in every step whether a human acts; the takeover wrapper executes their decisions."""

from __future__ import annotations

from gym_hil.intervention.gates import Chance as Chance
from gym_hil.intervention.gates import Gate as Gate
from gym_hil.intervention.gates import LeavingWorkspace as LeavingWorkspace
from gym_hil.intervention.gates import NoProgress as NoProgress
from gym_hil.intervention.gates import Schedule as Schedule
from gym_hil.intervention.human import Engage as Engage
from gym_hil.intervention.human import Grip as Grip
from gym_hil.intervention.human import Human as Human
from gym_hil.intervention.limits import PRESETS as PRESETS
from gym_hil.intervention.limits import Limits as Limits
from gym_hil.intervention.operator import Decision as Decision
from gym_hil.intervention.operator import Expert as Expert
from gym_hil.intervention.operator import Operator as Operator
from gym_hil.intervention.operator import View as View
from gym_hil.intervention.simulated_human import SimulatedHuman as SimulatedHuman
