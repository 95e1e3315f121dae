"""The controllers of gym-hil 0.1.14."""

import sys

from gym_hil.integrations.legacy.controllers.opspace import opspace as opspace

# Importing a submodule binds its name in the package. The old path of this one is bound here, so that importing
# it later does not replace the function of the same name by the module.
sys.modules["gym_hil.controllers.opspace"] = sys.modules[f"{__name__}.opspace"]
