"""Models, physics and images. Importing it imports MuJoCo, whatever `MUJOCO_GL` says."""

from gym_hil.simulation.gl import import_mujoco

import_mujoco()
