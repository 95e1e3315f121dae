"""Policies without learning, as stand-ins for a trained one: from a state to an action (4)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.errors import require_one_of
from gym_hil.operators.base import Action, ee_action
from gym_hil.operators.expert import expert_command
from gym_hil.schema import GripperCommand

Policy = Callable[[ManipulationEnv, np.random.Generator], Action]
NOISE = 1.2
"""Standard deviation of the noisy expert's error on each axis, in units of action."""
SPELL = 12
"""Steps for which the error lasts on average: a policy is wrong in the same way for a while."""


def zero(env: ManipulationEnv, rng: np.random.Generator) -> Action:
    """Do nothing."""
    return ee_action(0.0, 0.0, 0.0, GripperCommand.STAY)


def random(env: ManipulationEnv, rng: np.random.Generator) -> Action:
    """Do anything."""
    x, y, z = rng.uniform(-1.0, 1.0, 3)
    return ee_action(x, y, z, GripperCommand(int(rng.integers(3))))


class NoisyExpert:
    """The expert with errors that last: what a half-trained policy looks like."""

    def __init__(self) -> None:
        self._error = np.zeros(3)

    def __call__(self, env: ManipulationEnv, rng: np.random.Generator) -> Action:
        """Act on the expert's intent, with an error that is drawn anew now and then."""
        if rng.random() < 1.0 / SPELL:
            self._error = rng.normal(0.0, NOISE, 3)
        intended = expert_command(env, np.full(3, 0.025))
        x, y, z = np.clip(intended[:3] + self._error, -1.0, 1.0)
        return ee_action(x, y, z, GripperCommand(int(intended[3])))


POLICIES: dict[str, Callable[[], Policy]] = {
    "zero": lambda: zero,
    "random": lambda: random,
    "noisy-expert": NoisyExpert,
}


def make_policy(name: str) -> Policy:
    """Return the policy called `name`."""
    require_one_of("policy", name, POLICIES)
    return POLICIES[name]()
