"""The registry of learning methods. Other packages add methods by the entry points ``gym_hil.learning_methods``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gym_hil.core.registry import Registry

if TYPE_CHECKING:
    from gym_hil.learning.methods.base import LearningMethod

METHODS: Registry[LearningMethod] = Registry(
    "method",
    "gym_hil.learning_methods",
    {
        "hil": "gym_hil.learning.methods.hil:HIL",
        "hg-dagger": "gym_hil.learning.methods.hg_dagger:HG_DAGGER",
        "bc": "gym_hil.learning.methods.bc:BC",
        "iwr": "gym_hil.learning.methods.iwr:IWR",
        "sirius-imitation": "gym_hil.learning.methods.sirius:SIRIUS_IMITATION",
        "ensemble-dagger": "gym_hil.learning.methods.ensemble_dagger:ENSEMBLE_DAGGER",
        "rlif": "gym_hil.learning.methods.rlif:RLIF",
        "pvp": "gym_hil.learning.methods.pvp:PVP",
        "rlpd": "gym_hil.learning.methods.rlpd:RLPD",
        "hil-serl": "gym_hil.learning.methods.hil_serl:HIL_SERL",
        "residual": "gym_hil.learning.methods.residual:RESIDUAL",
    },
)
"""Learning methods by name. The names are available without importing the methods, and so without PyTorch."""
