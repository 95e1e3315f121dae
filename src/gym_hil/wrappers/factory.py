"""The names `make_env` and `wrap_env` where gym-hil 0.1.14 keeps them."""

from gym_hil.stacks.build import make_env as make_env
from gym_hil.stacks.build import wrap_env as wrap_env
