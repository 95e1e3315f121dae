"""What lies still on the floor sleeps until something touches it, and costs nothing meanwhile.

MuJoCo's sleeping islands do this inside a step. A saved state cannot hold sleep, so everything is woken
between steps; what still lies falls asleep again in the next physics step.
"""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

SLEEP_SINCE = (4, 0)
"""Oldest MuJoCo whose sleeping islands are used; those of older versions have known faults."""
WAKE_UP = -0.0
"""A velocity that wakes what has it and does not move it. MuJoCo wakes a tree when any byte of its velocities
is not zero, which is true of a negative zero and of no other number without effect."""


def sleeps() -> bool:
    """Return whether bodies at rest sleep with this version of MuJoCo."""
    return tuple(int(part) for part in mujoco.__version__.split(".")[:2]) >= SLEEP_SINCE


class Sleepers:
    """Wakes what fell asleep.

    Args:
        model: the compiled model.
        data: its state.
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self.countdowns: NDArray[np.int32] = (
            data.tree_asleep if sleeps() else np.full(model.ntree, -1, np.int32)
        )
        """Per kinematic tree: at least 0 where it sleeps, below 0 where it is awake."""
        self._qvel = data.qvel
        self._dofs = [
            slice(start, start + count)
            for start, count in zip(model.tree_dofadr.tolist(), model.tree_dofnum.tolist(), strict=True)
        ]

    def request(self) -> list[int]:
        """Give what sleeps a velocity that wakes it, and return the numbers of its trees."""
        asleep = [tree for tree, count in enumerate(self.countdowns.tolist()) if count >= 0]
        for tree in asleep:
            self._qvel[self._dofs[tree]] = WAKE_UP
        return asleep

    def mark_awake(self, trees: list[int]) -> None:
        """Note that `trees` are awake, once their positions are up to date again."""
        for tree in trees:
            self.countdowns[tree] = -1
