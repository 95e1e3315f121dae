"""Policies without learning, as stand-ins for a trained one: from a state to an action (4)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gym_hil.core.errors import require_one_of
from gym_hil.core.schema import GripperCommand
from gym_hil.envs.manipulation import ManipulationEnv
from gym_hil.intervention.operator import Action, ee_action
from gym_hil.intervention.scripted import expert_command

Policy = Callable[[ManipulationEnv, np.random.Generator], Action]
NOISE = 0.15
"""Standard deviation of the noisy expert's command on each axis, in units of action."""
MISTAKEN = 0.95
"""Share of episodes in which it sees its goal in the wrong place from afar."""
MISPLACED = 0.06
"""How far off it sees it (m)."""
NEAR = 0.03
"""Horizontal distance within which it sees it right (m)."""


def zero(env: ManipulationEnv, rng: np.random.Generator) -> Action:
    """Do nothing."""
    return ee_action(0.0, 0.0, 0.0, GripperCommand.STAY)


def random(env: ManipulationEnv, rng: np.random.Generator) -> Action:
    """Do anything."""
    x, y, z = rng.uniform(-1.0, 1.0, 3)
    return ee_action(x, y, z, GripperCommand(int(rng.integers(3))))


class NoisyExpert:
    """The expert with unsteady hands and, in most episodes, a wrong idea of where things are: what a
    half-trained policy looks like. Once close it sees right, so little help goes a long way.
    """

    def __init__(self) -> None:
        self._offset: NDArray[np.float64] | None = None

    def __call__(self, env: ManipulationEnv, rng: np.random.Generator) -> Action:
        """Act on the expert's intent, as seen from here."""
        if self._offset is None:
            angle = rng.uniform(0.0, 2.0 * np.pi)
            off = MISPLACED if rng.random() < MISTAKEN else 0.0
            self._offset = off * np.array([np.cos(angle), np.sin(angle), 0.0])
        goal, _ = env.expert_intent()
        way = goal - env.simulation.tcp_pos_w
        seen = self._offset if float(np.hypot(way[0], way[1])) > NEAR else np.zeros(3)
        intended = expert_command(env, np.full(3, 0.025), seen)
        x, y, z = np.clip(intended[:3] + rng.normal(0.0, NOISE, 3), -1.0, 1.0)
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
