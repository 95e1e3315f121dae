"""Models, physics and rendering. Importing this package imports MuJoCo, also if `MUJOCO_GL` is invalid."""

from gym_hil.simulation.gl import import_mujoco

import_mujoco()
