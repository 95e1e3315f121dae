"""The environment class."""

from __future__ import annotations

from gym_hil.envs.manipulation import EnvironmentState as EnvironmentState
from gym_hil.envs.manipulation import ManipulationEnv as ManipulationEnv
