"""Operators: who decides, step by step, whether a human acts."""

from __future__ import annotations

from gym_hil.operators.base import Decision as Decision
from gym_hil.operators.base import Operator as Operator
from gym_hil.operators.base import View as View
from gym_hil.operators.expert import Expert as Expert
from gym_hil.operators.gates import Chance as Chance
from gym_hil.operators.gates import Gate as Gate
from gym_hil.operators.gates import LeavingWorkspace as LeavingWorkspace
from gym_hil.operators.gates import NoProgress as NoProgress
from gym_hil.operators.gates import Schedule as Schedule
from gym_hil.operators.human import Engage as Engage
from gym_hil.operators.human import Grip as Grip
from gym_hil.operators.human import Human as Human
from gym_hil.operators.simulated import PRESETS as PRESETS
from gym_hil.operators.simulated import Limits as Limits
from gym_hil.operators.simulated import SimulatedHuman as SimulatedHuman
