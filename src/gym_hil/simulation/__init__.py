"""Models, physics and rendering. Importing this package imports MuJoCo, even if `MUJOCO_GL` has an invalid value."""

from gym_hil.simulation.gl import import_mujoco

import_mujoco()
